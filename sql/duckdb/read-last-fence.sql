-- purpose: the largest fencing token of any of some cells
-- parameters: $processors (VARCHAR[]), $dates (DATE[]): two lists of one length, a cell per place
-- columns: token (BIGINT; 0 where there is none)
select coalesce(max(token), 0)
from {{fence}}
where (processor, date) in (select unnest($processors), unnest($dates))
