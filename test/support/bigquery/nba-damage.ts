import type { DuckDBConnection } from "@duckdb/node-api";
import type { DateRange } from "../../../src/core/iso-date.ts";
import { boundsOf, deleteRows, range } from "../../../src/demo/damage.ts";
import { demoTables } from "../../../src/demo/tables.ts";

/** The history of the local BigQuery; both ends included. It starts with a season and ends when every table has filled up. */
export const nbaDates: DateRange = range("2024-10-22", "2024-12-02");

interface Damage {
  /** What happened, in one sentence. */
  readonly story: string;
  readonly dates: DateRange;
  /** The tables from which rows are deleted, and which of their rows; all of the dates unless said. */
  readonly processors: readonly string[];
  readonly condition?: string;
}

const damages: readonly Damage[] = [
  {
    story: "A scraper was down: no team box scores, and nothing of what is computed from them.",
    dates: range("2024-11-04", "2024-11-06"),
    processors: ["nbac_team_boxscore", "team_offense_game_summary", "team_defense_game_summary"],
  },
  {
    story: "One game of a night is missing, in three tables; a count per night does not notice.",
    dates: range("2024-11-13", "2024-11-13"),
    processors: ["bdl_player_boxscores", "nbac_gamebook_player_stats", "player_game_summary"],
    condition: "game_id = (select max(game_id) from nba_raw.nbac_schedule where game_date = $start_date)",
  },
  {
    story: "Raw data came by a backfill, which sends no event: nothing after phase 2 ever ran.",
    dates: range("2024-11-19", "2024-11-21"),
    processors: demoTables.flatMap(({ dataset, processor }) => (dataset === "nba_raw" ? [] : [processor])),
  },
  {
    story:
      "The zones of 6 of 30 teams were written before the run was killed; the run history says that it still runs.",
    dates: range("2024-11-25", "2024-11-26"),
    processors: ["team_defense_zone_analysis"],
    condition: "team_abbr not in ('ATL', 'BKN', 'BOS', 'CHA', 'CHI', 'CLE')",
  },
  {
    story: "The grades were filled by a one-off job that ended too early.",
    dates: range("2024-11-29", nbaDates.end),
    processors: ["prediction_accuracy"],
  },
];

const retried = range("2024-11-27", "2024-11-27");

/** What the platform's orchestrator wrote of it: two runs that failed, and two that were killed and will never say that they ended. */
const runHistory = `
  insert into nba_reference.processor_run_history
    (processor_name, run_id, status, data_date, started_at, processed_at, errors, phase, output_table)
  values
    ('nbac_team_boxscore', 'scrape-20241104', 'failed', '2024-11-04', '2024-11-05 06:15:00+00', '2024-11-05 06:16:00+00',
      '503 Service Unavailable: the source of the box scores did not answer', '2', 'nba_raw.nbac_team_boxscore'),
    ('nbac_team_boxscore', 'scrape-20241106', 'failed', '2024-11-06', '2024-11-07 06:15:00+00', '2024-11-07 06:16:00+00',
      '503 Service Unavailable: the source of the box scores did not answer', '2', 'nba_raw.nbac_team_boxscore'),
    ('team_defense_zone_analysis', 'backfill-20241125', 'running', '2024-11-25', now() - interval 6 hours, null,
      null, '4', 'nba_precompute.team_defense_zone_analysis'),
    ('team_defense_zone_analysis', 'backfill-20241126', 'running', '2024-11-26', now() - interval 6 hours, null,
      null, '4', 'nba_precompute.team_defense_zone_analysis')`;

/** Breaks a complete warehouse of `nbaDates` as real pipelines break, and says how. Once. */
export async function damageNba(connection: DuckDBConnection): Promise<readonly string[]> {
  for (const { dates, processors, condition } of damages) {
    for (const processor of processors) await deleteRows(connection, processor, dates, condition);
  }
  await connection.run(
    `insert into nba_precompute.player_daily_cache
    select cache.* from nba_precompute.player_daily_cache as cache cross join range(3)
    where cache_date between $start_date and $end_date`,
    boundsOf(retried),
  );
  await connection.run(runHistory);
  return [
    ...damages.map(({ story, dates }) => `${datesText(dates)}  ${story}`),
    `${datesText(retried)}  A job that appends was retried: four times the rows of the daily cache.`,
  ].toSorted();
}

function datesText({ start, end }: DateRange): string {
  return start === end ? start.padEnd(24) : `${start} to ${end}`;
}
