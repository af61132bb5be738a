-- Scrapes the team box scores of the range once more: two rows per game.
-- @start_date, @end_date: DATE, both included.
select
  game_id,
  game_date,
  season,
  team_abbr,
  opponent,
  is_home,
  points,
  rebounds,
  assists,
  possessions,
  current_timestamp() as processed_at
from nba_source.team_boxscores
where game_date between @start_date and @end_date
