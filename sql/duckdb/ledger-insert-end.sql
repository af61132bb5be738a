-- Records the end of a run; the same repair id twice changes nothing.
-- Parameters: row (JSON).
insert into repair_ends
select r.repair_id, r.repair, r.attempt, epoch_ms(r.started_at), epoch_ms(r.ended_at), r.outcome, r.systemic, r.error_code,
  r.message, r.log_tail
from (
  select from_json($row::json, '{
    "repair_id": "VARCHAR", "repair": "VARCHAR", "attempt": "INTEGER", "started_at": "BIGINT", "ended_at": "BIGINT",
    "outcome": "VARCHAR", "systemic": "VARCHAR", "error_code": "VARCHAR", "message": "VARCHAR", "log_tail": "VARCHAR"
  }') as r
)
on conflict do nothing;
