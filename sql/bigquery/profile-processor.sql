-- purpose: what one processor's table holds, aggregated per date; one arm of the union that profiles many
-- parameters: the ends of the dates that are asked for (DATE, DATETIME or TIMESTAMP as the date column is, compared with the
--   bare column so that BigQuery reads no other partition), inside {{condition}} and {{joins}}
-- columns: {{head}}, which is the arm and the day since 1970-01-01 (INT64) or, for a person, the date; then FLOAT64: rows,
--   entities, first and last write (epoch milliseconds), the metrics in the order of the expectation
select {{head}}, {{columns}}
from (
  select {{day}} as gr_day, {{aggregates}}
  from {{source}}
  where {{condition}}
  group by 1
) as gr_base
{{joins}}
