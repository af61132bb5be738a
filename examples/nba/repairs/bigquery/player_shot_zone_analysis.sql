-- Each player's shots by zone over his last 10 games of the season before the date. A player with fewer than 5 is left out,
-- and nba_processing.precompute_failures names him.
-- @start_date, @end_date: DATE, both included.
with days as (
  select distinct season, game_date as analysis_date
  from nba_raw.nbac_schedule
  where game_status = 3 and game_id not like '003%' and game_date between @start_date and @end_date
),
shots as (
  select
    season,
    player_lookup,
    team_abbr,
    game_date,
    paint_attempts + mid_range_attempts + three_attempts as attempts,
    paint_makes + mid_range_makes + three_makes as makes,
    paint_attempts,
    mid_range_attempts,
    three_attempts
  from nba_analytics.player_game_summary
  where season in (select season from days) and game_date < @end_date
),
running as (
  -- What was known after each game, until the next one: there is one such row for any later date.
  select
    season,
    player_lookup,
    team_abbr,
    game_date,
    lead(game_date) over games as next_game_date,
    count(*) over last_games as games_used,
    sum(paint_attempts) over last_games / nullif(sum(attempts) over last_games, 0) as paint_rate,
    sum(mid_range_attempts) over last_games / nullif(sum(attempts) over last_games, 0) as mid_range_rate,
    sum(three_attempts) over last_games / nullif(sum(attempts) over last_games, 0) as three_rate,
    sum(makes) over last_games / nullif(sum(attempts) over last_games, 0) as field_goal_pct
  from shots
  window
    games as (partition by season, player_lookup order by game_date),
    last_games as (games rows between 9 preceding and current row)
)
select
  days.analysis_date,
  days.season,
  running.player_lookup,
  running.team_abbr,
  running.games_used,
  round(running.paint_rate, 4) as paint_rate,
  round(running.mid_range_rate, 4) as mid_range_rate,
  round(running.three_rate, 4) as three_rate,
  round(running.field_goal_pct, 4) as field_goal_pct,
  round(100.0 * running.games_used / 10, 1) as completeness_pct,
  current_timestamp() as processed_at
from days
join running
  on running.season = days.season
  and running.game_date < days.analysis_date
  and (running.next_game_date is null or running.next_game_date >= days.analysis_date)
where running.games_used >= 5
