-- purpose: the last runs of some processors, at most 20 of a processor and date and 10,000 in all, as a run history has them
-- parameters: $start_date, $end_date (DATE, both included), inside {{condition}}; $processors (VARCHAR[]);
--   $since (BIGINT, epoch milliseconds, included)
-- columns: processor (VARCHAR), day (days since 1970-01-01, INTEGER), status (VARCHAR or NULL), started, ended (epoch
--   milliseconds, BIGINT; ended may be NULL), run (VARCHAR or NULL), error (its first 8,192 characters, or NULL); newest first
select gr_processor, gr_day, gr_status, gr_started, gr_ended, gr_run, gr_error
from (
  select
    {{processor}} as gr_processor,
    ({{day}} - date '1970-01-01')::integer as gr_day,
    {{status}} as gr_status,
    {{started}} as gr_started,
    {{ended}} as gr_ended,
    {{run}} as gr_run,
    left({{error}}, 8192) as gr_error,
    -- Of rows that started at once, the one with an end first.
    row_number() over (
      partition by {{processor}}, {{day}}
      order by {{started}} desc, {{ended}} desc nulls last, {{status}}
    ) as gr_place
  from {{source}}
  where {{condition}} and list_contains($processors, {{processor}}) and {{started}} >= $since
) as gr_runs
where gr_place <= 20
order by gr_started desc, gr_processor, gr_day, gr_place
limit 10000
