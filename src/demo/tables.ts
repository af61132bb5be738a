import { readFile } from "node:fs/promises";

/** A table of the example pipeline that a repair fills. */
export interface DemoTable {
  /** The processor's name; also that of its file in examples/nba/repairs and of its table. */
  readonly processor: string;
  readonly dataset: string;
  readonly dateColumn: string;
  /** Minutes after midnight UTC, the night after the games, at which the pipeline writes it. */
  readonly writtenAtMinute: number;
}

/** All of them, each one after those that it reads. */
export const demoTables: readonly DemoTable[] = [
  demoTable("bdl_player_boxscores", "nba_raw", "game_date", 360),
  demoTable("nbac_gamebook_player_stats", "nba_raw", "game_date", 370),
  demoTable("nbac_team_boxscore", "nba_raw", "game_date", 375),
  demoTable("odds_api_player_points_props", "nba_raw", "game_date", 380),
  demoTable("odds_api_game_lines", "nba_raw", "game_date", 380),
  demoTable("player_game_summary", "nba_analytics", "game_date", 420),
  demoTable("team_offense_game_summary", "nba_analytics", "game_date", 420),
  demoTable("team_defense_game_summary", "nba_analytics", "game_date", 425),
  demoTable("upcoming_player_game_context", "nba_analytics", "game_date", 430),
  demoTable("upcoming_team_game_context", "nba_analytics", "game_date", 430),
  demoTable("team_defense_zone_analysis", "nba_precompute", "analysis_date", 460),
  demoTable("player_shot_zone_analysis", "nba_precompute", "analysis_date", 460),
  demoTable("player_composite_factors", "nba_precompute", "game_date", 480),
  demoTable("player_daily_cache", "nba_precompute", "cache_date", 480),
  demoTable("ml_feature_store_v2", "nba_predictions", "game_date", 500),
  demoTable("player_prop_predictions", "nba_predictions", "game_date", 510),
  demoTable("prediction_accuracy", "nba_predictions", "game_date", 520),
];

/** The folder of the example that the demo runs: `pipeline.yaml` and `repairs/`. */
export const exampleDirectory = new URL("../../examples/nba/", import.meta.url);

/** The SELECT that computes a table from those that it reads, for `$start_date` to `$end_date`, both included. */
export async function readRepair(processor: string): Promise<string> {
  return readFile(new URL(`repairs/${processor}.sql`, exampleDirectory), "utf8");
}

function demoTable(
  processor: string,
  dataset: string,
  dateColumn: string,
  writtenAtMinute: number,
): DemoTable {
  return { processor, dataset, dateColumn, writtenAtMinute };
}
