import type { EngineTable } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { metadataTable } from "./information-schema.ts";
import type { Names } from "./names.ts";
import { type Content, pseudoColumns, type Row, type Table } from "./tables.ts";
import { toWire, type WireValue } from "./values.ts";

/** Every dataset with its tables. */
export interface Warehouse {
  readonly projectId: string;
  readonly location: string;
  readonly datasets: Map<string, Map<string, Table>>;
  /** `dataset.table` of those that may not be read. */
  readonly denied: Set<string>;
  /** By `dataset.table`. */
  readonly protections: Map<string, Protection>;
}

/** What hides some of a table from whoever asks. */
export interface Protection {
  /** A row access policy: the rows that are seen, by their values as text. */
  readonly sees?: (values: Readonly<Record<string, WireValue>>) => boolean;
  /** Columns whose values are masked: NULL is seen instead. */
  readonly masked?: readonly string[];
  /** Whether the statistics of jobs tell of it, as BigQuery's do; true unless given. */
  readonly isTold?: boolean;
}

export function protectionOf({ protections }: Warehouse, { dataset, name }: Table): Protection | undefined {
  return protections.get(`${dataset}.${name}`);
}

/** The content as it is seen. */
export function seenThrough(protection: Protection | undefined, table: Table, content: Content): Content {
  if (protection === undefined) return content;
  const { sees = () => true, masked = [] } = protection;
  const isMasked = table.columns.map(({ name }) => masked.includes(name));
  const textsOf = ({ cells }: Row) =>
    Object.fromEntries(
      table.columns.map(({ name, type }, index) => [name, toWire(type, cells[index] ?? {}, true)]),
    );
  const rows = content.rows
    .filter((row) => sees(textsOf(row)))
    .map((row) => ({
      ...row,
      cells: row.cells.map((cell, index) => (isMasked[index] === true ? {} : cell)),
    }));
  return { ...content, rows };
}

/** @throws BigQueryError `notFound`, `accessDenied` */
export function tableOf(warehouse: Warehouse, dataset: string, name: string): Table {
  const { projectId, datasets, denied } = warehouse;
  if (denied.has(`${dataset}.${name}`)) throw accessDenied(warehouse, dataset, name);
  const found = datasets.get(dataset)?.get(name);
  if (found !== undefined) return found;
  datasetOf(warehouse, dataset);
  throw new BigQueryError("notFound", `Not found: Table ${projectId}:${dataset}.${name}`);
}

/** @throws BigQueryError `notFound` */
export function datasetOf({ projectId, datasets }: Warehouse, dataset: string): Map<string, Table> {
  const found = datasets.get(dataset);
  if (found === undefined) throw new BigQueryError("notFound", `Not found: Dataset ${projectId}:${dataset}`);
  return found;
}

/** Puts a table where it belongs, in place of one with its name. */
export function putTable(warehouse: Warehouse, table: Table): void {
  const dataset = warehouse.datasets.get(table.dataset) ?? new Map<string, Table>();
  warehouse.datasets.set(table.dataset, dataset.set(table.name, table));
}

function accessDenied({ projectId }: Warehouse, dataset: string, name: string): BigQueryError {
  const table = `${projectId}:${dataset}.${name}`;
  return new BigQueryError(
    "accessDenied",
    `Access Denied: Table ${table}: User does not have permission to query table ${table}, or perhaps it does not exist.`,
  );
}

/** What SQL may name. @param temporary tables of the session */
export function namesIn(
  warehouse: Warehouse,
  defaultDataset: string | undefined,
  temporary: ReadonlyMap<string, Table> = new Map(),
): Names {
  const { projectId, location, datasets, denied } = warehouse;
  return {
    projectId,
    location,
    defaultDataset,
    temporary: (name) => temporary.get(name),
    hasDataset: (dataset) => datasets.has(dataset),
    table(dataset, name) {
      if (denied.has(`${dataset}.${name}`)) throw accessDenied(warehouse, dataset, name);
      return datasets.get(dataset)?.get(name);
    },
    metadata(dataset, view) {
      const tables = datasets.get(dataset);
      return tables === undefined ? undefined : metadataTable(projectId, dataset, [...tables.values()], view);
    },
  };
}

/** The name of the column that tells rows apart for DELETE and UPDATE. */
const rowIdColumn = "_gr_row_id";

/** A table as the engine takes it. @param keyed with a last column that tells rows apart, their `id` */
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
