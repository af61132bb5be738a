-- purpose: the first date of each season of a schedule, in its whole source without any filter but that of the dates that
--   a schedule may have
-- parameters: the first and the last of these dates, inside {{condition}}
-- columns: season (STRING), day (days since 1970-01-01, INT64); by day, then by name
select {{season}} as gr_season, unix_date(min({{day}})) as gr_day
from {{source}}
where {{condition}}
group by 1
order by 2, 1
