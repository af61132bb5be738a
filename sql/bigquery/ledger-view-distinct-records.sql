-- purpose: the log without what was written twice, of which the first counts, and without records of which a part is missing
-- parameters: none
-- columns: those of records
select recorded_at, kind, id, part, parts, body
from (
  select *, row_number() over (partition by kind, id, part order by recorded_at) as place
  from {{dataset}}.records
)
where place = 1
qualify count(*) over (partition by kind, id) = parts
