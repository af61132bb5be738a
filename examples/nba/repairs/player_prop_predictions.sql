-- What each prediction system expects each player of the day to score, and how sure it is. Half a hundredth is rounded up as it is
-- written, hence the decimal: as a double, 6.065 is a little less than that.
-- $start_date, $end_date: DATE, both included.
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
  cross join (values ('moving_average', 0.0, 0.0), ('zone_matchup', 0.2, 0.03))
    as systems (system_id, matchup_weight, fatigue_weight)
  where features.game_date between $start_date and $end_date
)
select
  game_id,
  game_date,
  season,
  player_lookup,
  system_id,
  round(predicted_points::decimal(18, 9), 2)::double as predicted_points,
  round(greatest(0.4, least(1.0, feature_quality_score / 100 - spread / 50)), 3)::double as confidence,
  now() as processed_at
from expected
