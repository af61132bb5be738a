-- What is known of each team before its game: two rows per game, the line where a bookmaker has one.
-- @start_date, @end_date: DATE, both included.
with games as (
  select game_id, game_date, season, home_team, away_team
  from nba_raw.nbac_schedule
  where game_status = 3
    and game_id not like '003%'
    and game_date >= date_sub(@start_date, interval 60 day)
    and game_date <= @end_date
),
team_games as (
  select game_id, game_date, season, home_team as team_abbr, away_team as opponent, true as is_home from games
  union all
  select game_id, game_date, season, away_team, home_team, false from games
),
rested as (
  select
    *,
    date_diff(
      game_date,
      lag(game_date) over (partition by season, team_abbr order by game_date),
      day
    ) as days_rest
  from team_games
)
select
  rested.game_id,
  rested.game_date,
  rested.season,
  rested.team_abbr,
  rested.opponent,
  rested.is_home,
  rested.days_rest,
  lines.spread,
  lines.total,
  current_timestamp() as processed_at
from rested
left join nba_raw.odds_api_game_lines as lines
  on lines.game_id = rested.game_id
  and lines.team_abbr = rested.team_abbr
  and lines.game_date between @start_date and @end_date
where rested.game_date between @start_date and @end_date
