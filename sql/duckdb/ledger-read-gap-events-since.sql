-- The last openings and closings since an instant, oldest first.
-- Parameters: since (epoch milliseconds, included), at_most.
-- Columns: those of gap_events, the date as days since 1970-01-01, the instant as epoch milliseconds.
select *
from (
  select epoch_ms(happened_at) as happened_at, cycle_id, processor, (date - date '1970-01-01')::integer as day, event,
  state, was_complete,
    rowid as place
  from gap_events
  where gap_events.happened_at >= epoch_ms($since::bigint)
  order by gap_events.happened_at desc, rowid desc
  limit $at_most
)
order by happened_at, place;
