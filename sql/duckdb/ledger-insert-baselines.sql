-- Records what was complete in an accepted cycle, in the transaction that records the cycle.
-- Parameters: rows (JSON).
insert into baselines
select r.subject, r.name, r.hash, epoch_ms(r.accepted_at), r.dates
from (
  select unnest(from_json($rows::json, '[{
    "subject": "VARCHAR", "name": "VARCHAR", "hash": "VARCHAR", "accepted_at": "BIGINT", "dates": "VARCHAR"
  }]')) as r
);
