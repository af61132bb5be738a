-- The last cycles that finished since an instant, oldest first.
-- Parameters: since (epoch milliseconds, included), at_most.
-- Columns: those of cycles, instants as epoch milliseconds.
select *
from (
  select cycle_id, epoch_ms(started_at) as started_at, epoch_ms(finished_at) as finished_at, converged, accepted, gaps,
    unknown_cells, enqueued, scan_bytes, rowid as place
  from cycles
  where cycles.finished_at >= epoch_ms($since::bigint)
  order by cycles.finished_at desc, rowid desc
  limit $at_most
)
order by finished_at, place;
