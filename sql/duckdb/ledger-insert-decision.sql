-- Records what a person decided; the same id twice changes nothing.
-- Parameters: row (JSON).
insert into decisions
select r.decision_id, epoch_ms(r.decided_at), r.actor, r.reason, r.kind, r.processors, r.start_date, r.end_date,
  r.waiver_owner, r.waiver_expires, r.waiver_downstream
from (
  select from_json($row::json, '{
    "decision_id": "VARCHAR", "decided_at": "BIGINT", "actor": "VARCHAR", "reason": "VARCHAR", "kind": "VARCHAR",
    "processors": ["VARCHAR"], "start_date": "DATE", "end_date": "DATE", "waiver_owner": "VARCHAR",
    "waiver_expires": "DATE", "waiver_downstream": "VARCHAR"
  }') as r
)
on conflict do nothing;
