-- purpose: counts of another table per date, such as rows or distinct entities, to be joined to a profile
-- parameters: $start_date, $end_date (DATE, both included), inside {{condition}}
-- columns: gr_day (DATE), {{counts}}
select {{day}} as gr_day, {{counts}}
from {{source}}
where {{condition}}
group by 1
