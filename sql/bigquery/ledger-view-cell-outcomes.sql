-- purpose: what every run did to each of its cells
-- parameters: none
-- columns: those of cell_outcomes in the DuckDB ledger
select
  repair_id,
  json_value(cell, '$.processor') as processor,
  cast(json_value(cell, '$.date') as date) as date,
  repair_ends.started_at,
  repair_ends.ended_at,
  json_value(cell, '$.outcome') as outcome,
  cast(json_value(cell, '$.charged') as bool) as charged,
  cast(json_value(cell, '$.worse') as bool) as worse,
  json_value(cell, '$.state_before') as state_before,
  json_value(cell, '$.state_after') as state_after,
  cast(json_value(cell, '$.rows_before') as int64) as rows_before,
  cast(json_value(cell, '$.rows_after') as int64) as rows_after,
  cast(json_value(cell, '$.batch_dates') as int64) as batch_dates,
  json_value(cell, '$.repair_hash') as repair_hash,
  json_value(cell, '$.expectation_hash') as expectation_hash,
  parse_json(json_query(cell, '$.inputs')) as inputs,
  parse_json(json_query(cell, '$.outdates')) as outdates,
  timestamp_millis(cast(json_value(cell, '$.not_before') as int64)) as not_before
from (
  select id as repair_id, cell
  from {{dataset}}.distinct_records, unnest(json_query_array(body, '$.cells')) as cell
  where kind = 'end'
)
join {{dataset}}.repair_ends as repair_ends using (repair_id)
