import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type DuckDBConnection, DuckDBDateValue, listValue } from "@duckdb/node-api";
import { type DateRange, toDay } from "../core/iso-date.ts";
import { ReconcilerError } from "../errors.ts";
import { boundsOf, range } from "./damage.ts";
import { withDemoWarehouse } from "./open.ts";
import { demoSchedule, demoTeams } from "./schedule.ts";
import { type DemoTable, demoTables, readRepair } from "./tables.ts";

/** The demo's history; both ends included. */
export const demoRange: DateRange = range("2021-10-19", "2025-06-22");

/**
 * Makes a complete warehouse in a new DuckDB file: the schedule and what the scrapers could fetch are made up, every other table
 * is what the example's own repairs compute. Every call gives the same rows.
 *
 * @param dates the history, both ends included; four seasons unless given. Let it start with a season: what happened before
 * it is nowhere.
 * @throws ReconcilerError `usage` where the file exists already.
 */
export async function buildDemoWarehouse(path: string, dates: DateRange = demoRange): Promise<void> {
  if (existsSync(path)) {
    throw new ReconcilerError("usage", `expected a path for a new warehouse, found a file at ${path}`, {
      path,
      hint: "name another path, or remove the file",
    });
  }
  await withDemoWarehouse(path, async (connection) => {
    await createSource(connection);
    await fillSchedule(connection, dates);
    for (const table of demoTables) await fillTable(connection, table, dates);
    await fillFailures(connection);
    await connection.run("checkpoint");
  });
}

async function createSource(connection: DuckDBConnection): Promise<void> {
  const script = await readFile(new URL("source.sql", import.meta.url), "utf8");
  const extracted = await connection.extractStatements(script);
  for (let index = 0; index < extracted.count; index += 1) {
    const statement = await extracted.prepare(index);
    if (statement.parameterCount > 0) statement.bind({ teams: listValue([...demoTeams]) });
    await statement.run();
  }
}

async function fillSchedule(connection: DuckDBConnection, { start, end }: DateRange): Promise<void> {
  const appender = await connection.createAppender("nbac_schedule", "nba_raw");
  for (const game of demoSchedule()) {
    if (game.gameDate < start || game.gameDate > end) continue;
    appender.appendVarchar(game.gameId);
    appender.appendDate(new DuckDBDateValue(toDay(game.gameDate)));
    appender.appendVarchar(game.season);
    appender.appendInteger(game.gameStatus);
    appender.appendVarchar(game.homeTeam);
    appender.appendVarchar(game.awayTeam);
    appender.endRow();
  }
  appender.closeSync();
}

/** As the repair computes it, but written in the night after the games instead of now. */
async function fillTable(connection: DuckDBConnection, table: DemoTable, dates: DateRange): Promise<void> {
  const repair = await readRepair(table.processor);
  await connection.run(
    `create table ${table.dataset}.${table.processor} as
    select * replace (
      (${table.dateColumn} + interval 1 day + interval ${table.writtenAtMinute} minutes)::timestamptz as processed_at
    )
    from (${repair})
    order by ${table.dateColumn}`,
    boundsOf(dates),
  );
}

/** Players whom the shot zones leave out because they have played too little, as the job that fills them reports. */
async function fillFailures(connection: DuckDBConnection): Promise<void> {
  await connection.run(`
    create table nba_processing.precompute_failures as
    with days as (select distinct season, analysis_date from nba_precompute.player_shot_zone_analysis),
    debuts as (
      select season, player_lookup, min(game_date) as first_game_date
      from nba_analytics.player_game_summary
      group by all
    )
    select
      'player_shot_zone_analysis' as processor_name,
      days.analysis_date,
      debuts.player_lookup as entity_id,
      'INSUFFICIENT_DATA' as failure_category,
      (days.analysis_date + interval 1 day + interval 460 minutes)::timestamptz as created_at
    from days
    join debuts on debuts.season = days.season and debuts.first_game_date <= days.analysis_date
    anti join nba_precompute.player_shot_zone_analysis as zones
      on zones.analysis_date = days.analysis_date and zones.player_lookup = debuts.player_lookup
    order by all`);
}
