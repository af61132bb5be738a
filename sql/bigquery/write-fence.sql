-- purpose: claims the cells of a repair, after they were taken out of the fence
-- parameters: @processor (STRING), @dates (ARRAY<DATE>), @token (INT64), @repair_id (STRING)
-- columns: none
insert into {{fence}} (processor, date, token, repair_id, written_at)
select '', cast(null as date), 0, @repair_id, current_timestamp()
from unnest([1])
union all
select @processor, gr_date, @token, @repair_id, current_timestamp()
from unnest(@dates) as gr_date
