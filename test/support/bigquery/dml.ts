import { analyze, priceOf, readsOf, said } from "./analysis.ts";
import { type Context, nothing, type Outcome, type Statement } from "./context.ts";
import type { ModifiedRow } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { child, text } from "./syntax.ts";
import { newRow, pseudoColumns, type Row, secondsOf, type Table } from "./tables.ts";
import type { Change } from "./transactions.ts";
import { engineTable } from "./warehouse.ts";

/** Runs an INSERT, DELETE or UPDATE; all of it, or nothing. @throws BigQueryError */
export async function runDml(context: Context, statement: Statement): Promise<Outcome> {
  const statementType = statement.kind.replace(/^ast|StatementNode$/g, "").toUpperCase();
  const analyzed = await analyze(context, statement);
  const target = text(child(child(analyzed.node, "tableScan"), "table"), "name") ?? "";
  const table = analyzed.resolved.tables.get(target);
  if (table === undefined) throw new Error(`the engine changes ${target}, which is not there`);
  const mutates = statementType !== "INSERT";
  if (mutates && child(analyzed.node, "whereExpr") === undefined)
    throw new BigQueryError("invalidQuery", `${statementType} must have a WHERE clause at [1:1]`, "query");
  if (mutates && !statement.dryRun) await statement.scope.claim(table, statement.signal);
  const outcome = {
    ...nothing,
    statementType,
    cost: priceOf(analyzed, statement, mutates ? target : undefined),
    undeclared: analyzed.undeclared,
  };
  if (statement.dryRun) return outcome;
  const reads = readsOf(analyzed, statement);
  const isRead = (name: string) => analyzed.scans.some((scan) => scan.table === name);
  const tables = [...reads].map(([name, read]) =>
    engineTable(
      name,
      read.table,
      // What an INSERT only adds to, the engine need not be told.
      mutates || isRead(name) ? read.content : { ...read.content, rows: [] },
      mutates && name === target,
    ),
  );
  const { engine, resolved } = analyzed;
  const request = { sql: resolved.sql, params: statement.params, tables };
  const modified = await said(resolved.restore, () => engine.modify(request));
  statement.signal.throwIfAborted();
  const rows = new Map(statement.scope.contentOf(table).rows.map((row) => [String(row.id), row]));
  const change = changeOf(table, rows, modified, target);
  statement.scope.apply(table, change);
  const count = (operation: ModifiedRow["operation"]) =>
    modified.filter((row) => row.operation === operation).length;
  return {
    ...outcome,
    dml: { inserted: count("insert"), updated: count("update"), deleted: count("delete") },
  };
}

function changeOf(
  table: Table,
  rows: ReadonlyMap<string, Row>,
  modified: readonly ModifiedRow[],
  identifier: string,
): Change {
  const removed: Row[] = [];
  const added: Row[] = [];
  for (const { operation, cells, oldKey } of modified) {
    const old = oldKey === undefined ? undefined : rows.get(oldKey.int64Value?.toString() ?? "");
    if (old !== undefined) removed.push(old);
    if (operation === "delete") continue;
    const ingested = pseudoColumns(table).length === 0 ? null : secondsOf(cells[table.columns.length] ?? {});
    added.push(newRow(table, cells.slice(0, table.columns.length), ingested));
  }
  if (removed.some(({ buffered }) => buffered))
    throw new BigQueryError(
      "invalidQuery",
      `UPDATE or DELETE statement over table ${identifier} would affect rows in the streaming buffer, which is not supported`,
      "query",
    );
  return { removed, added };
}
