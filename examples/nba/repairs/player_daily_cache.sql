-- What the predictions read all day of each regular player of the day: a row per player who averaged at least 14 minutes over
-- his last 10 games, 3 at least, of which the last one is no older than 180 days.
-- $start_date, $end_date: DATE, both included.
with form as (
  select
    player_lookup,
    game_date as last_game_date,
    count(*) over last_games as games_used,
    avg(minutes) over last_games as minutes_avg_last_10,
    avg(points) over last_games as points_avg_last_10,
    stddev_pop(points) over last_games as points_std_last_10
  from nba_analytics.player_game_summary
  where game_date >= $start_date - 365 and game_date < $end_date
  window last_games as (partition by player_lookup order by game_date rows between 9 preceding and current row)
),
pace as (
  select
    team_abbr,
    game_date as last_game_date,
    avg(possessions) over recent as possessions_avg_last_30_days
  from nba_analytics.team_offense_game_summary
  where game_date >= $start_date - 60 and game_date < $end_date
  window recent as (
    partition by team_abbr order by game_date range between interval 30 days preceding and current row
  )
),
players as (
  select game_date, season, game_id, player_lookup, team_abbr
  from nba_analytics.upcoming_player_game_context
  where game_date between $start_date and $end_date
),
players_with_form as (
  select players.*, form.* exclude (player_lookup)
  from players
  asof join form
    on form.player_lookup = players.player_lookup and form.last_game_date < players.game_date
)
select
  player.game_date as cache_date,
  player.season,
  player.game_id,
  player.player_lookup,
  player.team_abbr,
  player.games_used::integer as games_used,
  round(player.minutes_avg_last_10, 2) as minutes_avg_last_10,
  round(player.points_avg_last_10, 2) as points_avg_last_10,
  round(player.points_std_last_10, 2) as points_std_last_10,
  if(pace.last_game_date >= player.game_date - 30, round(pace.possessions_avg_last_30_days, 2), null)
    as team_pace_last_30_days,
  zones.three_rate,
  round(100.0 * player.games_used / 10, 1)::double as completeness_pct,
  now() as processed_at
from players_with_form as player
asof left join pace
  on pace.team_abbr = player.team_abbr and pace.last_game_date < player.game_date
left join nba_precompute.player_shot_zone_analysis as zones
  on zones.analysis_date = player.game_date
  and zones.player_lookup = player.player_lookup
  and zones.analysis_date between $start_date and $end_date
where player.minutes_avg_last_10 >= 14
  and player.games_used >= 3
  and player.last_game_date >= player.game_date - 180
