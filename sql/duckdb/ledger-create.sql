-- Makes the tables of a ledger and the views in which a person reads it. Several statements, run in one transaction.
-- Parameters: none. Instants are TIMESTAMPs in UTC, exact to the millisecond; dates of a range include both ends.
create table schema_version (
  version integer not null,
  created_at timestamp not null
);
comment on table schema_version is 'Which form of these tables this file has; one row per change of the form.';

create table repair_starts (
  repair_id varchar primary key,
  repair varchar not null,
  processors varchar[] not null,
  dates date[] not null,
  attempt integer not null,
  token bigint not null,
  started_at timestamp not null,
  deadline_at timestamp not null,
  worker varchar not null,
  external_handle varchar,
  repair_hash varchar not null,
  cycle_id varchar not null
);
comment on table repair_starts is 'Every run of a repair, written before it was launched. A start without a row in repair_ends still runs, or was lost.';
comment on column repair_starts.repair is 'The name of the repair: that of its processor, or of a repair that several share.';
comment on column repair_starts.processors is 'The processors whose tables it fills.';
comment on column repair_starts.dates is 'The dates that it fills, ascending.';
comment on column repair_starts.attempt is 'The attempts of the cell that has most, this one included; 1 is the first.';
comment on column repair_starts.token is 'The fencing token: larger than that of any run of the same cells before.';
comment on column repair_starts.started_at is 'UTC.';
comment on column repair_starts.deadline_at is 'UTC. A run without an end by then is lost.';
comment on column repair_starts.worker is 'The process that ran it: host/pid/start time.';
comment on column repair_starts.external_handle is 'What finds the run outside this machine: a name, an id or a URL.';
comment on column repair_starts.repair_hash is 'Of what the repair did; it changes with the configured action.';

create table repair_ends (
  repair_id varchar primary key,
  repair varchar not null,
  attempt integer not null,
  started_at timestamp not null,
  ended_at timestamp not null,
  outcome varchar not null,
  systemic varchar,
  error_code varchar,
  message varchar,
  log_tail varchar
);
comment on table repair_ends is 'How every run of a repair ended.';
comment on column repair_ends.ended_at is 'UTC.';
comment on column repair_ends.outcome is 'repaired, ineffective (it succeeded, the gap is still there), failed, failed_permanently, timed_out, lost_lock, inputs_moved, lost or skipped.';
comment on column repair_ends.systemic is 'Where the fault says nothing about the dates: authentication, executable_not_found, connection_refused or quota.';
comment on column repair_ends.error_code is 'A word for programs, such as exit_75 or http_503; null on success.';
comment on column repair_ends.log_tail is 'The end of what the run printed, at most 4 KiB, secrets masked.';

create table cell_outcomes (
  repair_id varchar not null,
  processor varchar not null,
  date date not null,
  started_at timestamp not null,
  ended_at timestamp not null,
  outcome varchar not null,
  charged boolean not null,
  worse boolean not null,
  state_before varchar not null,
  state_after varchar not null,
  rows_before bigint,
  rows_after bigint,
  batch_dates integer not null,
  repair_hash varchar not null,
  expectation_hash varchar not null,
  inputs json not null,
  not_before timestamp,
  outdates json
);
comment on table cell_outcomes is 'What every run did to each of its cells: a cell is one processor on one date.';
comment on column cell_outcomes.charged is 'Whether it counts as one of the attempts of the cell.';
comment on column cell_outcomes.worse is 'Whether the run left fewer rows or more violations than it found: the cell is quarantined at once.';
comment on column cell_outcomes.state_before is 'What the query saw before the run: missing, partial, invalid, stale, complete …';
comment on column cell_outcomes.batch_dates is 'Dates of the run that it was part of.';
comment on column cell_outcomes.inputs is 'The versions of the inputs at the check before the run, by upstream processor.';
comment on column cell_outcomes.not_before is 'UTC. The other side asked not to be tried before then.';
comment on column cell_outcomes.outdates is 'Cells downstream that were complete and were computed from what this run replaced, by processor.';

create table gap_events (
  happened_at timestamp not null,
  cycle_id varchar not null,
  processor varchar not null,
  date date not null,
  event varchar not null,
  state varchar not null,
  was_complete boolean not null
);
comment on table gap_events is 'Every opening and closing of a gap, as a query saw it.';
comment on column gap_events.happened_at is 'UTC; the clock of the warehouse in the cycle that saw it.';
comment on column gap_events.event is 'opened or closed.';
comment on column gap_events.state is 'The state with which it opened, or to which it closed.';
comment on column gap_events.was_complete is 'On opened: whether the cell was ever seen complete before.';

create table cycles (
  cycle_id varchar primary key,
  started_at timestamp not null,
  finished_at timestamp not null,
  converged boolean not null,
  accepted boolean not null,
  gaps bigint not null,
  unknown_cells bigint not null,
  enqueued bigint not null,
  scan_bytes bigint not null
);
comment on table cycles is 'Every pass over the warehouse: observe, assess, plan, enqueue.';
comment on column cycles.converged is 'No gap and no unknown cell, processors of severity info aside.';
comment on column cycles.accepted is 'False where a breaker spoke against what the pass saw: its baselines were not kept.';
comment on column cycles.unknown_cells is 'Cells that could not be observed.';
comment on column cycles.enqueued is 'Repairs that it handed to the queue.';

create table baselines (
  subject varchar not null,
  name varchar not null,
  hash varchar not null,
  accepted_at timestamp not null,
  dates varchar not null
);
comment on table baselines is 'What was complete (of a schedule: scheduled) in an accepted pass, written when it changed.';
comment on column baselines.subject is 'processor or schedule.';
comment on column baselines.hash is 'Of the expectation that was met; empty for a schedule.';
comment on column baselines.accepted_at is 'UTC.';
comment on column baselines.dates is 'Runs of consecutive dates, such as 2024-01-01..2024-01-03,2024-01-05; both ends included.';

create table decisions (
  decision_id varchar primary key,
  decided_at timestamp not null,
  actor varchar not null,
  reason varchar not null,
  kind varchar not null,
  processors varchar[],
  start_date date,
  end_date date,
  waiver_owner varchar,
  waiver_expires date,
  waiver_downstream varchar
);
comment on table decisions is 'What people decided. A later decision of the same kind, or its opposite, overrides for the cells that both name.';
comment on column decisions.decided_at is 'UTC.';
comment on column decisions.kind is 'waive, unwaive, retry, release, accept, pause, resume or cancel.';
comment on column decisions.processors is 'Null means every processor.';
comment on column decisions.start_date is 'The first date it holds for; null means from the first of all.';
comment on column decisions.end_date is 'The last date it holds for; null means up to the last of all.';
comment on column decisions.waiver_expires is 'The last date on which a waiver holds; null never ends.';
comment on column decisions.waiver_downstream is 'exempt: dependents are exempt too. proceed: they run on what there is.';

create view open_gaps as
  select processor, date, state, happened_at as opened_at, was_complete
  from gap_events
  qualify row_number() over (partition by processor, date order by happened_at desc, rowid desc) = 1
    and event = 'opened'
  order by processor, date;
comment on view open_gaps is 'The cells that were gaps when they were last seen, and since when.';

create view attempts_per_processor as
  select
    processor,
    count(*) filter (charged) as charged_attempts,
    count(*) filter (outcome = 'repaired') as repaired,
    count(*) filter (outcome = 'ineffective') as ineffective,
    count(*) filter (outcome in ('failed', 'failed_permanently')) as failed,
    count(*) filter (outcome = 'timed_out') as timed_out,
    count(*) filter (outcome = 'lost') as lost,
    count(distinct date) as dates,
    max(ended_at) as last_ended_at
  from cell_outcomes
  group by processor
  order by processor;
comment on view attempts_per_processor is 'How the repairs of each processor went, counted in cells.';

create view time_to_repair as
  select processor, date, opened_at, closed_at, closed_to,
    epoch(closed_at - opened_at) as seconds_open
  from (
    select processor, date, event, happened_at as opened_at,
      lead(happened_at) over later as closed_at,
      lead(event) over later as next_event,
      lead(state) over later as closed_to
    from gap_events
    window later as (partition by processor, date order by happened_at, rowid)
  )
  where event = 'opened' and next_event = 'closed'
  order by closed_at desc, processor, date;
comment on view time_to_repair is 'Every gap that was closed, with how long it was open.';
