-- Grades every prediction of a date whose games are summed up; that of a player who did not play is void.
-- @start_date, @end_date: DATE, both included.
select
  predictions.game_id,
  predictions.game_date,
  predictions.season,
  predictions.player_lookup,
  predictions.system_id,
  predictions.predicted_points,
  summary.points as actual_points,
  round(abs(predictions.predicted_points - summary.points), 2) as absolute_error,
  summary.points is null as is_void,
  current_timestamp() as processed_at
from nba_predictions.player_prop_predictions as predictions
join (
  select distinct game_id from nba_analytics.player_game_summary where game_date between @start_date and @end_date
) as summed_up on summed_up.game_id = predictions.game_id
left join nba_analytics.player_game_summary as summary
  on summary.game_id = predictions.game_id
  and summary.player_lookup = predictions.player_lookup
  and summary.game_date between @start_date and @end_date
where predictions.game_date between @start_date and @end_date
