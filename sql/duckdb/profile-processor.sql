-- purpose: what one processor's table holds, aggregated per date; one arm of the union that profiles many
-- parameters: $start_date, $end_date (DATE, both included), inside {{condition}} and {{joins}}
-- columns: {{head}}, which is the arm and the day since 1970-01-01 (INTEGER) or, for a person, the date; then DOUBLE: rows,
--   entities, first and last write (epoch milliseconds), the metrics in the order of the expectation
select {{head}}, {{columns}}
from (
  select {{day}} as gr_day, {{aggregates}}
  from {{source}}
  where {{condition}}
  group by 1
) as gr_base
{{joins}}
