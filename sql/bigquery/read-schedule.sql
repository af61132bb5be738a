-- purpose: the scheduled dates of a schedule with their units and season
-- parameters: the ends of the dates that are asked for, inside {{condition}}
-- columns: day (days since 1970-01-01, INT64), units (INT64), season (STRING; of a date in two, the later name); by day
select unix_date({{day}}) as gr_day, {{units}} as gr_units, max({{season}}) as gr_season
from {{source}}
where {{condition}}
group by 1
order by 1
