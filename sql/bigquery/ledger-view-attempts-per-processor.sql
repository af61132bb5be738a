-- purpose: how the repairs of each processor went, counted in cells
-- parameters: none
-- columns: those of attempts_per_processor in the DuckDB ledger
select
  processor,
  countif(charged) as charged_attempts,
  countif(outcome = 'repaired') as repaired,
  countif(outcome = 'ineffective') as ineffective,
  countif(outcome in ('failed', 'failed_permanently')) as failed,
  countif(outcome = 'timed_out') as timed_out,
  countif(outcome = 'lost') as lost,
  count(distinct date) as dates,
  max(ended_at) as last_ended_at
from {{dataset}}.cell_outcomes
group by processor
order by processor
