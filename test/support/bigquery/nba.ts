import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { DateRange } from "../../../src/core/iso-date.ts";
import { buildDemoWarehouse } from "../../../src/demo/build.ts";
import { withDemoWarehouse } from "../../../src/demo/open.ts";
import type { TableDefinition } from "./tables.ts";

/** Those of the example's tables that refuse a query without a filter on their date. */
const filteredTables: ReadonlySet<string> = new Set([
  "nba_raw.nbac_schedule",
  "nba_raw.bdl_player_boxscores",
  "nba_raw.nbac_team_boxscore",
  "nba_analytics.team_offense_game_summary",
  "nba_predictions.ml_feature_store_v2",
  "nba_predictions.player_prop_predictions",
  "nba_predictions.prediction_accuracy",
]);

/** How the views over which the demo's source is computed are made; no repair reads them. */
const inwardTables = ["nba_source.rosters", "nba_source.team_games", "nba_source.listed_players"];

const bigQueryTypes: Readonly<Record<string, string>> = {
  VARCHAR: "STRING",
  INTEGER: "INT64",
  BIGINT: "INT64",
  DOUBLE: "FLOAT64",
  BOOLEAN: "BOOL",
  DATE: "DATE",
  "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
};

/** Builds the demo's warehouse of a range of dates, both ends included, hands it to `work` and removes it. */
export async function withNbaWarehouse<T>(
  dates: DateRange,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-bigquery-"));
  try {
    const path = join(folder, "nba.duckdb");
    await buildDemoWarehouse(path, dates);
    return await withDemoWarehouse(path, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Every table of a demo's warehouse as BigQuery has it, partitioned by day; the views of what can be scraped become tables,
 * as nothing but DuckDB computes them.
 */
export async function readTables(connection: DuckDBConnection): Promise<readonly TableDefinition[]> {
  const reader = await connection.runAndReadAll(
    `select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema like 'nba\\_%' escape '\\' order by name`,
  );
  const definitions: TableDefinition[] = [];
  for (const { name } of reader.getRowObjectsJson()) {
    if (typeof name === "string" && !inwardTables.includes(name))
      definitions.push(await readTable(connection, name));
  }
  return definitions;
}

async function readTable(connection: DuckDBConnection, name: string): Promise<TableDefinition> {
  const reader = await connection.runAndReadAll(`select * from ${name}`);
  const columns = reader.columnNames().map((column, index) => {
    return [column, typeOf(reader.columnType(index).toString())] as const;
  });
  const [date] = columns.find(([, type]) => type === "DATE") ?? [];
  return {
    name,
    columns: Object.fromEntries(columns),
    ...(date !== undefined && { partition: { column: date, requireFilter: filteredTables.has(name) } }),
    rows: reader.getRowsJson(),
  };
}

function typeOf(type: string): string {
  const found = bigQueryTypes[type];
  if (found === undefined) throw new Error(`expected a type with a counterpart in BigQuery, found ${type}`);
  return found;
}
