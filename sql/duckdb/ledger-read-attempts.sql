-- The last attempts of each cell, oldest first.
-- Parameters: per_cell (how many of each).
-- Columns: those of cell_outcomes, the date as days since 1970-01-01, instants as epoch milliseconds.
select repair_id, processor, (date - date '1970-01-01')::integer as day, epoch_ms(started_at) as started_at,
  epoch_ms(ended_at) as ended_at, outcome, charged, worse, state_before, state_after, rows_before, rows_after, batch_dates,
  repair_hash, expectation_hash, inputs, epoch_ms(not_before) as not_before, coalesce(outdates, '{}') as outdates
from (
  select *, rowid as place
  from cell_outcomes
  union all by name
  -- A ledger of form 1 has no such column.
  select null::json as outdates
  where false
) as c
qualify row_number() over (
  partition by processor, date
  order by c.ended_at desc, c.started_at desc, place desc
) <= $per_cell
order by c.ended_at, c.started_at, place;
