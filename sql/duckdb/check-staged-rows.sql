-- purpose: whether every staged row belongs to the range of its repair
-- parameters: $start_date, $end_date (DATE, both included)
-- columns: rows without a date, rows outside the range (BIGINT), the first and last date outside (VARCHAR)
select
  count(*) filter (where gr_day is null),
  count(*) filter (where gr_day not between $start_date and $end_date),
  (min(gr_day) filter (where gr_day not between $start_date and $end_date))::varchar,
  (max(gr_day) filter (where gr_day not between $start_date and $end_date))::varchar
from (select {{day}} as gr_day from (select {{column}}::{{type}} as {{column}} from temp.main.gr_staged))
