-- purpose: puts the staged rows of the dates of a repair into its table, by column name; the others get their defaults
-- parameters: @dates (ARRAY<DATE>)
-- columns: none
insert into {{table}} ({{columns}})
select {{columns}}
from (select {{values}} from gr_staged)
where {{day}} in unnest(@dates)
