-- purpose: the entities that do not count against a coverage, per date
-- parameters: the ends of the dates that are asked for, inside {{condition}}
-- columns: gr_day (DATE), gr_key (as in the source), gr_excused (true)
select distinct {{day}} as gr_day, {{key}} as gr_key, true as gr_excused
from {{source}}
where {{condition}} and {{key}} is not null
