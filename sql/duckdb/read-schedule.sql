-- purpose: the scheduled dates of a schedule with their units and season
-- parameters: $start_date, $end_date (DATE, both included), inside {{condition}}
-- columns: day (days since 1970-01-01, INTEGER), units (DOUBLE), season (VARCHAR; of a date in two, the later name); by day
select ({{day}} - date '1970-01-01')::integer as gr_day, {{units}}::double as gr_units, max({{season}}) as gr_season
from {{source}}
where {{condition}}
group by {{day}}
order by 1
