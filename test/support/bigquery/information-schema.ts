import { byPartition, rowBytes } from "./cost.ts";
import { newTable, type Table } from "./tables.ts";
import { typeName } from "./types.ts";
import type { InputValue } from "./values.ts";

/** The dataset in the name of a table that was made for a look at metadata. */
export const metadataDataset = (dataset: string) => `${dataset}.INFORMATION_SCHEMA`;

/** A view of INFORMATION_SCHEMA as it is now; undefined for one that this server has not. */
export function metadataTable(
  projectId: string,
  dataset: string,
  tables: readonly Table[],
  view: string,
): Table | undefined {
  const make = views[view.toUpperCase()];
  if (make === undefined) return undefined;
  const head = (table: Table): Readonly<Record<string, InputValue>> => ({
    table_catalog: projectId,
    table_schema: dataset,
    table_name: table.name,
  });
  const rows = tables.flatMap((table) => make.rowsOf(table).map((row) => ({ ...head(table), ...row })));
  const columns = { table_catalog: "STRING", table_schema: "STRING", table_name: "STRING", ...make.columns };
  const made = newTable({
    name: `${dataset}.${view.toUpperCase()}`,
    columns,
    rows: rows.map((row) =>
      Object.keys(columns).map((name) => new Map(Object.entries(row)).get(name) ?? null),
    ),
  });
  return { ...made, dataset: metadataDataset(dataset) };
}

interface MetadataView {
  readonly columns: Readonly<Record<string, string>>;
  rowsOf(table: Table): readonly Readonly<Record<string, InputValue>>[];
}

const views: Partial<Record<string, MetadataView>> = {
  PARTITIONS: {
    columns: {
      partition_id: "STRING",
      total_rows: "INT64",
      total_logical_bytes: "INT64",
      total_billable_bytes: "INT64",
      last_modified_time: "TIMESTAMP",
      storage_tier: "STRING",
    },
    rowsOf: partitionRows,
  },
  TABLES: {
    columns: {
      table_type: "STRING",
      is_insertable_into: "STRING",
      is_typed: "STRING",
      creation_time: "TIMESTAMP",
    },
    rowsOf: (table) => [
      {
        table_type: table.view === null ? "BASE TABLE" : "VIEW",
        is_insertable_into: table.view === null ? "YES" : "NO",
        is_typed: "NO",
        creation_time: new Date(table.createdMs).toISOString(),
      },
    ],
  },
  COLUMNS: {
    columns: {
      column_name: "STRING",
      ordinal_position: "INT64",
      is_nullable: "STRING",
      data_type: "STRING",
      is_hidden: "STRING",
      is_system_defined: "STRING",
      is_partitioning_column: "STRING",
      clustering_ordinal_position: "INT64",
    },
    rowsOf: columnRows,
  },
};

/** No rows for empty partitions and views; NULL for the partition of a table that has none. */
function partitionRows(table: Table): readonly Readonly<Record<string, InputValue>>[] {
  if (table.view !== null) return [];
  const { content } = table;
  const rows = [...byPartition(table, content)].map(([id, all]) => {
    // What is in the streaming buffer of a table without partitions is in no count.
    const counted = table.partitioning === null ? all.filter(({ buffered }) => !buffered) : all;
    return {
      partition_id: id === "" ? null : id,
      total_rows: counted.length,
      total_logical_bytes: counted.reduce((sum, row) => sum + rowBytes(table, row), 0),
      last_modified_time: new Date(content.partitionModifiedMs.get(id) ?? content.modifiedMs).toISOString(),
    };
  });
  const empty = { partition_id: null, total_rows: 0, total_logical_bytes: 0 };
  const listed =
    rows.length > 0 || table.partitioning !== null
      ? rows
      : [{ ...empty, last_modified_time: new Date(content.modifiedMs).toISOString() }];
  return listed.map((row) => ({
    ...row,
    total_billable_bytes: row.total_logical_bytes,
    storage_tier: "ACTIVE",
  }));
}

function columnRows(table: Table): readonly Readonly<Record<string, InputValue>>[] {
  return table.columns.map(({ name, type, required }, index) => {
    const clustered = table.clustering.indexOf(name);
    return {
      column_name: name,
      ordinal_position: index + 1,
      is_nullable: required === true ? "NO" : "YES",
      data_type: typeName(type),
      is_hidden: "NO",
      is_system_defined: "NO",
      is_partitioning_column: table.partitioning?.column?.toLowerCase() === name.toLowerCase() ? "YES" : "NO",
      clustering_ordinal_position: clustered === -1 ? null : clustered + 1,
    };
  });
}
