// Goal: what `npm run bigquery:local` serves is whole but for what its stories tell. Method: plain SQL over the DuckDB file that it is
// read from, with the rules of the demo's own tests.
import { expect, test } from "vitest";
import { demoTables } from "../../src/demo/tables.ts";
import { gapDates } from "../demo/gap-dates.ts";
import { withNbaWarehouse } from "../support/bigquery/nba.ts";
import { damageNba, nbaDates } from "../support/bigquery/nba-damage.ts";

test("the six weeks are complete in every table, until they are damaged as the stories tell", async () => {
  await withNbaWarehouse(nbaDates, async (connection) => {
    const gaps = async () => {
      const found: Record<string, readonly string[]> = {};
      for (const { processor } of demoTables) found[processor] = await gapDates(connection, processor);
      return found;
    };
    const whole = await gaps();
    expect(Object.values(whole).flat()).toEqual([]);

    await damageNba(connection);
    const noEvent = ["2024-11-19", "2024-11-20", "2024-11-21"];
    const outage = ["2024-11-04", "2024-11-06"];
    expect(await gaps()).toEqual({
      bdl_player_boxscores: ["2024-11-13"],
      nbac_gamebook_player_stats: ["2024-11-13"],
      nbac_team_boxscore: outage,
      odds_api_player_points_props: [],
      odds_api_game_lines: [],
      player_game_summary: ["2024-11-13", ...noEvent],
      team_offense_game_summary: [...outage, ...noEvent],
      team_defense_game_summary: [...outage, ...noEvent],
      upcoming_player_game_context: noEvent,
      upcoming_team_game_context: noEvent,
      team_defense_zone_analysis: [...noEvent, "2024-11-25", "2024-11-26"],
      player_shot_zone_analysis: noEvent,
      player_composite_factors: noEvent,
      player_daily_cache: [...noEvent, "2024-11-27"],
      ml_feature_store_v2: noEvent,
      player_prop_predictions: noEvent,
      prediction_accuracy: [...noEvent, "2024-11-29", "2024-11-30", "2024-12-01", "2024-12-02"],
    });
  });
});
