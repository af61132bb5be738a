-- What is known of each player before his game: he is listed because a bookmaker offers a line for him, so a date without
-- prop lines has no rows here. His recent form is that of the 30 days up to his last game, unless that is older itself.
-- @start_date, @end_date: DATE, both included.
with form as (
  -- What was known after each game, until the next one: there is one such row for any later date.
  select
    player_lookup,
    game_date as last_game_date,
    lead(game_date) over (partition by player_lookup order by game_date) as next_game_date,
    count(*) over recent as games_last_30_days,
    sum(minutes) over recent as minutes_last_30_days,
    avg(points) over recent as points_avg_last_30_days
  from nba_analytics.player_game_summary
  where game_date >= date_sub(@start_date, interval 60 day) and game_date < @end_date
  window recent as (
    partition by player_lookup order by unix_date(game_date) range between 30 preceding and current row
  )
),
lines as (
  select
    props.game_id, props.game_date, props.season, props.player_lookup, props.team_abbr, props.points_line,
    if(games.home_team = props.team_abbr, games.away_team, games.home_team) as opponent,
    games.home_team = props.team_abbr as is_home
  from nba_raw.odds_api_player_points_props as props
  join nba_raw.nbac_schedule as games on games.game_id = props.game_id and games.game_date = props.game_date
  where props.game_date between @start_date and @end_date
    and games.game_date between @start_date and @end_date
),
known as (
  select
    lines.*,
    form.* except (player_lookup),
    ifnull(form.last_game_date >= date_sub(lines.game_date, interval 30 day), false) as is_recent
  from lines
  left join form
    on form.player_lookup = lines.player_lookup
    and form.last_game_date < lines.game_date
    and (form.next_game_date is null or form.next_game_date >= lines.game_date)
)
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  opponent,
  is_home,
  points_line,
  if(is_recent, date_diff(game_date, last_game_date, day), null) as days_rest,
  if(is_recent, games_last_30_days, 0) as games_last_30_days,
  if(is_recent, minutes_last_30_days, 0) as minutes_last_30_days,
  if(is_recent, round(points_avg_last_30_days, 2), null) as points_avg_last_30_days,
  current_timestamp() as processed_at
from known
