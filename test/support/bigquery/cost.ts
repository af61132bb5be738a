import { BigQueryError } from "./errors.ts";
import type { Scan, Span } from "./scans.ts";
import {
  columnIndex,
  type Content,
  type PartitionUnit,
  partitionOf,
  pseudoColumns,
  type Row,
  secondsOf,
  type Table,
} from "./tables.ts";
import type { SqlType } from "./types.ts";
import { isNull, type ValueProto } from "./values.ts";

const mebibyte = 1024 * 1024;
const leastPerTable = 10 * mebibyte;
/** What a look at INFORMATION_SCHEMA is charged, whatever it finds. */
const metadataBytes = leastPerTable;

export interface Cost {
  readonly bytesProcessed: number;
  readonly bytesBilled: number;
  /** What is read. */
  readonly tables: readonly { readonly dataset: string; readonly name: string }[];
}

/** The size of a value by BigQuery's documentation of its types. */
function sizeOf(type: SqlType, value: ValueProto): number {
  if (type.kind === "ARRAY")
    return (value.arrayValue?.element ?? []).reduce((sum, item) => sum + sizeOf(type.element, item), 0);
  if (isNull(value)) return 0;
  switch (type.kind) {
    case "BOOL":
      return 1;
    case "STRING":
      return 2 + Buffer.byteLength(value.stringValue ?? "");
    case "BYTES":
      return 2 + (value.bytesValue?.length ?? 0);
    case "JSON":
      return Buffer.byteLength(value.jsonValue ?? "");
    case "NUMERIC":
      return 16;
    case "BIGNUMERIC":
      return 32;
    case "STRUCT":
      return type.fields.reduce(
        (sum, field, index) => sum + sizeOf(field.type, value.structValue?.field[index] ?? {}),
        0,
      );
    default:
      return 8;
  }
}

/** What was measured of rows, which never change. */
const rowSizes = new WeakMap<Row, number>();
const columnSizes = new WeakMap<readonly Row[], Map<number, number>>();

export function rowBytes(table: Table, row: Row): number {
  const known = rowSizes.get(row);
  if (known !== undefined) return known * table.weight;
  const bytes = table.columns.reduce((sum, { type }, index) => sum + sizeOf(type, row.cells[index] ?? {}), 0);
  rowSizes.set(row, bytes);
  return bytes * table.weight;
}

/** @param rows those of a partition, as `byPartition` gives them */
function columnBytes(rows: readonly Row[], type: SqlType, index: number): number {
  const sizes = columnSizes.get(rows) ?? new Map<number, number>();
  columnSizes.set(rows, sizes);
  const bytes = sizes.get(index) ?? rows.reduce((sum, row) => sum + sizeOf(type, row.cells[index] ?? {}), 0);
  sizes.set(index, bytes);
  return bytes;
}

/** A table as a statement reads it. */
export interface ReadTable {
  readonly table: Table;
  readonly content: Content;
  /** Whether it is one of INFORMATION_SCHEMA. */
  readonly metadata: boolean;
}

/**
 * What BigQuery charges for the scans: the columns that are used of the partitions that cannot be left out, each once, at least
 * 10 MB for each table.
 * @param rewritten the table whose rows a DELETE or UPDATE writes anew: of it every column counts
 */
export function costOf(
  scans: readonly Scan[],
  tables: ReadonlyMap<string, ReadTable>,
  rewritten?: string,
): Cost {
  let bytesProcessed = 0;
  let bytesBilled = 0;
  for (const [name, read] of tables) {
    const own = scans.filter(({ table }) => table === name);
    const bytes = read.metadata ? metadataBytes : bytesOf(own, read, name === rewritten);
    bytesProcessed += bytes;
    if (own.length > 0) bytesBilled += Math.max(leastPerTable, Math.ceil(bytes / mebibyte) * mebibyte);
  }
  const isScanned = new Set(scans.map(({ table }) => table));
  const read = [...tables].flatMap(([name, { table }]) => (isScanned.has(name) ? [table] : []));
  return { bytesProcessed, bytesBilled: bytesProcessed === 0 ? 0 : bytesBilled, tables: read };
}

function bytesOf(scans: readonly Scan[], { table, content }: ReadTable, whole: boolean): number {
  let sum = 0;
  for (const [partition, rows] of byPartition(table, content)) {
    const reading = scans.filter(({ restrictions }) => isRead(restrictions, table, partition, rows[0]));
    if (reading.length === 0) continue;
    const names = namesOf(reading);
    table.columns.forEach(({ name, type }, index) => {
      if (whole || names.has(name.toLowerCase())) sum += columnBytes(rows, type, index);
    });
    // A pseudo column is as large as the instant or date that it is.
    sum += pseudoColumns(table).filter(({ name }) => names.has(name.toLowerCase())).length * 8 * rows.length;
  }
  return sum * table.weight;
}

const partitionsOf = new WeakMap<Content, ReadonlyMap<string, readonly Row[]>>();

/** The rows of each partition, by its id; of a table without partitions all are in one. */
export function byPartition(table: Table, content: Content): ReadonlyMap<string, readonly Row[]> {
  const known = partitionsOf.get(content);
  if (known !== undefined) return known;
  const partitions = new Map<string, Row[]>();
  partitionsOf.set(content, partitions);
  for (const row of content.rows) {
    const id = partitionOf(table, row);
    const rows = partitions.get(id);
    if (rows === undefined) partitions.set(id, [row]);
    else rows.push(row);
  }
  return partitions;
}

/**
 * The rows that the scans may see, with NULL in the columns that none of them uses: handing the engine a whole table takes it longer
 * than most queries of it.
 */
export function seenBy(scans: readonly Scan[], { table, content }: ReadTable): Content {
  const rows: Row[] = [];
  for (const [partition, own] of byPartition(table, content)) {
    const seeing = scans.filter(({ filters }) => isRead(filters, table, partition, own[0]));
    const names = namesOf(seeing);
    const used = table.columns.map(({ name }) => names.has(name.toLowerCase()));
    if (seeing.length === 0) continue;
    for (const row of own)
      rows.push({ ...row, cells: row.cells.map((cell, index) => (used[index] === true ? cell : {})) });
  }
  return { ...content, rows };
}

function namesOf(scans: readonly Scan[]): ReadonlySet<string> {
  return new Set(scans.flatMap(({ columns }) => columns.map((column) => column.toLowerCase())));
}

function isRead(
  restrictions: Scan["restrictions"],
  table: Table,
  partition: string,
  row: Row | undefined,
): boolean {
  if (table.partitioning === null || row === undefined || partition === "__UNPARTITIONED__") return true;
  const span = spanOf(table, row);
  return partitionColumns(table).every((name) =>
    (restrictions.get(name.toLowerCase()) ?? []).every((may) => may(span)),
  );
}

function partitionColumns(table: Table): readonly string[] {
  if (table.partitioning === null) return [];
  const { column } = table.partitioning;
  return column === null ? ["_PARTITIONTIME", "_PARTITIONDATE"] : [column];
}

/** What the partition of a row may hold. */
function spanOf(table: Table, row: Row): Span {
  if (table.partitioning === null) return null;
  const { column, unit, range } = table.partitioning;
  // All rows of a partition by ingestion hold the very start of it.
  if (column === null)
    return row.ingestedSeconds === null ? null : { first: row.ingestedSeconds, last: row.ingestedSeconds };
  const index = columnIndex(table, column);
  const seconds = secondsOf(row.cells[index] ?? {});
  if (seconds === null) return null;
  if (range !== undefined) {
    const low = seconds - ((seconds - range.start) % range.interval);
    return { first: low, last: low + range.interval - 1 };
  }
  const { first, next } = boundsOf(seconds, unit);
  return { first, last: next - (table.columns[index]?.type.kind === "DATE" ? 86_400 : 1) };
}

function boundsOf(seconds: number, unit: PartitionUnit): { readonly first: number; readonly next: number } {
  const at = new Date(seconds * 1000);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  const length = unit === "HOUR" ? 3600 : 86_400;
  if (unit === "YEAR") return { first: Date.UTC(year, 0) / 1000, next: Date.UTC(year + 1, 0) / 1000 };
  if (unit === "MONTH")
    return { first: Date.UTC(year, month) / 1000, next: Date.UTC(year, month + 1) / 1000 };
  const first = Math.floor(seconds / length) * length;
  return { first, next: first + length };
}

/** @throws BigQueryError `invalidQuery` where a table that requires a filter is read without one */
export function requireFilters(scans: readonly Scan[], tables: ReadonlyMap<string, ReadTable>): void {
  for (const scan of scans) {
    const table = tables.get(scan.table)?.table;
    if (table?.partitioning?.requireFilter !== true) continue;
    const columns = partitionColumns(table);
    if (columns.some((name) => scan.restrictions.has(name.toLowerCase()))) continue;
    const shown =
      table.partitioning.column === null
        ? ["_PARTITION_LOAD_TIME", "_PARTITIONDATE", "_PARTITIONTIME"]
        : columns;
    const list = shown.map((name) => `'${name}'`).join(", ");
    throw new BigQueryError(
      "invalidQuery",
      `Cannot query over table '${scan.table}' without a filter over column(s) ${list} that can be used for partition elimination`,
      "query",
    );
  }
}
