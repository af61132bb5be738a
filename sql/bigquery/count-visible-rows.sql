-- purpose: how many rows of a table this account sees; an arm of a union for several tables
-- parameters: none
-- columns: {{number}} of the table, rows (INT64)
select cast({{number}} as int64) as gr_table, count(*) as gr_rows
from {{table}}
where {{condition}}
