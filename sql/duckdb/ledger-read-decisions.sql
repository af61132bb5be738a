-- The last decisions since an instant, oldest first.
-- Parameters: since (epoch milliseconds, included), at_most.
-- Columns: those of decisions, lists as JSON, dates as text, the instant as epoch milliseconds.
select *
from (
  select decision_id, epoch_ms(decided_at) as decided_at, actor, reason, kind, to_json(processors) as processors,
  start_date::varchar as start_date, end_date::varchar as end_date, waiver_owner, waiver_expires::varchar as waiver_expires,
  waiver_downstream,
    rowid as place
  from decisions
  where decisions.decided_at >= epoch_ms($since::bigint)
  order by decisions.decided_at desc, rowid desc
  limit $at_most
)
order by decided_at, place;
