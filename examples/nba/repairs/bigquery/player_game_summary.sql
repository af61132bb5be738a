-- What each player did in each game that he played in: from the game book, and from the box scores for a game that has none
-- (they know no shot zones).
-- @start_date, @end_date: DATE, both included.
with gamebook as (
  select
    game_id, game_date, season, player_lookup, team_abbr, minutes, points, rebounds, assists,
    paint_attempts, paint_makes, mid_range_attempts, mid_range_makes, three_attempts, three_makes,
    'nbac_gamebook' as source
  from nba_raw.nbac_gamebook_player_stats
  where game_date between @start_date and @end_date and minutes > 0
),
boxscores as (
  select
    box.game_id, box.game_date, box.season, box.player_lookup, box.team_abbr, box.minutes, box.points, box.rebounds, box.assists,
    null as paint_attempts, null as paint_makes, null as mid_range_attempts, null as mid_range_makes,
    null as three_attempts, null as three_makes,
    'bdl_boxscores' as source
  from nba_raw.bdl_player_boxscores as box
  left join (select distinct game_id from gamebook) as booked on booked.game_id = box.game_id
  where box.game_date between @start_date and @end_date and box.minutes > 0 and booked.game_id is null
)
select *, current_timestamp() as processed_at
from (select * from gamebook union all select * from boxscores)
