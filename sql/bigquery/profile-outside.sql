-- purpose: how many rows of one processor's table have no date, or one outside of the dates that are asked for; further rows
--   of the arm that profile-processor.sql makes
-- parameters: the ends of the dates, inside {{condition}}
-- columns: {{head}}, the arm and the day since 1970-01-01 (that of rows without a date is before all others); then the rows,
--   and {{padding}}, which is NULL for each other column of the arm
select {{head}}, {{rows}}{{padding}}
from (
  select {{day}} as gr_day, count(*) as gr_rows
  from {{source}}
  where {{condition}}
  group by 1
) as gr_outside
