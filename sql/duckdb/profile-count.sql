-- purpose: rows or distinct entities of another table per date, to be joined to a profile
-- parameters: $start_date, $end_date (DATE, both included), inside {{condition}}
-- columns: gr_day (DATE), {{name}} (BIGINT)
select {{day}} as gr_day, {{count}} as {{name}}
from {{source}}
where {{condition}}
group by 1
