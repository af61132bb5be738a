-- Fetches the game lines of the range once more: a row per team and game.
-- @start_date, @end_date: DATE, both included.
select
  game_id,
  game_date,
  season,
  team_abbr,
  spread,
  total,
  current_timestamp() as processed_at
from nba_source.game_lines
where game_date between @start_date and @end_date
