-- purpose: the processor's rows on the dates of a repair
-- parameters: @dates (ARRAY<DATE>), and the ends of their range inside {{condition}}
-- columns: rows (INT64)
select count(*)
from {{table}} as gr_table
where {{condition}} and {{day}} in unnest(@dates)
