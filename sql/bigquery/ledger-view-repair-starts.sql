-- purpose: every run of a repair, written before it was launched
-- parameters: none
-- columns: those of repair_starts in the DuckDB ledger
select
  id as repair_id,
  json_value(body, '$.repair') as repair,
  json_value_array(body, '$.processors') as processors,
  array(
    select cast(date as date) from unnest(json_value_array(body, '$.dates')) as date with offset as place order by place
  ) as dates,
  cast(json_value(body, '$.attempt') as int64) as attempt,
  cast(json_value(body, '$.token') as int64) as token,
  timestamp_millis(cast(json_value(body, '$.started_at') as int64)) as started_at,
  timestamp_millis(cast(json_value(body, '$.deadline_at') as int64)) as deadline_at,
  json_value(body, '$.worker') as worker,
  json_value(body, '$.external_handle') as external_handle,
  json_value(body, '$.repair_hash') as repair_hash,
  json_value(body, '$.cycle_id') as cycle_id
from {{dataset}}.distinct_records
where kind = 'start'
