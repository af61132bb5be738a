-- How tonight's circumstances shift what a player is expected to score: a row per player of the day whose opponent's defense
-- is known. A player whose shot zones are not known yet takes the league's usual mix.
-- $start_date, $end_date: DATE, both included.
with factors as (
  select
    context.game_id,
    context.game_date,
    context.season,
    context.player_lookup,
    context.team_abbr,
    context.opponent,
    100 - 0.06 * context.minutes_last_30_days - if(context.days_rest = 1, 12, 0) as freshness,
    coalesce(zones.paint_rate, 0.45) * (defense.paint_pct_allowed - 0.55)
      + coalesce(zones.mid_range_rate, 0.2) * (defense.mid_range_pct_allowed - 0.42)
      + coalesce(zones.three_rate, 0.35) * (defense.three_pct_allowed - 0.36) * 1.5 as mismatch,
    zones.player_lookup is not null as has_shot_zones
  from nba_analytics.upcoming_player_game_context as context
  join nba_precompute.team_defense_zone_analysis as defense
    on defense.analysis_date = context.game_date and defense.team_abbr = context.opponent
  left join nba_precompute.player_shot_zone_analysis as zones
    on zones.analysis_date = context.game_date and zones.player_lookup = context.player_lookup
  where context.game_date between $start_date and $end_date
    and defense.analysis_date between $start_date and $end_date
)
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  opponent,
  round(greatest(0, least(100, freshness)), 1)::double as fatigue_score,
  round(greatest(-10, least(10, 100 * mismatch)), 2)::double as shot_zone_mismatch_score,
  has_shot_zones,
  now() as processed_at
from factors
