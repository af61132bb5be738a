-- purpose: whether every staged row belongs to the range of its repair
-- parameters: @start_date, @end_date (DATE, both included)
-- columns: rows without a date, rows outside the range (INT64), the first and last date outside (STRING)
select
  countif(gr_day is null),
  countif(gr_day not between @start_date and @end_date),
  cast(min(if(gr_day not between @start_date and @end_date, gr_day, null)) as string),
  cast(max(if(gr_day not between @start_date and @end_date, gr_day, null)) as string)
from (select {{day}} as gr_day from (select cast({{column}} as {{type}}) as {{column}} from gr_staged))
