import type { Context, Outcome, QueryRequest, Statement } from "./context.ts";
import { type Cost, costOf, type ReadTable, requireFilters, seenBy } from "./cost.ts";
import { type Engine, EngineError, type EngineTable } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { metadataDataset } from "./information-schema.ts";
import { resolveNames, type Resolved } from "./names.ts";
import { type Scan, scansOf } from "./scans.ts";
import { child, children, concrete, type Node, text, walk } from "./syntax.ts";
import { type Column, fromTypeProto, type SqlType, type TypeProto } from "./types.ts";
import { engineTable, namesIn, protectionOf, seenThrough } from "./warehouse.ts";

/** A statement whose names are resolved. */
export interface Analyzed {
  readonly engine: Engine;
  readonly resolved: Resolved;
  /** The node of the statement, every name in it resolved. */
  readonly node: Node;
  readonly scans: readonly Scan[];
  /** The columns of a query's result. */
  readonly columns: readonly Column[];
  /** Parameters that the SQL has and the request has not. */
  readonly undeclared: Outcome["undeclared"];
}

/** @throws BigQueryError */
export async function analyze(context: Context, statement: Statement): Promise<Analyzed> {
  const engine = await context.engine();
  const names = namesIn(context.warehouse, statement.defaultDataset, statement.session?.temporary);
  const resolved = await said(identity, () => resolveNames(engine, statement.sql, names));
  const { params, scope } = statement;
  const tables = [...resolved.tables].map(([name, table]) => {
    return engineTable(name, table, { ...scope.contentOf(table), rows: [] });
  });
  const request = { sql: resolved.sql, params, tables };
  // A dry run guesses the types of parameters that it is not given; one that is given all asks what the run will ask.
  const ask = () =>
    engine.analyze(request).catch((error: unknown) => {
      if (!statement.dryRun) throw error;
      return engine.analyze({ ...request, undeclared: true });
    });
  const tree = await said(resolved.restore, ask).catch((error: unknown) => {
    throw unknownTable(error, context.warehouse) ?? error;
  });
  const found = concrete(tree as Node);
  if (found === undefined) throw new Error("the engine gave no statement");
  const scans = scansOf(tree, params);
  const node = found.node;
  const analyzed = {
    engine,
    resolved,
    node,
    scans,
    columns: columnsOf(node),
    undeclared: undeclaredIn(tree, params),
  };
  requireFilters(scans, readsOf(analyzed, statement));
  return analyzed;
}

/** The tables of a statement as its scope sees them now. */
export function readsOf(
  { resolved }: Pick<Analyzed, "resolved">,
  { scope }: Pick<Statement, "scope">,
): ReadonlyMap<string, ReadTable> {
  return new Map(
    [...resolved.tables].map(([name, table]) => {
      const metadata = table.dataset.endsWith(metadataDataset(""));
      return [name, { table, content: scope.contentOf(table), metadata }];
    }),
  );
}

/** The tables of a query as the engine is handed them: what its scans can see. */
export function seenTables(
  { warehouse }: Pick<Context, "warehouse">,
  analyzed: Analyzed,
  statement: Statement,
): readonly EngineTable[] {
  return [...readsOf(analyzed, statement)].map(([name, read]) => {
    const scans = analyzed.scans.filter(({ table }) => table === name);
    const content = seenThrough(protectionOf(warehouse, read.table), read.table, read.content);
    return engineTable(name, read.table, seenBy(scans, { ...read, content }));
  });
}

/** What protects the tables and columns that a query reads, as the statistics of its job tell it. */
export function protectionIn(
  { warehouse }: Pick<Context, "warehouse">,
  { scans, resolved }: Analyzed,
): Outcome["protection"] {
  const found = { rows: false, masked: false };
  for (const { table: name, columns } of scans) {
    const table = resolved.tables.get(name);
    const protection = table === undefined ? undefined : protectionOf(warehouse, table);
    if (protection === undefined || protection.isTold === false) continue;
    found.rows ||= protection.sees !== undefined;
    found.masked ||= columns.some((column) => protection.masked?.includes(column) === true);
  }
  return found;
}

/** What a statement costs. @throws BigQueryError `bytesBilledLimitExceeded` */
export function priceOf(analyzed: Analyzed, statement: Statement, rewritten?: string): Cost {
  const cost = costOf(analyzed.scans, readsOf(analyzed, statement), rewritten);
  const limit = statement.maximumBytesBilled;
  if (!statement.dryRun && limit !== undefined && cost.bytesBilled > limit)
    throw new BigQueryError(
      "bytesBilledLimitExceeded",
      `Query exceeded limit for bytes billed: ${limit}. ${cost.bytesBilled} or higher required.`,
    );
  return cost;
}

export const identity = (message: string) => message;

/** Runs something of the engine; what it refuses becomes BigQuery's error, at its place in the SQL that was sent. */
export async function said<T>(restore: (message: string) => string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new BigQueryError("invalidQuery", restore(error.message), "query");
  }
}

/** What BigQuery says of a table whose dataset is not there, or not named; undefined for any other error. */
function unknownTable(
  error: unknown,
  { projectId, location }: Context["warehouse"],
): BigQueryError | undefined {
  const [, path] = /^Table not found: ([^\s;]+)/.exec(error instanceof Error ? error.message : "") ?? [];
  const [, dataset] = path?.replaceAll("`", "").split(".").toReversed() ?? [];
  if (path === undefined) return undefined;
  if (dataset === undefined)
    return new BigQueryError(
      "invalid",
      `Table "${path}" must be qualified with a dataset (e.g. dataset.table).`,
    );
  const what = `Dataset ${projectId}:${dataset}`;
  return new BigQueryError("notFound", `Not found: ${what} was not found in location ${location}`);
}

function columnsOf(node: Node): readonly Column[] {
  let unnamed = 0;
  const columns = children(node, "outputColumnList").map((output): Column => {
    const name = text(output, "name") ?? "";
    const type = fromTypeProto(child(child(output, "column"), "type") as unknown as TypeProto);
    if (!name.startsWith("$")) return { name, type };
    unnamed += 1;
    return { name: `f${unnamed - 1}_`, type };
  });
  const twice = columns.find(
    ({ name }, index) => columns.findIndex((column) => column.name === name) < index,
  );
  if (twice !== undefined)
    throw new BigQueryError(
      "invalidQuery",
      `Duplicate column names in the result are not supported when a destination table is present. Found duplicate(s): ${twice.name}`,
      "query",
    );
  return columns;
}

function undeclaredIn(tree: unknown, params: QueryRequest["params"]) {
  const found = new Map<string, SqlType>();
  walk(tree, (node, kind) => {
    if (kind !== "resolvedParameterNode") return;
    const name = text(node, "name") ?? "";
    if (params.some((param) => param.name.toLowerCase() === name)) return;
    found.set(name, fromTypeProto(child(child(node, "parent"), "type") as unknown as TypeProto));
  });
  return [...found].map(([name, type]) => ({ name, type }));
}
