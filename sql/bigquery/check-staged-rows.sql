-- purpose: whether every staged row belongs to the range of its repair, and to its processor
-- parameters: @start_date, @end_date (DATE, both included), @dates (ARRAY<DATE>)
-- columns: rows without a date, rows outside the range (INT64), the first and last date outside (STRING), rows of the
--   dates that the processor would not own (INT64)
select
  countif(gr_day is null),
  countif(gr_day not between @start_date and @end_date),
  cast(min(if(gr_day not between @start_date and @end_date, gr_day, null)) as string),
  cast(max(if(gr_day not between @start_date and @end_date, gr_day, null)) as string),
  countif(gr_day in unnest(@dates) and not gr_owned)
from (select {{day}} as gr_day, coalesce({{owned}}, false) as gr_owned from {{source}}) as gr_rows
