-- purpose: whether every staged row belongs to the range of its repair, and to its processor
-- parameters: $start_date, $end_date (DATE, both included), $dates (DATE[])
-- columns: rows without a date, rows outside the range (BIGINT), the first and last date outside (VARCHAR), rows of the
--   dates that the processor would not own (BIGINT)
select
  count(*) filter (where gr_day is null),
  count(*) filter (where gr_day not between $start_date and $end_date),
  (min(gr_day) filter (where gr_day not between $start_date and $end_date))::varchar,
  (max(gr_day) filter (where gr_day not between $start_date and $end_date))::varchar,
  count(*) filter (where gr_day in (select unnest($dates)) and not gr_owned)
from (select {{day}} as gr_day, coalesce({{owned}}, false) as gr_owned from {{source}}) as gr_rows
