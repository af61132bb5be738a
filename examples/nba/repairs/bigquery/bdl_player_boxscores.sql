-- Scrapes the box scores of the range once more: a row per player and game.
-- @start_date, @end_date: DATE, both included.
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  minutes,
  points,
  rebounds,
  assists,
  current_timestamp() as processed_at
from nba_source.player_boxscores
where game_date between @start_date and @end_date
