-- The last openings and closings of each cell, oldest first.
-- Parameters: per_cell (how many of each).
-- Columns: those of gap_events, the date as days since 1970-01-01, the instant as epoch milliseconds.
select epoch_ms(happened_at) as happened_at, cycle_id, processor, (date - date '1970-01-01')::integer as day, event,
  state, was_complete
from gap_events
qualify row_number() over (partition by processor, date order by gap_events.happened_at desc, rowid desc) <= $per_cell
order by gap_events.happened_at, rowid;
