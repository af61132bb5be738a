-- purpose: how many entities of another table are here, absent, excused or extra, per date, to be joined to a profile
-- parameters: $start_date, $end_date (DATE, both included), inside the conditions
-- columns: gr_day (DATE), gr_entities, gr_of, gr_absent, gr_present, gr_extra (BIGINT, distinct keys; NULL is no key); gr_extra_rows (rows of extra keys)
select
  gr_day,
  count(*) filter (where gr_here) as gr_entities,
  count(*) filter (where gr_there) as gr_of,
  count(*) filter (where gr_there and gr_here is null and not ({{excused}})) as gr_absent,
  count(*) filter (where gr_there and gr_here) as gr_present,
  count(*) filter (where gr_here and gr_there is null and not ({{excused}})) as gr_extra,
  sum(gr_key_rows) filter (where gr_there is null and not ({{excused}})) as gr_extra_rows
from (
  select {{own_day}} as gr_day, {{own_key}} as gr_key, true as gr_here, count(*) as gr_key_rows
  from {{own_source}}
  where {{own_condition}} and {{own_key}} is not null
  group by 1, 2
) as gr_own
full join (
  select distinct {{of_day}} as gr_day, {{of_key}} as gr_key, true as gr_there
  from {{of_source}}
  where {{of_condition}} and {{of_key}} is not null
) as gr_other using (gr_day, gr_key)
{{excuses}}
group by gr_day
