import { rowBytes } from "./cost.ts";
import { newTable, type PartitionUnit, type Table } from "./tables.ts";
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
  const { schema, timePartitioning, requirePartitionFilter, clustering, description, labels, view } = body;
  const partitioning =
    timePartitioning === undefined
      ? table.partitioning
      : {
          unit: (timePartitioning.type ?? "DAY") as PartitionUnit,
          column: timePartitioning.field ?? null,
          requireFilter: timePartitioning.requirePartitionFilter ?? false,
          ...(timePartitioning.expirationMs === undefined
            ? {}
            : { expirationMs: timePartitioning.expirationMs }),
        };
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
