/**
 * What a survey of the example on BigQuery is billed, by BigQuery's documented rules, beside what runbooks do.
 *
 * The tables of examples/nba on the local BigQuery, one and four seasons of 164 dates, written by the adapter's REST calls and
 * billed as the columns that are read × their rows × the documented sizes, at least 10 MB for each table of a statement. A
 * stored row stands for as many as the real table has on a date, so that the rows fit in memory and the bytes are real.
 * Baseline: the runbooks' way, one UNION ALL of counts per date over the full tables. Measured: the first survey, one of a
 * quiet cycle, and one after a partition of each of three tables changed. `changed` are tables that no other expectation reads;
 * `changed_widely` are such that others are compared with, so that more than the three tables have to be read.
 */
import { createBigQueryWarehouse } from "../src/adapters/bigquery/warehouse.ts";
import { loadConfig } from "../src/config/load-config.ts";
import { addDays, type IsoDate, parseIsoDate } from "../src/core/iso-date.ts";
import { type Pipeline, tableText } from "../src/core/pipeline.ts";
import type { Warehouse } from "../src/reconcile/ports.ts";
import { type BigQueryServer, startBigQuery } from "../test/support/bigquery/server.ts";
import type { Benchmark } from "./measure.ts";

const datesPerSeason = 164;
const seasonStarts = ["2021-10-19", "2022-10-18", "2023-10-24", "2024-10-22"].map(parseIsoDate);
const lastDate = parseIsoDate("2025-06-30");
/** Rows on a date where it is neither of these: two for each of seven games. */
const rowsPerTeamTable = 15;
const rowsPerDate: Readonly<Record<string, number>> = {
  nbac_schedule: 8,
  bdl_player_boxscores: 260,
  nbac_gamebook_player_stats: 260,
  odds_api_player_points_props: 255,
  player_game_summary: 157,
  upcoming_player_game_context: 255,
  team_defense_zone_analysis: 30,
  player_shot_zone_analysis: 400,
  player_composite_factors: 255,
  player_daily_cache: 130,
  ml_feature_store_v2: 255,
  player_prop_predictions: 510,
  prediction_accuracy: 500,
  precompute_failures: 100,
};
/** Columns of the example with their type and a value; a table has those that are read of it. */
const columns = {
  season: ["STRING", "2023-24"],
  game_id: ["STRING", "0022300123"],
  game_status: ["INT64", 3],
  player_lookup: ["STRING", "giannisantetokounmpo"],
  entity_id: ["STRING", "giannisantetokounmpo"],
  team_abbr: ["STRING", "MIL"],
  defending_team: ["STRING", "MIL"],
  opponent: ["STRING", "BOS"],
  system_id: ["STRING", "ensemble_v2"],
  processor_name: ["STRING", "player_shot_zone_analysis"],
  failure_category: ["STRING", "INSUFFICIENT_DATA"],
  minutes: ["FLOAT64", 34.5],
  points: ["INT64", 31],
  points_avg_last_10: ["FLOAT64", 28.4],
  fatigue_score: ["FLOAT64", 55],
  completeness_pct: ["FLOAT64", 97],
  feature_quality_score: ["FLOAT64", 88],
  confidence: ["FLOAT64", 0.7],
  processed_at: ["TIMESTAMP", "2024-01-02 10:00:00"],
} as const;

const readByNone = ["odds_api_player_points_props", "team_defense_zone_analysis", "player_daily_cache"];
const readByOthers = ["player_game_summary", "upcoming_player_game_context", "ml_feature_store_v2"];

export async function scanBytesBenchmarks(): Promise<readonly Benchmark[]> {
  const file = new URL("../examples/nba/pipeline.yaml", import.meta.url).pathname;
  const { pipeline } = await loadConfig({ file, target: null, env: {} });
  const benchmarks: Benchmark[] = [];
  for (const seasons of [1, 4]) {
    const server = await startBigQuery();
    try {
      benchmarks.push(...(await measure(server, pipeline, seasons)));
    } finally {
      await server.stop();
    }
  }
  return benchmarks;
}

async function measure(
  server: BigQueryServer,
  pipeline: Pipeline,
  seasons: number,
): Promise<readonly Benchmark[]> {
  const dates = datesOf(seasons);
  defineTables(server, pipeline, dates);
  const warehouse = openWarehouse(server, pipeline);
  const survey = () => surveyedBytes(warehouse, pipeline);
  const changeIn = (names: readonly string[]) => {
    for (const name of names) insertRow(server, pipeline, name, dates.at(-3));
  };
  const first = await survey();
  const quiet = await survey();
  changeIn(readByNone);
  const changed = await survey();
  changeIn(readByOthers);
  const widely = await survey();
  const runbook = await runbookBytes(server, pipeline);
  const figures = { first, quiet, changed, changed_widely: widely, runbook };
  return Object.entries(figures).map(([name, value]) => ({
    name: `scan_bytes_${name}${seasons === 1 ? "_of_1_season" : ""}`,
    value,
    unit: "B",
    baseline: runbook,
    ratio: Math.round((value / runbook) * 100) / 100,
  }));
}

function datesOf(seasons: number): readonly IsoDate[] {
  return seasonStarts
    .slice(-seasons)
    .flatMap((start) => Array.from({ length: datesPerSeason }, (_, day) => addDays(start, day)));
}

interface TableSketch {
  readonly name: string;
  readonly dateColumn: string;
  /** All that the config says of it, in which the columns that are read have their names. */
  readonly text: string;
}

function tablesOf({ schedules, processors }: Pipeline): readonly TableSketch[] {
  const sketches: TableSketch[] = [];
  for (const { source } of schedules) {
    if (source.kind !== "table") continue;
    sketches.push({ name: tableText(source.table), dateColumn: source.dateColumn, text: textOf(source) });
  }
  for (const processor of processors) {
    const { table, dateColumn, writtenAtColumn, expect } = processor;
    // Others are compared with it by these.
    const text = textOf([writtenAtColumn, expect, "player_lookup"]);
    sketches.push({ name: tableText(table), dateColumn, text });
    const excusedBy = expect.coverage?.excusedBy ?? null;
    if (excusedBy === null) continue;
    const { table: excuses, dateColumn: excusedOn } = excusedBy;
    sketches.push({ name: tableText(excuses), dateColumn: excusedOn, text: textOf(excusedBy) });
  }
  return sketches;
}

const textOf = (said: unknown) => JSON.stringify(said);

function columnsOf({ text }: TableSketch) {
  return Object.entries(columns).filter(([name]) => text.includes(name));
}

function rowOf(table: TableSketch, date: IsoDate): readonly (string | number)[] {
  return [date, ...columnsOf(table).map(([, [, value]]) => value)];
}

function defineTables(server: BigQueryServer, pipeline: Pipeline, dates: readonly IsoDate[]): void {
  for (const table of tablesOf(pipeline)) {
    const { name, dateColumn } = table;
    const types = columnsOf(table).map(([column, [type]]) => [column, type] as const);
    server.define({
      name,
      columns: { [dateColumn]: "DATE", ...Object.fromEntries(types) },
      partition: { column: dateColumn },
      rows: dates.map((date) => rowOf(table, date)),
      weight: rowsPerDate[name.split(".")[1] ?? ""] ?? rowsPerTeamTable,
    });
  }
}

function insertRow(
  server: BigQueryServer,
  pipeline: Pipeline,
  name: string,
  date: IsoDate | undefined,
): void {
  const table = tablesOf(pipeline).find((one) => one.name.endsWith(`.${name}`));
  if (table === undefined || date === undefined) throw new Error(`the example has no table ${name}`);
  server.insert(table.name, [rowOf(table, date)]);
}

function openWarehouse(server: BigQueryServer, pipeline: Pipeline): Warehouse {
  return createBigQueryWarehouse({
    project: server.projectId,
    location: server.location,
    pipeline: pipeline.name,
    target: null,
    timezone: pipeline.timezone,
    processors: pipeline.processors,
    schedules: pipeline.schedules,
    maximumBytesBilled: null,
    apiEndpoint: server.url,
    // One time for all of it, so that no full profile falls due in between.
    clock: () => Date.parse(lastDate),
  });
}

/** All processors must be seen whole, or something else was measured. */
async function surveyedBytes(warehouse: Warehouse, { processors, schedules }: Pipeline): Promise<number> {
  const [start = lastDate] = seasonStarts;
  const range = { start, end: lastDate };
  const found = await warehouse.survey({ processors, schedules, range, budgetBytes: Infinity });
  for (const [name, observation] of found.processors) {
    if (observation.kind === "failed" || observation.unseen !== null || observation.profile.days.length === 0)
      throw new Error(`expected to see all of ${name}, found ${JSON.stringify(observation)}`);
  }
  return found.scanBytes;
}

async function runbookBytes(server: BigQueryServer, pipeline: Pipeline): Promise<number> {
  const counts = pipeline.processors.map(
    ({ name, table, dateColumn }) =>
      `select '${name}' as t, ${dateColumn} as d, count(*) as n from ${tableText(table)} group by d`,
  );
  const response = await fetch(`${server.url}/bigquery/v2/projects/${server.projectId}/queries`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: counts.join(" union all "), useLegacySql: false }),
  });
  if (!response.ok) throw new Error(await response.text());
  return server.stats.queries.at(-1)?.bytesBilled ?? 0;
}
