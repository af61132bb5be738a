-- The starts that have no end, oldest first.
-- Parameters: none.
-- Columns: those of repair_starts, lists as JSON, instants as epoch milliseconds.
select repair_id, repair, to_json(processors) as processors, to_json(dates) as dates, attempt, token,
  epoch_ms(started_at) as started_at, epoch_ms(deadline_at) as deadline_at, worker, external_handle, repair_hash, cycle_id
from repair_starts
anti join repair_ends using (repair_id)
order by repair_starts.started_at, repair_id;
