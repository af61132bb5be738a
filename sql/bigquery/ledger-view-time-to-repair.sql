-- purpose: every gap that was closed, with how long it was open
-- parameters: none
-- columns: those of time_to_repair in the DuckDB ledger
select processor, date, opened_at, closed_at, closed_to,
  timestamp_diff(closed_at, opened_at, millisecond) / 1000 as seconds_open
from (
  select processor, date, event, happened_at as opened_at,
    lead(happened_at) over later as closed_at,
    lead(event) over later as next_event,
    lead(state) over later as closed_to
  from {{dataset}}.gap_events
  window later as (partition by processor, date order by happened_at, recorded_at, place)
)
where event = 'opened' and next_event = 'closed'
order by closed_at desc, processor, date
