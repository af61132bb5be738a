-- Each team's defense by shot zone over its last 15 games of the season before the date; a team with fewer than 10 is left out.
-- @start_date, @end_date: DATE, both included.
with days as (
  select distinct season, game_date as analysis_date
  from nba_raw.nbac_schedule
  where game_status = 3 and game_id not like '003%' and game_date between @start_date and @end_date
),
running as (
  -- What was known after each game, until the next one: there is one such row for any later date.
  select
    season,
    defending_team as team_abbr,
    game_date,
    lead(game_date) over games as next_game_date,
    count(*) over last_games as games_used,
    sum(paint_makes_allowed) over last_games / sum(paint_attempts_allowed) over last_games as paint_pct_allowed,
    sum(mid_range_makes_allowed) over last_games / sum(mid_range_attempts_allowed) over last_games
      as mid_range_pct_allowed,
    sum(three_makes_allowed) over last_games / sum(three_attempts_allowed) over last_games as three_pct_allowed,
    avg(points_allowed) over last_games as points_allowed_avg
  from nba_analytics.team_defense_game_summary
  where season in (select season from days) and game_date < @end_date
  window
    games as (partition by season, defending_team order by game_date),
    last_games as (games rows between 14 preceding and current row)
)
select
  days.analysis_date,
  days.season,
  running.team_abbr,
  running.games_used,
  round(running.paint_pct_allowed, 4) as paint_pct_allowed,
  round(running.mid_range_pct_allowed, 4) as mid_range_pct_allowed,
  round(running.three_pct_allowed, 4) as three_pct_allowed,
  round(running.points_allowed_avg, 2) as points_allowed_avg,
  round(100.0 * running.games_used / 15, 1) as completeness_pct,
  current_timestamp() as processed_at
from days
join running
  on running.season = days.season
  and running.game_date < days.analysis_date
  and (running.next_game_date is null or running.next_game_date >= days.analysis_date)
where running.games_used >= 10
