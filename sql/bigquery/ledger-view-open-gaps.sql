-- purpose: the cells that were gaps when they were last seen, and since when
-- parameters: none
-- columns: those of open_gaps in the DuckDB ledger
select processor, date, state, happened_at as opened_at, was_complete
from (
  select *,
    row_number() over (
      partition by processor, date order by happened_at desc, recorded_at desc, place desc
    ) as place_from_last
  from {{dataset}}.gap_events
)
where place_from_last = 1 and event = 'opened'
order by processor, date
