import { sqlCalendar } from "./scene.ts";

// A league small enough to be read at a glance: two games a night, five players a game, and the phases of a prediction platform.

type Ranges = readonly (readonly [first: string, last: string])[];

/** The SELECT behind each table; a repair runs it for its dates, and the warehouse is first filled by it for all. */
const sources = {
  player_game_summary: "select game_date, game_id, player, 20 as points from nba.boxscores",
  upcoming_player_game_context: "select game_date, game_id, player from nba.boxscores",
  player_composite_factors:
    "select game_date, player, 50 as fatigue from nba.player_game_summary semi join nba.upcoming_player_game_context using (game_date, player)",
  ml_feature_store_v2: "select game_date, player from nba.player_composite_factors",
  player_prop_predictions: "select game_date, player, 0.7 as confidence from nba.ml_feature_store_v2",
  prediction_accuracy:
    "select game_date, player, true as hit from nba.player_prop_predictions semi join nba.player_game_summary using (game_date, player)",
} as const;

export type LeagueTable = keyof typeof sources;
export const leagueTables = Object.keys(sources) as readonly LeagueTable[];

/** Rows of a table on each date. */
export const rowsPerDate = 10;

/** The statements that make a whole league: nothing is missing on any date of the ranges. */
export function wholeLeague(...ranges: Ranges): string[] {
  return [
    "create schema nba",
    `create table nba.schedule as
     select game_date, 'G' || game || '-' || game_date as game_id,
       case when month(game_date) >= 10 then year(game_date) else year(game_date) - 1 end as season
     from (${sqlCalendar(...ranges)}) cross join range(1, 3) as games (game)`,
    `create table nba.boxscores as
     select game_date, game_id, left(game_id, 2) || 'P' || number as player
     from nba.schedule cross join range(1, 6) as players (number)`,
    ...leagueTables.map((table) => `create table nba.${table} as ${sources[table]}`),
  ];
}

/** The repair of each table, as files beside the pipeline file. */
export const leagueFiles: Readonly<Record<string, string>> = Object.fromEntries(
  leagueTables.map((table) => [
    `${table}.sql`,
    `from (${sources[table]}) where game_date between $start_date and $end_date`,
  ]),
);

/** What stands above the processors: every game night is expected, a failed repair waits for a moment only. */
export const leagueHead = `
schedule: { table: nba.schedule, date_column: game_date, unit_column: game_id, season_column: season }
defaults:
  date_column: game_date
  repair: { max_attempts: 3, backoff: [10ms] }
processors:
`;

/** Each processor as it stands in the pipeline file; a story puts together those that it is about. */
export const processors = {
  boxscores: `
  boxscores:
    phase: "2"
    table: nba.boxscores
    expect: { rows: { per_unit: 5 }, coverage: { of: schedule, key: game_id } }
`,
  player_game_summary: `
  player_game_summary:
    phase: "3"
    table: nba.player_game_summary
    depends_on: [boxscores]
    expect:
      rows: { per_unit: 4 }
      coverage: { of: schedule, key: game_id }
      unique_keys: [[game_id, player]]
    repair: { sql_file: player_game_summary.sql }
`,
  upcoming_player_game_context: `
  upcoming_player_game_context:
    phase: "3"
    table: nba.upcoming_player_game_context
    depends_on:
      - boxscores
      - { processor: player_game_summary, lookback: { days: 3 } }
    expect: { rows: { per_unit: 4 } }
    repair: { sql_file: upcoming_player_game_context.sql }
`,
  player_composite_factors: `
  player_composite_factors:
    phase: "4"
    table: nba.player_composite_factors
    depends_on: [player_game_summary, upcoming_player_game_context]
    expect: { coverage: { of: upcoming_player_game_context, key: player, min: 0.9 } }
    repair: { sql_file: player_composite_factors.sql }
`,
  ml_feature_store_v2: `
  ml_feature_store_v2:
    phase: "4"
    table: nba.ml_feature_store_v2
    depends_on: [player_composite_factors]
    expect: { rows: { per_unit: 4 } }
    repair: { sql_file: ml_feature_store_v2.sql }
`,
  player_prop_predictions: `
  player_prop_predictions:
    phase: "5"
    table: nba.player_prop_predictions
    depends_on: [ml_feature_store_v2]
    expect: { rows: { per_entity: { of: ml_feature_store_v2, key: player } } }
    repair: { sql_file: player_prop_predictions.sql }
`,
  prediction_accuracy: `
  prediction_accuracy:
    phase: "5B"
    table: nba.prediction_accuracy
    depends_on: [player_prop_predictions, player_game_summary]
    expect: { rows: { per_entity: { of: player_prop_predictions, min: 0.95 } } }
    repair: { sql_file: prediction_accuracy.sql }
`,
} as const;

export const wholePipeline = leagueHead + Object.values(processors).join("");
