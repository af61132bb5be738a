-- The last ends of runs since an instant, oldest first.
-- Parameters: since (epoch milliseconds, included), at_most.
-- Columns: those of repair_ends, instants as epoch milliseconds.
select *
from (
  select repair_id, repair, attempt, epoch_ms(started_at) as started_at, epoch_ms(ended_at) as ended_at, outcome, systemic,
    error_code, message, log_tail, rowid as place
  from repair_ends
  where repair_ends.ended_at >= epoch_ms($since::bigint)
  order by repair_ends.ended_at desc, rowid desc
  limit $at_most
)
order by ended_at, place;
