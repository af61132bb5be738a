-- purpose: keeps what a repair's SELECT returns, so that it runs once and reads the table as it was before
-- parameters: @start_date, @end_date (DATE, both included), where {{query}} uses them
-- columns: none
create temp table gr_staged as select * from {{query}} as gr_query
