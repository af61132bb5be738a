import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";

/**
 * What the tables of the example have to hold, written down once more and by hand in plain SQL: neither the config nor the
 * product is asked, so that an error in one of them cannot hide itself.
 */
interface TableRule {
  readonly dataset: string;
  readonly dateColumn: string;
  readonly key: string;
  readonly bootstrapDays: number;
  /** The least number of rows, given `units` games on a date. */
  readonly floor: string;
  /** Whether each game of the schedule must be here. */
  readonly everyGame: boolean;
  /** Nothing can be had where there never were prop lines. */
  readonly needsLines: boolean;
}

const rules: Readonly<Record<string, TableRule>> = {
  bdl_player_boxscores: rule("nba_raw", "game_date", "game_id, player_lookup", 0, "30 * units", "every game"),
  nbac_gamebook_player_stats: rule(
    "nba_raw",
    "game_date",
    "game_id, player_lookup",
    0,
    "30 * units",
    "every game",
  ),
  nbac_team_boxscore: rule("nba_raw", "game_date", "game_id, team_abbr", 0, "2 * units", "every game"),
  odds_api_player_points_props: rule(
    "nba_raw",
    "game_date",
    "game_id, player_lookup",
    0,
    "25 * units",
    "every game",
    "lines",
  ),
  odds_api_game_lines: rule("nba_raw", "game_date", "game_id, team_abbr", 0, "2 * units", "every game"),
  player_game_summary: rule(
    "nba_analytics",
    "game_date",
    "game_id, player_lookup",
    0,
    "18 * units",
    "every game",
  ),
  team_offense_game_summary: rule(
    "nba_analytics",
    "game_date",
    "game_id, team_abbr",
    0,
    "2 * units",
    "every game",
  ),
  team_defense_game_summary: rule(
    "nba_analytics",
    "game_date",
    "game_id, defending_team",
    0,
    "2 * units",
    "every game",
  ),
  upcoming_player_game_context: rule(
    "nba_analytics",
    "game_date",
    "game_id, player_lookup",
    0,
    "25 * units",
    "every game",
    "lines",
  ),
  upcoming_team_game_context: rule(
    "nba_analytics",
    "game_date",
    "game_id, team_abbr",
    0,
    "2 * units",
    "every game",
  ),
  team_defense_zone_analysis: rule("nba_precompute", "analysis_date", "team_abbr", 24, "30"),
  player_shot_zone_analysis: rule("nba_precompute", "analysis_date", "player_lookup", 16, "250"),
  player_composite_factors: rule(
    "nba_precompute",
    "game_date",
    "game_id, player_lookup",
    14,
    "25 * units",
    "every game",
    "lines",
  ),
  player_daily_cache: rule(
    "nba_precompute",
    "cache_date",
    "game_id, player_lookup",
    14,
    "15 * units",
    "every game",
    "lines",
  ),
  ml_feature_store_v2: rule(
    "nba_predictions",
    "game_date",
    "game_id, player_lookup",
    24,
    "25 * units",
    "every game",
    "lines",
  ),
  player_prop_predictions: rule(
    "nba_predictions",
    "game_date",
    "player_lookup, system_id",
    24,
    "50 * units",
    "every game",
    "lines",
  ),
  prediction_accuracy: rule(
    "nba_predictions",
    "game_date",
    "player_lookup, system_id",
    24,
    "50 * units",
    "every game",
    "lines",
  ),
};

/** The table of a processor, with its dataset. */
export function tableName(processor: string): string {
  return `${ruleOf(processor).dataset}.${processor}`;
}

export function dateColumnOf(processor: string): string {
  return ruleOf(processor).dateColumn;
}

/** The scheduled dates on which a table does not hold what it should, ascending. */
export async function gapDates(connection: DuckDBConnection, processor: string): Promise<string[]> {
  const { dateColumn, key, bootstrapDays, floor, everyGame, needsLines } = ruleOf(processor);
  const table = tableName(processor);
  const rows = await query(
    connection,
    `with days as (
      select
        game_date as day,
        count(*) as units,
        game_date - (select min(game_date) from nba_raw.nbac_schedule as first where first.season = games.season) as season_day
      from nba_raw.nbac_schedule as games
      where game_status = 3 and game_id not like '003%'
      group by game_date, season
    ),
    held as (
      select ${dateColumn} as day, count(*) as row_count, count(distinct (${key}))::bigint as key_count
      from ${table} group by all
    )
    select day::varchar
    from days left join held using (day)
    where season_day >= ${bootstrapDays}
      and (coalesce(row_count, 0) < ${floor} or row_count > key_count ${
        everyGame
          ? `or exists (
              from nba_raw.nbac_schedule as games
              where games.game_date = day and game_status = 3 and games.game_id not like '003%'
                and games.game_id not in (select game_id from ${table} where ${dateColumn} = games.game_date))`
          : ""
      })
      ${needsLines ? "and not (day <= date '2021-12-31' and isodow(day) not in (3, 6))" : ""}
    order by 1`,
  );
  return rows.map(([day]) => String(day));
}

export async function query(
  connection: DuckDBConnection,
  sql: string,
  values: Record<string, DuckDBValue> = {},
): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(sql, values)).getRows();
}

function rule(
  dataset: string,
  dateColumn: string,
  key: string,
  bootstrapDays: number,
  floor: string,
  games: "every game" | "any" = "any",
  lines: "lines" | "none" = "none",
): TableRule {
  return {
    dataset,
    dateColumn,
    key,
    bootstrapDays,
    floor,
    everyGame: games === "every game",
    needsLines: lines === "lines",
  };
}

function ruleOf(processor: string): TableRule {
  const found = rules[processor];
  if (found === undefined) throw new Error(`no rule for ${processor}`);
  return found;
}
