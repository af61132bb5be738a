import { BigQueryError } from "./errors.ts";
import { type Column, parseType, type SqlType } from "./types.ts";
import { type InputValue, isNull, microsOf, toProto, type ValueProto } from "./values.ts";

export type PartitionUnit = "HOUR" | "DAY" | "MONTH" | "YEAR";

export interface Partitioning {
  readonly unit: PartitionUnit;
  /** Null for a table that is partitioned by the time of ingestion. */
  readonly column: string | null;
  readonly requireFilter: boolean;
  /** By ranges of whole numbers instead of time. */
  readonly range?: NumberRange;
  /** Told as it was given; nothing expires here. */
  readonly expirationMs?: string;
}

/** A unit of time is of no meaning then. */
export function numberPartitioning(column: string, start = 0, end = 0, interval = 1): Partitioning {
  return { unit: "DAY", column, requireFilter: false, range: { start, end, interval } };
}

/** `end` is in no range. */
export interface NumberRange {
  readonly start: number;
  readonly end: number;
  readonly interval: number;
}

export interface Row {
  /** Tells rows apart for the engine; never shown. */
  readonly id: number;
  readonly cells: readonly ValueProto[];
  /** The partition, in seconds since 1970, of a row of a table that is partitioned by ingestion. */
  readonly ingestedSeconds: number | null;
  /** Whether it is still in the streaming buffer: visible to queries, in no partition, out of reach for DML. */
  readonly buffered: boolean;
}

/** What a table held at one time; never changed, so that a snapshot is a reference. */
export interface Content {
  readonly rows: readonly Row[];
  readonly modifiedMs: number;
  /** How many statements or transactions have deleted or updated rows so far. */
  readonly mutations: number;
  /** When each partition was last written; one whose last row was deleted is gone, as in BigQuery. */
  readonly partitionModifiedMs: ReadonlyMap<string, number>;
}

export interface Table {
  readonly dataset: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly partitioning: Partitioning | null;
  readonly clustering: readonly string[];
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The SQL of a view; null for a table. */
  readonly view: string | null;
  readonly createdMs: number;
  /** As in `TableDefinition`. */
  readonly weight: number;
  content: Content;
}

/** A table as tests define it. */
export interface TableDefinition {
  /** `dataset.table`; the dataset is made where it is not there. */
  readonly name: string;
  /** Types in BigQuery's SQL (`DATE`, `array<string>`), with ` not null` behind it for a required column. */
  readonly columns: Readonly<Record<string, string>>;
  readonly rows?: readonly (readonly InputValue[])[];
  /** The column, or null for the time of ingestion; by day unless said otherwise. */
  readonly partition?: {
    readonly column: string | null;
    readonly unit?: PartitionUnit;
    readonly requireFilter?: boolean;
    readonly range?: NumberRange;
  };
  readonly clustering?: readonly string[];
  readonly description?: string;
  /** How many rows of its size each row stands for where bytes are counted, so that a large table can be a small one; 1 unless given. */
  readonly weight?: number;
}

let lastRowId = 0;
let lastMs = 0;

/** This machine's clock, moved on so that no two modifications share an instant. */
function nextMs(): number {
  lastMs = Math.max(Date.now(), lastMs + 1);
  return lastMs;
}

export function newTable(definition: TableDefinition): Table {
  const [dataset = "", name, ...rest] = definition.name.split(".");
  if (name === undefined || rest.length > 0)
    throw new Error(`a table is named dataset.table, found ${definition.name}`);
  const createdMs = nextMs();
  const { partition } = definition;
  const table: Table = {
    dataset,
    name,
    columns: Object.entries(definition.columns).map(([column, text]) => {
      const type = text.replace(/\s+not\s+null\s*$/i, "");
      return { name: column, type: parseType(type), ...(type === text ? {} : { required: true }) };
    }),
    partitioning:
      partition === undefined
        ? null
        : {
            unit: partition.unit ?? "DAY",
            column: partition.column,
            requireFilter: partition.requireFilter ?? false,
            ...(partition.range === undefined ? {} : { range: partition.range }),
          },
    clustering: definition.clustering ?? [],
    description: definition.description ?? null,
    labels: {},
    view: null,
    createdMs,
    weight: definition.weight ?? 1,
    content: emptyContent(createdMs),
  };
  if (definition.rows !== undefined) table.content = withRows(table, makeRows(table, definition.rows));
  return table;
}

function emptyContent(modifiedMs: number): Content {
  return { rows: [], modifiedMs, mutations: 0, partitionModifiedMs: new Map() };
}

/**
 * Rows as tests write them, made into those of a table.
 * @param partition the instant of ingestion, as `2024-01-02` or `2024-01-02 05:00`; now unless given
 */
export function makeRows(
  table: Table,
  rows: readonly (readonly InputValue[])[],
  { partition, buffered = false }: { readonly partition?: string; readonly buffered?: boolean } = {},
): readonly Row[] {
  const seconds = partition === undefined ? null : secondsOf(toProto({ kind: "TIMESTAMP" }, partition));
  return rows.map((values) => {
    if (values.length !== table.columns.length)
      throw new Error(`${table.name} has ${table.columns.length} columns, found ${JSON.stringify(values)}`);
    const cells = table.columns.map(({ type }, index) => toProto(type, values[index] ?? null));
    return newRow(table, cells, seconds, buffered);
  });
}

/** @param ingested when, in seconds since 1970, for a table that is partitioned by it; now unless given */
export function newRow(
  table: Table,
  cells: readonly ValueProto[],
  ingested: number | null = null,
  buffered = false,
): Row {
  table.columns.forEach(({ name, required }, index) => {
    if (required === true && isNull(cells[index] ?? {}))
      throw new BigQueryError("invalidQuery", `Required field ${name} cannot be null`, "query");
  });
  lastRowId += 1;
  const { partitioning } = table;
  if (partitioning === null || partitioning.column !== null || buffered)
    return { id: lastRowId, cells, ingestedSeconds: null, buffered };
  const seconds = ingested ?? Math.floor(Date.now() / 1000);
  return { id: lastRowId, cells, ingestedSeconds: truncate(seconds, partitioning.unit), buffered };
}

function truncate(seconds: number, unit: PartitionUnit): number {
  const length = { HOUR: 13, DAY: 10, MONTH: 7, YEAR: 4 }[unit];
  const text = new Date(seconds * 1000).toISOString().slice(0, length);
  return Date.parse(text + "2000-01-01T00:00:00Z".slice(length)) / 1000;
}

/** The content with more rows; their partitions are modified now. */
export function withRows(table: Table, added: readonly Row[], content = table.content): Content {
  return changed(table, content, [...content.rows, ...added], added);
}

/** The content with other rows. @param touched the rows, old and new, whose partitions are modified. */
export function changed(
  table: Table,
  content: Content,
  rows: readonly Row[],
  touched: readonly Row[],
): Content {
  const now = nextMs();
  const partitionModifiedMs = new Map(content.partitionModifiedMs);
  for (const row of touched) partitionModifiedMs.set(partitionOf(table, row), now);
  const kept = new Set(rows.map((row) => partitionOf(table, row)));
  for (const id of partitionModifiedMs.keys()) if (!kept.has(id)) partitionModifiedMs.delete(id);
  return { rows, modifiedMs: now, mutations: content.mutations, partitionModifiedMs };
}

/** The `partition_id` of a row; empty for a table without partitions. */
export function partitionOf(table: Table, row: Row): string {
  const { partitioning } = table;
  if (row.buffered && partitioning !== null) return "__UNPARTITIONED__";
  if (partitioning === null) return "";
  if (partitioning.column === null) return partitionId(row.ingestedSeconds, partitioning.unit);
  const value = secondsOf(row.cells[columnIndex(table, partitioning.column)] ?? {});
  return partitioning.range === undefined
    ? partitionId(value, partitioning.unit)
    : rangeId(value, partitioning.range);
}

function rangeId(value: number | null, { start, end, interval }: NumberRange): string {
  if (value === null) return "__NULL__";
  if (value < start || value >= end) return "__UNPARTITIONED__";
  return String(start + Math.floor((value - start) / interval) * interval);
}

/** Rows share few partitions, and every query asks for that of every row. */
const partitionIds = new Map<string, string>();

function partitionId(seconds: number | null, unit: PartitionUnit): string {
  if (seconds === null) return "__NULL__";
  const key = `${unit}${seconds}`;
  const known = partitionIds.get(key);
  if (known !== undefined) return known;
  const length = { HOUR: 10, DAY: 8, MONTH: 6, YEAR: 4 }[unit];
  const id = new Date(seconds * 1000).toISOString().replace(/\D/g, "").slice(0, length);
  partitionIds.set(key, id);
  return id;
}

/** Seconds since 1970 of a date, an instant or a local time, a number as it is, and null for NULL. */
export function secondsOf(value: ValueProto): number | null {
  if (value.dateValue !== undefined) return value.dateValue * 86_400;
  if (value.timestampValue !== undefined) return Number(microsOf(value.timestampValue) / 1_000_000n);
  if (value.int64Value !== undefined) return Number(value.int64Value.toString());
  if (value.datetimeValue === undefined) return null;
  const packed = BigInt(value.datetimeValue.bitFieldDatetimeSeconds.toString());
  const part = (shift: bigint, width: bigint) => Number((packed >> shift) & ((1n << width) - 1n));
  const day = Date.UTC(part(26n, 14n), part(22n, 4n) - 1, part(17n, 5n)) / 1000;
  return day + part(12n, 5n) * 3600 + part(6n, 6n) * 60 + part(0n, 6n);
}

export function columnIndex(table: Table, name: string): number {
  return table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
}

/** Columns that queries may name and `select *` leaves out, with their values in a row. */
export function pseudoColumns(
  table: Table,
): readonly { readonly name: string; readonly type: SqlType; readonly valueOf: (row: Row) => ValueProto }[] {
  if (table.partitioning === null || table.partitioning.column !== null) return [];
  const time = {
    name: "_PARTITIONTIME",
    type: { kind: "TIMESTAMP" } as const,
    valueOf: ({ ingestedSeconds }: Row): ValueProto =>
      ingestedSeconds === null ? {} : { timestampValue: { seconds: String(ingestedSeconds), nanos: 0 } },
  };
  if (table.partitioning.unit !== "DAY") return [time];
  const date = {
    name: "_PARTITIONDATE",
    type: { kind: "DATE" } as const,
    valueOf: ({ ingestedSeconds }: Row): ValueProto =>
      ingestedSeconds === null ? {} : { dateValue: ingestedSeconds / 86_400 },
  };
  return [time, date];
}
