-- Mean run times of each repair, from the runs that repaired a cell at least.
-- Parameters: none.
-- Columns: repair, runs, mean_seconds, mean_seconds_per_date.
with effective as (
  select repair_id, max(batch_dates) as dates
  from cell_outcomes
  group by repair_id
  having bool_or(outcome = 'repaired')
)
select repair, count(*) as runs, avg(epoch(ended_at - started_at)) as mean_seconds,
  sum(epoch(ended_at - started_at)) / sum(greatest(dates, 1)) as mean_seconds_per_date
from repair_ends
join effective using (repair_id)
group by repair
order by repair;
