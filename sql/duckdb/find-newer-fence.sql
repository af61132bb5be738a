-- purpose: a cell of a repair that another repair holds, read after the repair wrote its own rows
-- parameters: $processor (VARCHAR), $dates (DATE[]), $token (BIGINT), $repair_id (VARCHAR)
-- columns: date (VARCHAR), token (BIGINT), repair_id (VARCHAR); at most one row, the largest token
select date::varchar, token, repair_id
from {{fence}}
where processor = $processor and date in (select unnest($dates)) and (token <> $token or repair_id <> $repair_id)
order by token desc, date
limit 1
