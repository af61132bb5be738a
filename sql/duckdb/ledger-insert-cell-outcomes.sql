-- Records what a run did to its cells, in the transaction that records its end.
-- Parameters: rows (JSON), repair_id, started_at and ended_at (epoch milliseconds).
insert into cell_outcomes
select $repair_id, r.processor, r.date, epoch_ms($started_at::bigint), epoch_ms($ended_at::bigint), r.outcome, r.charged,
  r.worse, r.state_before, r.state_after, r.rows_before, r.rows_after, r.batch_dates, r.repair_hash, r.expectation_hash,
  r.inputs, epoch_ms(r.not_before), r.outdates
from (
  select unnest(from_json($rows::json, '[{
    "processor": "VARCHAR", "date": "DATE", "outcome": "VARCHAR", "charged": "BOOLEAN", "worse": "BOOLEAN",
    "state_before": "VARCHAR", "state_after": "VARCHAR", "rows_before": "BIGINT", "rows_after": "BIGINT",
    "batch_dates": "INTEGER", "repair_hash": "VARCHAR", "expectation_hash": "VARCHAR", "inputs": "JSON",
    "not_before": "BIGINT", "outdates": "JSON"
  }]')) as r
);
