import { rowBytes } from "./cost.ts";
import { newTable, numberPartitioning, type Partitioning, type PartitionUnit, type Table } from "./tables.ts";
import { fromSchemaField, type SchemaField, toSchemaField } from "./types.ts";
import type { Warehouse } from "./warehouse.ts";

/** A table as requests carry it. */
export interface TableBody {
  readonly tableReference?: { readonly tableId?: string };
  readonly schema?: { readonly fields?: readonly SchemaField[] };
  readonly timePartitioning?: {
    readonly type?: string;
    readonly field?: string;
    readonly requirePartitionFilter?: boolean;
    readonly expirationMs?: string;
  };
  readonly rangePartitioning?: {
    readonly field: string;
    readonly range: { readonly start: string; readonly end: string; readonly interval: string };
  };
  readonly requirePartitionFilter?: boolean;
  readonly clustering?: { readonly fields?: readonly string[] };
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly view?: { readonly query: string };
}

export function tableFromBody(dataset: string, name: string, body: TableBody): Table {
  return patchTable(newTable({ name: `${dataset}.${name}`, columns: {} }), body);
}

/** The table with what the body says; the rows of new columns hold NULL there. */
export function patchTable(table: Table, body: TableBody): Table {
  const { schema, requirePartitionFilter, clustering, description, labels, view } = body;
  const partitioning = partitioningFrom(body) ?? table.partitioning;
  return {
    ...table,
    columns: schema?.fields?.map(fromSchemaField) ?? table.columns,
    partitioning:
      partitioning === null || requirePartitionFilter === undefined
        ? partitioning
        : { ...partitioning, requireFilter: requirePartitionFilter },
    clustering: clustering?.fields ?? table.clustering,
    description: description ?? table.description,
    labels: labels ?? table.labels,
    view: view?.query ?? table.view,
  };
}

function partitioningFrom({
  timePartitioning: time,
  rangePartitioning: ranges,
}: TableBody): Partitioning | null {
  if (time !== undefined) {
    return {
      unit: (time.type ?? "DAY") as PartitionUnit,
      column: time.field ?? null,
      requireFilter: time.requirePartitionFilter ?? false,
      ...(time.expirationMs === undefined ? {} : { expirationMs: time.expirationMs }),
    };
  }
  if (ranges === undefined) return null;
  const [start, end, interval] = [ranges.range.start, ranges.range.end, ranges.range.interval].map(Number);
  return numberPartitioning(ranges.field, start, end, interval);
}

/** A table as `tables.list` has it. */
export function tableSummary({ projectId }: Warehouse, table: Table): object {
  const { partitioning, clustering } = table;
  return {
    kind: "bigquery#table",
    id: `${projectId}:${table.dataset}.${table.name}`,
    tableReference: { projectId, datasetId: table.dataset, tableId: table.name },
    type: table.view === null ? "TABLE" : "VIEW",
    creationTime: String(table.createdMs),
    ...(partitioning === null
      ? {}
      : partitioning.range !== undefined
        ? {
            rangePartitioning: {
              field: partitioning.column,
              range: {
                start: String(partitioning.range.start),
                end: String(partitioning.range.end),
                interval: String(partitioning.range.interval),
              },
            },
            requirePartitionFilter: partitioning.requireFilter,
          }
        : {
            timePartitioning: {
              type: partitioning.unit,
              ...(partitioning.column === null ? {} : { field: partitioning.column }),
              ...(partitioning.requireFilter ? { requirePartitionFilter: true } : {}),
              ...(partitioning.expirationMs === undefined ? {} : { expirationMs: partitioning.expirationMs }),
            },
            requirePartitionFilter: partitioning.requireFilter,
          }),
    ...(clustering.length === 0 ? {} : { clustering: { fields: clustering } }),
    ...(Object.keys(table.labels).length === 0 ? {} : { labels: table.labels }),
  };
}

/** A table as `tables.get` answers it; the counts leave out the streaming buffer. */
export function tableResource(warehouse: Warehouse, table: Table): object {
  const stored = table.content.rows.filter(({ buffered }) => !buffered);
  const buffered = table.content.rows.filter((row) => row.buffered);
  const bytesOf = (rows: typeof stored) => rows.reduce((sum, row) => sum + rowBytes(table, row), 0);
  return {
    ...tableSummary(warehouse, table),
    location: warehouse.location,
    schema: { fields: table.columns.map(toSchemaField) },
    ...(table.description === null ? {} : { description: table.description }),
    ...(table.view === null ? {} : { view: { query: table.view, useLegacySql: false } }),
    numRows: String(stored.length),
    numBytes: String(bytesOf(stored)),
    lastModifiedTime: String(table.content.modifiedMs),
    ...(buffered.length === 0
      ? {}
      : {
          streamingBuffer: {
            estimatedRows: String(buffered.length),
            estimatedBytes: String(bytesOf(buffered)),
            oldestEntryTime: String(table.content.modifiedMs),
          },
        }),
  };
}
