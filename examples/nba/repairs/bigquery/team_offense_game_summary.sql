-- What each team's offense did in each game: two rows per game.
-- @start_date, @end_date: DATE, both included.
select
  game_id,
  game_date,
  season,
  team_abbr,
  opponent,
  points,
  assists,
  possessions,
  round(100.0 * points / possessions, 2) as offensive_rating,
  current_timestamp() as processed_at
from nba_raw.nbac_team_boxscore
where game_date between @start_date and @end_date
