-- Records a cycle; the same cycle id twice changes nothing.
-- Parameters: row (JSON).
insert into cycles
select r.cycle_id, epoch_ms(r.started_at), epoch_ms(r.finished_at), r.converged, r.accepted, r.gaps, r.unknown_cells,
  r.enqueued, r.scan_bytes
from (
  select from_json($row::json, '{
    "cycle_id": "VARCHAR", "started_at": "BIGINT", "finished_at": "BIGINT", "converged": "BOOLEAN",
    "accepted": "BOOLEAN", "gaps": "BIGINT", "unknown_cells": "BIGINT", "enqueued": "BIGINT", "scan_bytes": "BIGINT"
  }') as r
)
on conflict do nothing;
