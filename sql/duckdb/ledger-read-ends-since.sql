-- The last ends of runs since an instant, oldest first.
-- Parameters: since (epoch milliseconds, included), at_most.
-- Columns: those of repair_ends, instants as epoch milliseconds; processors and dates (JSON) of the start, NULL where there is none.
with ends as (
  select *, rowid as place
  from repair_ends
  where repair_ends.ended_at >= epoch_ms($since::bigint)
  order by repair_ends.ended_at desc, rowid desc
  limit $at_most
)
select repair_id, ends.repair, to_json(processors) as processors, to_json(dates) as dates, ends.attempt,
  epoch_ms(ends.started_at) as started_at, epoch_ms(ends.ended_at) as ended_at, outcome, systemic, error_code, message, log_tail
from ends
left join repair_starts using (repair_id)
order by ends.ended_at, place;
