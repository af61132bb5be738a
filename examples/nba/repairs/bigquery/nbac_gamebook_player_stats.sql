-- Scrapes the game books of the range once more: a row per listed player and game, minutes are null where he did not play.
-- @start_date, @end_date: DATE, both included.
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  player_status,
  minutes,
  points,
  rebounds,
  assists,
  paint_attempts,
  paint_makes,
  mid_range_attempts,
  mid_range_makes,
  three_attempts,
  three_makes,
  free_throw_makes,
  current_timestamp() as processed_at
from nba_source.gamebook
where game_date between @start_date and @end_date
