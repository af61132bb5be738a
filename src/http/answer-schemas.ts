import { z } from "zod";
import { dispositionNames, reasonNames, stateNames } from "../core/grid.ts";
import { decisionKinds, outcomes } from "../core/ledger-records.ts";
import { quarantineCauses } from "../core/retry-policy.ts";
import { errorCodes } from "../errors.ts";

/** What is answered, for the OpenAPI description. A test compares it with what is really answered, field by field. */
const date = z.iso.date();
const instant = z.iso.datetime();
const count = z.number().int().min(0);
const text = z.string();
const names = z.array(text);
const state = z.enum(stateNames);
const disposition = z.enum(dispositionNames);
const reason = z.enum(reasonNames).describe("Why it stands there; empty where there is nothing to add.");
const failure = z.object({ code: text, message: text });
const seconds = z.number().min(0).nullable().describe("Null where nobody can tell.");

const keys = z.object({
  count,
  keys: names
    .nullable()
    .describe(
      "The first twenty in order; null where they were not asked for, as beyond the first twenty gaps.",
    ),
});

export const coverageAnswer = z
  .object({
    absent: keys.describe("Keys of the other side that are not here, nor excused."),
    extra: keys
      .nullable()
      .describe("Keys here that the other side lacks; null where the config ignores them."),
  })
  .nullable()
  .describe("The keys of a coverage; null without one, or where nothing was seen.");

export const quarantine = z
  .object({
    cause: z.enum(quarantineCauses),
    since: instant,
    wrote_no_rows: count.describe("Attempts and probes that ended well, and the date had no rows."),
    wrote_too_little: count.describe(
      "Attempts and probes that ended well, and the rows were too few or wrong.",
    ),
    failed: count,
    last_error: z
      .object({ code: text, message: text.nullable() })
      .nullable()
      .describe("Of the last attempt that failed."),
    next_probe_at: instant.nullable(),
    probes_left: count.nullable().describe("Null where it is not probed by the clock."),
  })
  .describe("Why it was given up, what its attempts did, and when it is probed.");

const head = { schema_version: z.literal(1), pipeline: text, target: text.nullable() };
const revision = count.describe(
  "Grows with every change within one process; each replica counts for itself.",
);
const stale = z.boolean().describe("A look failed, or is overdue: this must not pass for the present.");

const gridRow = z.object({
  processor: text,
  phase: text.nullable(),
  severity: z.enum(["critical", "warning", "info"]),
  counts: z
    .partialRecord(state, count)
    .describe("Cells of the range; `unexpected` counts dates that are none."),
  gaps: z.partialRecord(disposition, count),
  states: text.describe(
    "One letter per calendar day of the range; a run of equal days is its length and the letter: `31c2m`.",
  ),
  dispositions: text.describe("The same for what stands between a gap and its repair."),
});

export const gridAnswer = z.object({
  ...head,
  revision,
  as_of: instant.describe("When the cells were judged."),
  looked_at: instant.describe("When the last look at everything began."),
  stale,
  converged: z.boolean(),
  range: z.object({ start_date: date, end_date: date }).describe("Both ends included."),
  seconds_to_convergence: seconds,
  breakers: z.array(
    z.object({
      kind: z.enum(["mass_gap", "schedule", "circuit"]),
      subject: text,
      message: text,
      processors: z.array(text).describe("Those whose repairs it holds."),
    }),
  ),
  schedule_changes: z
    .array(z.object({ schedule: text, vanished: z.array(date), believed: z.boolean() }))
    .describe("Past dates that left a schedule in the last 24 hours."),
  stray_rows: z
    .array(
      z.object({
        processor: text,
        without_date: count.nullable(),
        after_today: count.nullable(),
        before_schedule: count.nullable(),
      }),
    )
    .describe("Rows that stand in no cell, of the tables that have any; null where they were not counted."),
  legend: z
    .object({ states: z.record(text, state), dispositions: z.record(text, disposition) })
    .describe("What the letters stand for."),
  processors: z.array(gridRow),
});

const explainedCell = z.object({ processor: text, date, state, disposition, reason });

const attempt = z.object({
  repair_id: text,
  attempt: count,
  started_at: instant,
  ended_at: instant,
  outcome: z.enum(outcomes),
  charged: z.boolean().describe("Whether it counts against the attempts of the cell."),
  error_code: text.nullable(),
  message: text.nullable(),
  log_tail: text.nullable(),
  dates: z.array(date),
  fencing_token: count,
  worker: text,
});

const run = z.object({
  run_id: text.nullable(),
  status: text,
  kind: text,
  started_at: instant,
  ended_at: instant.nullable(),
  error: text.nullable(),
});

export const cellAnswer = z.object({
  ...head,
  as_of: instant,
  processor: text,
  date,
  phase: text.nullable(),
  table: text,
  state,
  disposition,
  reason,
  due_at: instant.nullable().describe("Null where it reads up to a date that no schedule has yet."),
  expected: names,
  observed: z
    .object({
      rows: count,
      entities: count.nullable(),
      first_write: instant.nullable(),
      last_write: instant.nullable(),
    })
    .nullable(),
  failure: failure.nullable().describe("Why it could not be observed."),
  checks: z.array(z.object({ name: text, holds: z.boolean(), observed: text, expected: text })),
  coverage: coverageAnswer,
  upstreams: z.array(
    z.object({
      upstreams: names,
      mode: z.enum(["hard", "soft"]),
      reads: text,
      cells_read: z
        .array(
          z.object({
            processor: text,
            start_date: date.nullable(),
            end_date: date.nullable(),
            scheduled: count,
            satisfied: count,
          }),
        )
        .describe("The upstream cells that it reads for this date, by upstream."),
      satisfied: z.boolean(),
      degraded: z.boolean(),
      blocked_by: z.array(explainedCell),
    }),
  ),
  root_causes: z.array(explainedCell),
  waivers: z.array(z.object({ owner: text, reason: text, expires: date.nullable(), source: text })),
  run_history: z.object({ runs: z.array(run), failure: failure.nullable() }).nullable(),
  degraded: z.boolean(),
  attempts_charged: count,
  attempts_max: count,
  quarantine: quarantine.nullable(),
  next: text.describe("What happens next, as a sentence."),
  next_at: instant.nullable(),
  sql: text
    .nullable()
    .describe("What looks at the cell; null where it cannot be told, as the table cannot be seen."),
  attempts: z.array(attempt).describe("Oldest first."),
});

const runningRepair = z.object({
  id: text,
  repair: text,
  processors: names,
  dates: z.array(date),
  attempt: count,
  started_at: instant,
  deadline_at: instant.describe("Without an end by then it counts as lost."),
  worker: text,
});

const endedRepair = z.object({
  id: text,
  repair: text,
  processors: names.describe(
    "What it was to fill, whichever cells have an outcome; none where its start is not on record.",
  ),
  dates: z.array(date).describe("Likewise."),
  attempt: count,
  started_at: instant,
  ended_at: instant,
  outcome: z.enum(outcomes),
  error_code: text.nullable(),
  message: text.nullable(),
  cells: z.array(
    z.object({ processor: text, date, outcome: z.enum(outcomes), rows_before: count, rows_after: count }),
  ),
});

export const repairsAnswer = z.object({
  ...head,
  revision,
  as_of: instant,
  stale,
  running: z.array(runningRepair).describe("On record, in any process, oldest first."),
  queued: z
    .array(
      z.object({
        id: text,
        repair: text,
        dates: z.array(date),
        attempt: count,
        reason: text,
        state: z.enum(["queued", "running"]),
        queued_at: instant.nullable(),
      }),
    )
    .describe("In the queue, oldest first, at most 1,000."),
  ended: z.array(endedRepair).describe("Newest first, at most 100."),
});

export const planAnswer = z.object({
  ...head,
  as_of: instant,
  stale,
  seconds_to_convergence: seconds,
  steps_total: count,
  steps: z.array(
    z.object({
      id: text,
      wave: count.describe("1 starts at once; each next one needs something of the one before."),
      repair: text,
      processors: names,
      start_date: date,
      end_date: date,
      dates: z.array(date),
      reason: text,
      needs: names.describe("Ids of the steps whose output it reads."),
      forecast_bytes: z.null().describe("Only `reconcile plan` asks for it, as asking takes its time."),
      forecast_seconds: seconds,
    }),
  ),
});

export const recordedDecision = z.object({
  id: text,
  at: instant,
  actor: text,
  kind: z.enum(decisionKinds),
  reason: text,
  processors: names.nullable(),
  start_date: date.nullable(),
  end_date: date.nullable(),
  waiver: z
    .object({ owner: text, expires: date.nullable(), downstream: z.enum(["exempt", "proceed"]) })
    .nullable(),
});

export const decisionAnswer = z.object({
  schema_version: z.literal(1),
  dry_run: z.boolean(),
  effect: text,
  touched: z.array(z.object({ processor: text, dates: z.array(date), detail: text.nullable() })),
  notes: names,
  decision: recordedDecision.nullable().describe("Null where nothing was recorded."),
});

export const cycleAnswer = z.object({
  schema_version: z.literal(1),
  dry_run: z.boolean(),
  effect: text,
});

const liveFailure = z.object({
  code: z.enum(errorCodes),
  message: text,
  hint: text.nullable(),
  since: instant,
});

/** The data of a `view` event. */
export const viewEventAnswer = z.object({
  revision,
  leading: z.boolean(),
  stopping: z.boolean(),
  sight: z
    .object({
      as_of: instant,
      looked_at: instant,
      age_seconds: count,
      stale,
      converged: z.boolean(),
      gaps: count,
      unknown: count,
      seconds_to_convergence: seconds,
    })
    .nullable(),
  running: count,
  queued: count,
  cycle_failure: liveFailure.nullable(),
  degraded: liveFailure.nullable(),
  repair_failure: liveFailure.nullable(),
});

export const healthAnswer = z.object({ status: z.enum(["ok", "stuck"]), loop_age_seconds: count });

export const readyAnswer = z.object({
  status: z.enum(["ready", "not_ready", "stopping"]),
  ledger: text.describe("`up`, or why not."),
  degraded: z.array(z.enum(errorCodes)).describe("What else is away; it is served all the same."),
});

export const problemAnswer = z.object({
  type: text,
  title: text,
  status: z.number().int(),
  code: z.enum(errorCodes),
  detail: text,
  hint: text.nullable(),
  path: text.nullable(),
});
