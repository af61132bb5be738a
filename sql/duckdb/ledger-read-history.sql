-- The last attempts of one cell with the log of each, oldest first.
-- Parameters: processor, date, at_most.
-- Columns: those of cell_outcomes; attempt, token, worker and dates (JSON) of the start; error_code, message and log_tail
-- of the end. Where there is no start, those of it are null.
with attempts as (
  select *
  from (
    select *, rowid as place
    from cell_outcomes
    union all by name
    -- A ledger of form 1 has no such column.
    select null::json as outdates
    where false
  ) as c
  where processor = $processor and date = $date
  order by ended_at desc, started_at desc, place desc
  limit $at_most
)
select repair_id, attempts.processor, (attempts.date - date '1970-01-01')::integer as day,
  epoch_ms(attempts.started_at) as started_at, epoch_ms(attempts.ended_at) as ended_at, attempts.outcome, charged, worse,
  state_before, state_after, rows_before, rows_after, batch_dates, attempts.repair_hash, expectation_hash, inputs,
  epoch_ms(not_before) as not_before, coalesce(outdates, '{}') as outdates, repair_ends.attempt, coalesce(token, 0) as token, coalesce(worker, '') as worker,
  coalesce(to_json(repair_starts.dates), to_json([attempts.date])) as dates, error_code, message, log_tail
from attempts
join repair_ends using (repair_id)
left join repair_starts using (repair_id)
order by attempts.ended_at, attempts.started_at, place;
