-- purpose: a cell of a repair that another repair holds, read after the repair wrote its own rows
-- parameters: @processor (STRING), @dates (ARRAY<DATE>), @token (INT64), @repair_id (STRING)
-- columns: date (STRING), token (INT64), repair_id (STRING); at most one row, the largest token
select cast(date as string) as date, token, repair_id
from {{fence}}
where processor = @processor and date in unnest(@dates) and (token <> @token or repair_id <> @repair_id)
order by token desc, date
limit 1
