-- purpose: the first keys in order that are absent or extra on some dates, by date, with how many there are
-- parameters: the ends of the dates that are asked for, inside the conditions
-- columns: gr_day (INT64, days since 1970-01-01), gr_extra (INT64, 1 for what is here), gr_text (STRING), gr_total (INT64, of the date and kind)
select unix_date(gr_day) as gr_day, gr_extra, gr_text, gr_total
from (
  select
    gr_day,
    if(gr_here is null, 0, 1) as gr_extra,
    format('%t', gr_key) as gr_text,
    count(*) over (partition by gr_day, gr_here is null) as gr_total,
    row_number() over (partition by gr_day, gr_here is null order by gr_key) as gr_place
  from (
    select distinct {{own_day}} as gr_day, {{own_key}} as gr_key, true as gr_here
    from {{own_source}}
    where {{own_condition}} and {{own_key}} is not null
  ) as gr_own
  full join (
    select distinct {{of_day}} as gr_day, {{of_key}} as gr_key, true as gr_there
    from {{of_source}}
    where {{of_condition}} and {{of_key}} is not null
  ) as gr_other using (gr_day, gr_key)
  {{excuses}}
  where (gr_here is null or gr_there is null) and not ({{excused}})
) as gr_keys
where gr_place <= {{limit}}
order by gr_day, gr_extra, gr_place
