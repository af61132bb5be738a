import { analyze, identity, priceOf, protectionIn, readsOf, said, seenTables } from "./analysis.ts";
import {
  type Context,
  nothing,
  type Outcome,
  type QueryRequest,
  type Session,
  type Statement,
} from "./context.ts";
import { runDdl } from "./ddl.ts";
import { runDml } from "./dml.ts";
import { type Engine, EngineError } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { child, concrete, type Node, rangeOf, text } from "./syntax.ts";
import { autocommit, Transaction } from "./transactions.ts";

let transactions = 0;

/** Runs a statement, or the statements of a script one after the other. @throws BigQueryError */
export async function run(context: Context, request: QueryRequest): Promise<Outcome> {
  const parts = await split(await context.engine(), request.sql);
  const [only] = parts;
  if (only !== undefined && parts.length === 1)
    return runOne(context, { ...request, ...only }, request.session);
  const session = request.session ?? { id: "script", transaction: null, busy: true, temporary: new Map() };
  let outcome: Outcome = { ...nothing, statementType: "SCRIPT" };
  try {
    for (const part of parts) {
      const { cost, ...last } = await runOne(context, { ...request, ...part }, session);
      const bytesProcessed = outcome.cost.bytesProcessed + cost.bytesProcessed;
      const bytesBilled = outcome.cost.bytesBilled + cost.bytesBilled;
      const tables = [...outcome.cost.tables, ...cost.tables];
      // The result of a script is that of its last SELECT.
      const shown = last.statementType === "SELECT" ? last : outcome;
      const sum = { bytesProcessed, bytesBilled, tables };
      outcome = { ...shown, statementType: "SCRIPT", cost: sum, cacheHit: false };
    }
    return outcome;
  } finally {
    // A script that ends within a transaction takes it back.
    if (request.session === undefined) session.transaction?.rollback();
  }
}

interface Part {
  readonly kind: string;
  readonly sql: string;
}

/** The statements of a script, each with blanks in place of those before it, so that places in messages stay. */
async function split(engine: Engine, sql: string): Promise<readonly Part[]> {
  const bytes = Buffer.from(sql);
  const parts: Part[] = [];
  let position = 0;
  for (;;) {
    const rest = bytes.subarray(position).toString();
    const comments = /\/\*[\s\S]*?\*\/|(--|#)[^\n]*/g;
    if (parts.length > 0 && rest.replace(comments, "").trim() === "") return parts;
    const blank = bytes.subarray(0, position).toString().replace(/[^\n]/g, " ");
    // Errors of the parser have no place; those of the analyzer have.
    const next = engine.parseNext(sql, position).catch((error: unknown) => {
      if (error instanceof EngineError) return engine.analyze({ sql: blank + rest, tables: [], params: [] });
      throw error;
    });
    const tree = (await said(identity, () => next)) as Node;
    const found = concrete(tree);
    if (found === undefined) throw new Error("the engine gave no syntax tree");
    const { start, end } = rangeOf(found.node);
    const before = bytes.subarray(0, start).toString().replace(/[^\n]/g, " ");
    parts.push({ kind: found.kind, sql: before + bytes.subarray(start, end).toString() });
    position = Math.max(end, Number(tree["resumeBytePosition"]));
  }
}

async function runOne(
  context: Context,
  request: QueryRequest & Part,
  session: Session | undefined,
): Promise<Outcome> {
  const transaction = session?.transaction ?? null;
  const scope = transaction ?? autocommit(context.claims);
  const statement = { ...request, session, scope };
  try {
    return await dispatch(context, statement, session);
  } finally {
    scope.settle();
    if (session !== undefined && transaction?.aborted === true) session.transaction = null;
  }
}

async function dispatch(
  context: Context,
  statement: Statement,
  session: Session | undefined,
): Promise<Outcome> {
  switch (statement.kind) {
    case "astQueryStatementNode":
      return runSelect(context, statement);
    case "astInsertStatementNode":
    case "astDeleteStatementNode":
    case "astUpdateStatementNode":
      return runDml(context, statement);
    case "astAssertStatementNode":
      return runAssert(context, statement);
    case "astBeginStatementNode":
    case "astCommitStatementNode":
    case "astRollbackStatementNode":
      return statement.dryRun ? nothing : control(context, statement, session);
    case "astCreateSchemaStatementNode":
    case "astCreateTableStatementNode":
    case "astCreateViewStatementNode":
    case "astDropStatementNode":
      if (session?.transaction && !/^\s*create\s+(or\s+replace\s+)?temp/i.test(statement.sql))
        throw new BigQueryError(
          "invalidQuery",
          "DDL statements are not supported in a transaction, except for those on temporary entities.",
          "query",
        );
      return runDdl(context, statement);
    default:
      throw new BigQueryError(
        "notImplemented",
        `The test server does not run ${statement.kind.replace(/^ast|Node$/g, "")}.`,
      );
  }
}

const nondeterministic =
  /current_(date|time|timestamp|datetime)|\brand\(|generate_uuid|session_user|information_schema/i;

async function runSelect(context: Context, statement: Statement): Promise<Outcome> {
  const analyzed = await analyze(context, statement);
  const { columns, undeclared, resolved, engine } = analyzed;
  const cost = priceOf(analyzed, statement);
  const protection = protectionIn(context, analyzed);
  const outcome = { ...nothing, columns, cost, undeclared, protection };
  if (statement.dryRun) return outcome;
  const contents = [...readsOf(analyzed, statement).values()].map(({ content }) => content);
  const key = JSON.stringify([resolved.sql, statement.params]);
  const kept = context.cache.get(key);
  const fresh = kept?.contents.every((content, index) => content === contents[index]) === true;
  // What one account sees through a policy is kept for none.
  const isOpen = context.warehouse.protections.size === 0;
  if (isOpen && statement.useCache && kept !== undefined && fresh)
    return { ...outcome, cost: nothing.cost, rows: kept.result.rows, cacheHit: true };
  const tables = seenTables(context, analyzed, statement);
  const request = { sql: resolved.sql, params: statement.params, tables };
  const result = await said(resolved.restore, () => engine.evaluate(request));
  statement.signal.throwIfAborted();
  const buffered = contents.some(({ rows }) => rows.some((row) => row.buffered));
  if (isOpen && !buffered && !nondeterministic.test(resolved.sql))
    context.cache.set(key, { contents, result });
  return { ...outcome, rows: result.rows };
}

/** The engine only analyzes ASSERT, so that its condition is run as a query. */
async function runAssert(context: Context, statement: Statement): Promise<Outcome> {
  const engine = await context.engine();
  const tree = concrete((await said(identity, () => engine.parse(statement.sql))) as Node);
  const condition = child(tree?.node, "expr");
  const at = concrete(condition)?.node;
  if (at === undefined) throw new Error("the assertion has no condition");
  const { start, end } = rangeOf(at);
  const bytes = Buffer.from(statement.sql);
  const before = bytes.subarray(0, start).toString();
  const sql = `${before.replace(/assert\s*$/i, "select ").padEnd(before.length)}(${bytes.subarray(start, end).toString()})`;
  const outcome = await runSelect(context, { ...statement, sql, kind: "astQueryStatementNode" });
  const holds = statement.dryRun || outcome.rows[0]?.[0]?.boolValue === true;
  const description = text(child(tree?.node, "description"), "stringValue");
  if (!holds) throw new BigQueryError("invalidQuery", description ?? "Assertion failed", "query");
  return { ...outcome, statementType: "ASSERT", columns: [], rows: [] };
}

async function control(
  context: Context,
  { kind }: Statement,
  session: Session | undefined,
): Promise<Outcome> {
  if (session === undefined)
    throw new BigQueryError(
      "invalidQuery",
      "Transaction control statements are supported only in scripts or sessions",
      "query",
    );
  const { transaction } = session;
  if (kind === "astBeginStatementNode") {
    if (transaction !== null)
      throw new BigQueryError("invalidQuery", "Nested transactions are not supported", "query");
    transactions += 1;
    const tables = [...context.warehouse.datasets.values()].flatMap((dataset) => [...dataset.values()]);
    session.transaction = new Transaction(String(transactions), context.claims, tables);
    return { ...nothing, statementType: "BEGIN_TRANSACTION" };
  }
  const isCommit = kind === "astCommitStatementNode";
  if (transaction === null)
    throw new BigQueryError(
      "invalidQuery",
      `There is no active transaction to ${isCommit ? "commit" : "roll back"}`,
      "query",
    );
  session.transaction = null;
  if (isCommit) transaction.commit();
  else transaction.rollback();
  return { ...nothing, statementType: isCommit ? "COMMIT_TRANSACTION" : "ROLLBACK_TRANSACTION" };
}
