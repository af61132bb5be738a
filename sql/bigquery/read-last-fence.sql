-- purpose: the largest fencing token of any of some cells
-- parameters: @cells (ARRAY<STRING>), each a processor, a space and a date
-- columns: token (INT64; 0 where there is none)
select coalesce(max(token), 0)
from {{fence}}
where concat(processor, ' ', cast(date as string)) in unnest(@cells)
