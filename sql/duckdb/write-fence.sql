-- purpose: claims the cells of a repair; a row with a larger token, or the same one of another repair, stays as it is
-- parameters: $processor (VARCHAR), $dates (DATE[]), $token (BIGINT), $repair_id (VARCHAR)
-- columns: none
insert into {{fence}} as fence (processor, date, token, repair_id, written_at)
select $processor, cells.date, $token, $repair_id, current_timestamp
from (select unnest($dates) as date) as cells
on conflict (processor, date) do update
set token = excluded.token, repair_id = excluded.repair_id, written_at = excluded.written_at
where fence.token < excluded.token or (fence.token = excluded.token and fence.repair_id = excluded.repair_id)
