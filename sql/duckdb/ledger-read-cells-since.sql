-- The cells of the last ends of runs since an instant, by run in no order, within a run as they were written.
-- Parameters: since (epoch milliseconds, included), at_most (how many ends).
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
where repair_id in (
  select repair_id
  from repair_ends
  where repair_ends.ended_at >= epoch_ms($since::bigint)
  order by repair_ends.ended_at desc, rowid desc
  limit $at_most
)
order by place;
