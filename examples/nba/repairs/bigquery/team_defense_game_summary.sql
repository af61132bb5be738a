-- What each team's defense allowed in each game, by shot zone: two rows per game.
-- @start_date, @end_date: DATE, both included.
with shots as (
  select
    game_id,
    team_abbr,
    sum(paint_attempts) as paint_attempts,
    sum(paint_makes) as paint_makes,
    sum(mid_range_attempts) as mid_range_attempts,
    sum(mid_range_makes) as mid_range_makes,
    sum(three_attempts) as three_attempts,
    sum(three_makes) as three_makes
  from nba_raw.nbac_gamebook_player_stats
  where game_date between @start_date and @end_date
  group by game_id, team_abbr
)
select
  offense.game_id,
  offense.game_date,
  offense.season,
  offense.opponent as defending_team,
  offense.team_abbr as opponent,
  offense.points as points_allowed,
  shots.paint_attempts as paint_attempts_allowed,
  shots.paint_makes as paint_makes_allowed,
  shots.mid_range_attempts as mid_range_attempts_allowed,
  shots.mid_range_makes as mid_range_makes_allowed,
  shots.three_attempts as three_attempts_allowed,
  shots.three_makes as three_makes_allowed,
  current_timestamp() as processed_at
from nba_raw.nbac_team_boxscore as offense
join shots using (game_id, team_abbr)
where offense.game_date between @start_date and @end_date
