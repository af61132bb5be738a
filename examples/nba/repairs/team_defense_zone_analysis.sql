-- Each team's defense by shot zone over its last 15 games of the season before the date; a team with fewer than 10 is left out.
-- $start_date, $end_date: DATE, both included.
with days as (
  select distinct season, game_date as analysis_date
  from nba_raw.nbac_schedule
  where game_status = 3 and game_id not like '003%' and game_date between $start_date and $end_date
),
running as (
  select
    season,
    defending_team as team_abbr,
    game_date,
    count(*) over last_games as games_used,
    sum(paint_makes_allowed) over last_games / sum(paint_attempts_allowed) over last_games as paint_pct_allowed,
    sum(mid_range_makes_allowed) over last_games / sum(mid_range_attempts_allowed) over last_games
      as mid_range_pct_allowed,
    sum(three_makes_allowed) over last_games / sum(three_attempts_allowed) over last_games as three_pct_allowed,
    avg(points_allowed) over last_games as points_allowed_avg
  from nba_analytics.team_defense_game_summary
  where season in (select season from days) and game_date < $end_date
  window last_games as (
    partition by season, defending_team order by game_date rows between 14 preceding and current row
  )
),
team_days as (
  select days.season, days.analysis_date, teams.team_abbr
  from days
  join (select distinct season, team_abbr from running) as teams using (season)
)
select
  team_days.analysis_date,
  team_days.season,
  team_days.team_abbr,
  running.games_used::integer as games_used,
  round(running.paint_pct_allowed, 4) as paint_pct_allowed,
  round(running.mid_range_pct_allowed, 4) as mid_range_pct_allowed,
  round(running.three_pct_allowed, 4) as three_pct_allowed,
  round(running.points_allowed_avg, 2) as points_allowed_avg,
  round(100.0 * running.games_used / 15, 1)::double as completeness_pct,
  now() as processed_at
from team_days
asof join running
  on running.season = team_days.season
  and running.team_abbr = team_days.team_abbr
  and running.game_date < team_days.analysis_date
where running.games_used >= 10
