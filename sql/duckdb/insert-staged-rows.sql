-- purpose: puts the staged rows of the dates of a repair into its table, by column name; the others get their defaults
-- parameters: $dates (DATE[])
-- columns: none
insert into {{table}} ({{columns}})
select {{columns}}
from (select {{values}} from temp.main.gr_staged)
where {{day}} in (select unnest($dates))
