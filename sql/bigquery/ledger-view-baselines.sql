-- purpose: what was complete (of a schedule: scheduled) in accepted passes
-- parameters: none
-- columns: those of baselines in the DuckDB ledger
select
  json_value(baseline, '$.subject') as subject,
  json_value(baseline, '$.name') as name,
  json_value(baseline, '$.hash') as `hash`,
  timestamp_millis(cast(json_value(baseline, '$.accepted_at') as int64)) as accepted_at,
  json_value(baseline, '$.dates') as dates
from {{dataset}}.distinct_records, unnest(json_query_array(body, '$.baselines')) as baseline
where kind = 'cycle'
