-- purpose: the processor's rows on the dates of a repair
-- parameters: $start_date, $end_date (DATE, both included), $dates (DATE[])
-- columns: rows (BIGINT)
select count(*)
from {{table}}
where {{condition}} and {{day}} in (select unnest($dates))
