-- purpose: the row of no processor, where it is missing
-- parameters: none
-- columns: none
insert into {{fence}} (processor, date, token, repair_id, written_at)
select '', cast(null as date), 0, '', current_timestamp()
from unnest([1])
where not exists (select 1 from {{fence}} where processor = '')
