-- What the predictions read all day of each regular player of the day: a row per player who averaged at least 14 minutes over
-- his last 10 games, 3 at least, of which the last one is no older than 180 days.
-- @start_date, @end_date: DATE, both included.
with form as (
  -- What was known after each game, until the next one: there is one such row for any later date.
  select
    player_lookup,
    game_date as last_game_date,
    lead(game_date) over games as next_game_date,
    count(*) over last_games as games_used,
    avg(minutes) over last_games as minutes_avg_last_10,
    avg(points) over last_games as points_avg_last_10,
    stddev_pop(points) over last_games as points_std_last_10
  from nba_analytics.player_game_summary
  where game_date >= date_sub(@start_date, interval 365 day) and game_date < @end_date
  window
    games as (partition by player_lookup order by game_date),
    last_games as (games rows between 9 preceding and current row)
),
pace as (
  select
    team_abbr,
    game_date as last_game_date,
    lead(game_date) over (partition by team_abbr order by game_date) as next_game_date,
    avg(possessions) over (
      partition by team_abbr order by unix_date(game_date) range between 30 preceding and current row
    ) as possessions_avg_last_30_days
  from nba_analytics.team_offense_game_summary
  where game_date >= date_sub(@start_date, interval 60 day) and game_date < @end_date
),
players as (
  select game_date, season, game_id, player_lookup, team_abbr
  from nba_analytics.upcoming_player_game_context
  where game_date between @start_date and @end_date
)
select
  player.game_date as cache_date,
  player.season,
  player.game_id,
  player.player_lookup,
  player.team_abbr,
  form.games_used,
  round(form.minutes_avg_last_10, 2) as minutes_avg_last_10,
  round(form.points_avg_last_10, 2) as points_avg_last_10,
  round(form.points_std_last_10, 2) as points_std_last_10,
  if(
    pace.last_game_date >= date_sub(player.game_date, interval 30 day),
    round(pace.possessions_avg_last_30_days, 2),
    null
  ) as team_pace_last_30_days,
  zones.three_rate,
  round(100.0 * form.games_used / 10, 1) as completeness_pct,
  current_timestamp() as processed_at
from players as player
join form
  on form.player_lookup = player.player_lookup
  and form.last_game_date < player.game_date
  and (form.next_game_date is null or form.next_game_date >= player.game_date)
left join pace
  on pace.team_abbr = player.team_abbr
  and pace.last_game_date < player.game_date
  and (pace.next_game_date is null or pace.next_game_date >= player.game_date)
left join nba_precompute.player_shot_zone_analysis as zones
  on zones.analysis_date = player.game_date
  and zones.player_lookup = player.player_lookup
  and zones.analysis_date between @start_date and @end_date
where form.minutes_avg_last_10 >= 14
  and form.games_used >= 3
  and form.last_game_date >= date_sub(player.game_date, interval 180 day)
