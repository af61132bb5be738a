import type { EngineTable } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { type Content, pseudoColumns, type Table } from "./tables.ts";

/** Every dataset with its tables. */
export interface Warehouse {
  readonly projectId: string;
  readonly location: string;
  readonly datasets: Map<string, Map<string, Table>>;
}

/** Content that a transaction sees and changes: a snapshot of all tables with its own changes over it. */
export interface View {
  contentOf(table: Table): Content;
}

export const latest: View = { contentOf: (table) => table.content };

export function tableOf(warehouse: Warehouse, dataset: string, name: string): Table {
  const found = warehouse.datasets.get(dataset)?.get(name);
  if (found !== undefined) return found;
  const what = warehouse.datasets.has(dataset)
    ? `Table ${warehouse.projectId}:${dataset}.${name}`
    : `Dataset ${warehouse.projectId}:${dataset}`;
  throw new BigQueryError("notFound", `Not found: ${what}`);
}

/** The name of the column that tells rows apart for DELETE and UPDATE. */
export const rowIdColumn = "_gr_row_id";

/** A table as the engine takes it. @param keyed with a column that tells rows apart */
export function engineTable(identifier: string, table: Table, content: Content, keyed = false): EngineTable {
  const pseudo = pseudoColumns(table);
  const columns: EngineTable["columns"][number][] = [
    ...table.columns.map(({ name, type }) => ({ name, type })),
    ...pseudo.map(({ name, type }) => ({ name, type, pseudo: true })),
  ];
  if (keyed) columns.push({ name: rowIdColumn, type: { kind: "INT64" }, pseudo: true });
  const rows = content.rows.map((row) => {
    const cells = [...row.cells, ...pseudo.map(({ valueOf }) => valueOf(row))];
    if (keyed) cells.push({ int64Value: String(row.id) });
    return cells;
  });
  return { name: identifier, columns, rows, ...(keyed ? { key: columns.length - 1 } : {}) };
}
