-- Records the openings and closings of a cycle, in the transaction that records the cycle.
-- Parameters: rows (JSON).
insert into gap_events
select epoch_ms(r.happened_at), r.cycle_id, r.processor, r.date, r.event, r.state, r.was_complete
from (
  select unnest(from_json($rows::json, '[{
    "happened_at": "BIGINT", "cycle_id": "VARCHAR", "processor": "VARCHAR", "date": "DATE", "event": "VARCHAR",
    "state": "VARCHAR", "was_complete": "BOOLEAN"
  }]')) as r
);
