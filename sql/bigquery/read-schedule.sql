-- purpose: the scheduled dates of a schedule with their units and season, and its rows that are no dates of it: those
--   without a date, and those of a year that no schedule has
-- parameters: the ends of the dates that are asked for, inside {{condition}}
-- columns: day (days since 1970-01-01, INT64; without a date the least one), units (INT64), season (STRING; of a date in two,
--   the later name), rows (INT64); by day
select
  coalesce(unix_date({{day}}), -2147483648) as gr_day,
  {{units}} as gr_units,
  max({{season}}) as gr_season,
  count(*) as gr_rows
from {{source}}
where {{condition}}
group by 1
order by 1
