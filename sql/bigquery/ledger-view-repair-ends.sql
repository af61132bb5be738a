-- purpose: how every run of a repair ended
-- parameters: none
-- columns: those of repair_ends in the DuckDB ledger
select
  id as repair_id,
  json_value(body, '$.repair') as repair,
  cast(json_value(body, '$.attempt') as int64) as attempt,
  timestamp_millis(cast(json_value(body, '$.started_at') as int64)) as started_at,
  timestamp_millis(cast(json_value(body, '$.ended_at') as int64)) as ended_at,
  json_value(body, '$.outcome') as outcome,
  json_value(body, '$.systemic') as systemic,
  json_value(body, '$.error_code') as error_code,
  json_value(body, '$.message') as message,
  json_value(body, '$.log_tail') as log_tail
from {{dataset}}.distinct_records
where kind = 'end' and part = 1
