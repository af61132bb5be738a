-- purpose: puts the staged rows of the dates of a repair into its table, by column name; the others get their defaults. As a
--   dry run over the repair's SELECT itself it tells whether the types fit, before anything is staged
-- parameters: @dates (ARRAY<DATE>), and those of {{rows}}
-- columns: none
insert into {{table}} ({{columns}})
select {{columns}}
from (select {{values}} from {{rows}})
where {{day}} in unnest(@dates)
