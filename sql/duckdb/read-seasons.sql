-- purpose: the first date of each season of a schedule, in its whole source without any filter but that of the dates that
--   a schedule may have
-- parameters: $start_date, $end_date (DATE, the first and the last of these dates), inside {{condition}}
-- columns: season (VARCHAR), day (days since 1970-01-01, INTEGER); by day, then by name
select {{season}} as gr_season, (min({{day}}) - date '1970-01-01')::integer as gr_day
from {{source}}
where {{condition}}
{{groups}}
order by 2, 1
