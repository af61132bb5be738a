-- purpose: every pass over the warehouse
-- parameters: none
-- columns: those of cycles in the DuckDB ledger
select
  id as cycle_id,
  timestamp_millis(cast(json_value(body, '$.started_at') as int64)) as started_at,
  timestamp_millis(cast(json_value(body, '$.finished_at') as int64)) as finished_at,
  cast(json_value(body, '$.converged') as bool) as converged,
  cast(json_value(body, '$.accepted') as bool) as accepted,
  cast(json_value(body, '$.gaps') as int64) as gaps,
  cast(json_value(body, '$.unknown_cells') as int64) as unknown_cells,
  cast(json_value(body, '$.enqueued') as int64) as enqueued,
  cast(json_value(body, '$.scan_bytes') as int64) as scan_bytes
from {{dataset}}.distinct_records
where kind = 'cycle' and part = 1
