-- What each prediction system expects each player of the day to score, and how sure it is. Half a hundredth is rounded up as it is
-- written, hence NUMERIC: as FLOAT64, 6.065 is a little less than that.
-- @start_date, @end_date: DATE, both included.
with expected as (
  select
    features.game_id,
    features.game_date,
    features.season,
    features.player_lookup,
    systems.system_id,
    greatest(
      0,
      coalesce(features.points_avg_last_10, 5)
        + systems.matchup_weight * features.shot_zone_mismatch_score
        + systems.fatigue_weight * (features.fatigue_score - 60)
    ) as predicted_points,
    features.feature_quality_score,
    coalesce(features.points_std_last_10, 6) as spread
  from nba_predictions.ml_feature_store_v2 as features
  cross join unnest([
    struct('moving_average' as system_id, 0.0 as matchup_weight, 0.0 as fatigue_weight),
    struct('zone_matchup' as system_id, 0.2 as matchup_weight, 0.03 as fatigue_weight)
  ]) as systems
  where features.game_date between @start_date and @end_date
)
select
  game_id,
  game_date,
  season,
  player_lookup,
  system_id,
  cast(round(cast(predicted_points as numeric), 2) as float64) as predicted_points,
  round(greatest(0.4, least(1.0, feature_quality_score / 100 - spread / 50)), 3) as confidence,
  current_timestamp() as processed_at
from expected
