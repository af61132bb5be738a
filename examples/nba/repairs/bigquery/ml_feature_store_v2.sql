-- One vector of features per player of the day, and what he then scored: the label that models are trained on (null where he
-- did not play).
-- @start_date, @end_date: DATE, both included.
select
  factors.game_id,
  factors.game_date,
  factors.season,
  factors.player_lookup,
  factors.team_abbr,
  factors.opponent,
  factors.fatigue_score,
  factors.shot_zone_mismatch_score,
  cache.points_avg_last_10,
  cache.points_std_last_10,
  cache.team_pace_last_30_days,
  zones.field_goal_pct,
  defense.points_allowed_avg as opponent_points_allowed_avg,
  summary.points as actual_points,
  40.0 + if(cache.player_lookup is null, 0, 35) + if(zones.player_lookup is null, 0, 25) as feature_quality_score,
  current_timestamp() as processed_at
from nba_precompute.player_composite_factors as factors
join nba_precompute.team_defense_zone_analysis as defense
  on defense.analysis_date = factors.game_date and defense.team_abbr = factors.opponent
left join nba_precompute.player_daily_cache as cache
  on cache.cache_date = factors.game_date and cache.player_lookup = factors.player_lookup
left join nba_precompute.player_shot_zone_analysis as zones
  on zones.analysis_date = factors.game_date and zones.player_lookup = factors.player_lookup
left join nba_analytics.player_game_summary as summary
  on summary.game_id = factors.game_id and summary.player_lookup = factors.player_lookup
  and summary.game_date between @start_date and @end_date
where factors.game_date between @start_date and @end_date
  and defense.analysis_date between @start_date and @end_date
