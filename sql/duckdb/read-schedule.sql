-- purpose: the scheduled dates of a schedule with their units and season, and its rows that are no dates of it: those
--   without a date, and those of a year that no schedule has
-- parameters: $start_date, $end_date (DATE, both included), inside {{condition}}
-- columns: day (days since 1970-01-01, INTEGER; without a date the least one), units (DOUBLE), season (VARCHAR; of a date in
--   two, the later name), rows (BIGINT); by day
select
  coalesce(({{day}} - date '1970-01-01')::integer, -2147483648) as gr_day,
  {{units}}::double as gr_units,
  max({{season}}) as gr_season,
  count(*) as gr_rows
from {{source}}
where {{condition}}
group by {{day}}
order by 1
