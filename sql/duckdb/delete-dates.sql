-- purpose: empties the dates of a repair, of the rows that are the processor's
-- parameters: $start_date, $end_date (DATE, both included), $dates (DATE[])
-- columns: none
delete from {{table}}
where {{condition}} and {{day}} in (select unnest($dates))
