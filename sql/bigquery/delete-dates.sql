-- purpose: empties the dates of a repair, of the rows that are the processor's
-- parameters: @dates (ARRAY<DATE>), and the ends of their range inside {{condition}}
-- columns: none
delete from {{table}} as gr_table
where {{condition}} and {{day}} in unnest(@dates)
