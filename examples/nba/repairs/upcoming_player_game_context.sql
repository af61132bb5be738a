-- What is known of each player before his game: he is listed because a bookmaker offers a line for him, so a date without
-- prop lines has no rows here. His recent form is that of the 30 days up to his last game, unless that is older itself.
-- $start_date, $end_date: DATE, both included.
with form as (
  select
    player_lookup,
    game_date as last_game_date,
    count(*) over recent as games_last_30_days,
    sum(minutes) over recent as minutes_last_30_days,
    avg(points) over recent as points_avg_last_30_days
  from nba_analytics.player_game_summary
  where game_date >= $start_date - 60 and game_date < $end_date
  window recent as (
    partition by player_lookup order by game_date
    range between interval 30 days preceding and current row
  )
),
lines as (
  select
    props.game_id, props.game_date, props.season, props.player_lookup, props.team_abbr, props.points_line,
    if(games.home_team = props.team_abbr, games.away_team, games.home_team) as opponent,
    games.home_team = props.team_abbr as is_home
  from nba_raw.odds_api_player_points_props as props
  join nba_raw.nbac_schedule as games on games.game_id = props.game_id and games.game_date = props.game_date
  where props.game_date between $start_date and $end_date
)
select
  lines.game_id,
  lines.game_date,
  lines.season,
  lines.player_lookup,
  lines.team_abbr,
  lines.opponent,
  lines.is_home,
  lines.points_line,
  if(form.last_game_date >= lines.game_date - 30, lines.game_date - form.last_game_date, null) as days_rest,
  if(form.last_game_date >= lines.game_date - 30, form.games_last_30_days, 0)::integer as games_last_30_days,
  if(form.last_game_date >= lines.game_date - 30, form.minutes_last_30_days, 0)::integer as minutes_last_30_days,
  if(form.last_game_date >= lines.game_date - 30, round(form.points_avg_last_30_days, 2), null) as points_avg_last_30_days,
  now() as processed_at
from lines
asof left join form
  on form.player_lookup = lines.player_lookup and form.last_game_date < lines.game_date
