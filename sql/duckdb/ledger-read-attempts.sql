-- The last attempts of each cell, oldest first.
-- Parameters: per_cell (how many of each).
-- Columns: those of cell_outcomes, the date as days since 1970-01-01, instants as epoch milliseconds.
select repair_id, processor, (date - date '1970-01-01')::integer as day, epoch_ms(started_at) as started_at,
  epoch_ms(ended_at) as ended_at, outcome, charged, worse, state_before, state_after, rows_before, rows_after, batch_dates,
  repair_hash, expectation_hash, inputs, epoch_ms(not_before) as not_before
from cell_outcomes
qualify row_number() over (
  partition by processor, date
  order by cell_outcomes.ended_at desc, cell_outcomes.started_at desc, rowid desc
) <= $per_cell
order by cell_outcomes.ended_at, cell_outcomes.started_at, rowid;
