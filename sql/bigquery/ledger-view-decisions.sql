-- purpose: what people decided
-- parameters: none
-- columns: those of decisions in the DuckDB ledger
select
  id as decision_id,
  timestamp_millis(cast(json_value(body, '$.decided_at') as int64)) as decided_at,
  json_value(body, '$.actor') as actor,
  json_value(body, '$.reason') as reason,
  json_value(body, '$.kind') as kind,
  json_value_array(body, '$.processors') as processors,
  cast(json_value(body, '$.start_date') as date) as start_date,
  cast(json_value(body, '$.end_date') as date) as end_date,
  json_value(body, '$.waiver_owner') as waiver_owner,
  cast(json_value(body, '$.waiver_expires') as date) as waiver_expires,
  json_value(body, '$.waiver_downstream') as waiver_downstream
from {{dataset}}.distinct_records
where kind = 'decision'
