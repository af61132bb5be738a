-- purpose: every opening and closing of a gap, as a query saw it
-- parameters: none
-- columns: those of gap_events in the DuckDB ledger; recorded_at and place, which order what happened at once
select
  timestamp_millis(cast(json_value(event, '$.happened_at') as int64)) as happened_at,
  json_value(event, '$.cycle_id') as cycle_id,
  json_value(event, '$.processor') as processor,
  cast(json_value(event, '$.date') as date) as date,
  json_value(event, '$.event') as event,
  json_value(event, '$.state') as state,
  cast(json_value(event, '$.was_complete') as bool) as was_complete,
  recorded_at,
  place
from {{dataset}}.distinct_records, unnest(json_query_array(body, '$.gap_events')) as event with offset as place
where kind = 'cycle'
