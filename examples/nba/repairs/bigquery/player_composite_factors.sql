-- How tonight's circumstances shift what a player is expected to score: a row per player of the day. A player whose shot zones are
-- not known yet takes the league's mix of that date; an opponent whose defense is not known yet shifts nothing.
-- @start_date, @end_date: DATE, both included.
with zones as (
  select analysis_date, player_lookup, paint_rate, mid_range_rate, three_rate
  from nba_precompute.player_shot_zone_analysis
  where analysis_date between @start_date and @end_date
),
league as (
  select
    analysis_date,
    avg(paint_rate) as paint_rate,
    avg(mid_range_rate) as mid_range_rate,
    avg(three_rate) as three_rate
  from zones
  group by analysis_date
),
factors as (
  select
    context.game_id,
    context.game_date,
    context.season,
    context.player_lookup,
    context.team_abbr,
    context.opponent,
    100 - numeric '0.06' * context.minutes_last_30_days - if(context.days_rest = 1, 12, 0) as freshness,
    coalesce(zones.paint_rate, league.paint_rate) * (defense.paint_pct_allowed - 0.57)
      + coalesce(zones.mid_range_rate, league.mid_range_rate) * (defense.mid_range_pct_allowed - 0.40)
      + coalesce(zones.three_rate, league.three_rate) * (defense.three_pct_allowed - 0.364) * 1.5 as mismatch,
    zones.player_lookup is not null as has_shot_zones
  from nba_analytics.upcoming_player_game_context as context
  join league on league.analysis_date = context.game_date
  left join zones on zones.analysis_date = context.game_date and zones.player_lookup = context.player_lookup
  left join nba_precompute.team_defense_zone_analysis as defense
    on defense.analysis_date = context.game_date
    and defense.team_abbr = context.opponent
    and defense.analysis_date between @start_date and @end_date
  where context.game_date between @start_date and @end_date
)
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  opponent,
  cast(round(greatest(0, least(100, freshness)), 1) as float64) as fatigue_score,
  round(greatest(-10, least(10, 100 * coalesce(mismatch, 0))), 2) as shot_zone_mismatch_score,
  has_shot_zones,
  current_timestamp() as processed_at
from factors
