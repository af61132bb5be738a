-- purpose: rows or distinct entities of another table per date, to be joined to a profile
-- parameters: the ends of the dates that are asked for, inside {{condition}}
-- columns: gr_day (DATE), {{name}} (INT64)
select {{day}} as gr_day, {{count}} as {{name}}
from {{source}}
where {{condition}}
group by 1
