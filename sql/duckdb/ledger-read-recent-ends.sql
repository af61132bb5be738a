-- The last ends of each repair since an instant, oldest first.
-- Parameters: since (epoch milliseconds, included), per_repair (how many of each).
-- Columns: those of repair_ends without the log, instants as epoch milliseconds.
select repair_id, repair, attempt, epoch_ms(started_at) as started_at, epoch_ms(ended_at) as ended_at, outcome, systemic,
  error_code, message
from repair_ends
where repair_ends.ended_at >= epoch_ms($since::bigint)
qualify row_number() over (partition by repair order by repair_ends.ended_at desc, rowid desc) <= $per_repair
order by repair_ends.ended_at, rowid;
