-- Records the start of a run; the same repair id twice changes nothing.
-- Parameters: row (JSON).
insert into repair_starts
select r.repair_id, r.repair, r.processors, r.dates, r.attempt, r.token, epoch_ms(r.started_at), epoch_ms(r.deadline_at),
  r.worker, r.external_handle, r.repair_hash, r.cycle_id
from (
  select from_json($row::json, '{
    "repair_id": "VARCHAR", "repair": "VARCHAR", "processors": ["VARCHAR"], "dates": ["DATE"], "attempt": "INTEGER",
    "token": "BIGINT", "started_at": "BIGINT", "deadline_at": "BIGINT", "worker": "VARCHAR",
    "external_handle": "VARCHAR", "repair_hash": "VARCHAR", "cycle_id": "VARCHAR"
  }') as r
)
on conflict do nothing;
