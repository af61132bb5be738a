-- Fetches the prop lines of the range once more: a row per player who has one. A line that was never scraped is gone:
-- the bookmakers do not offer the lines of the past.
-- @start_date, @end_date: DATE, both included.
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  points_line,
  current_timestamp() as processed_at
from nba_source.player_props
where game_date between @start_date and @end_date
