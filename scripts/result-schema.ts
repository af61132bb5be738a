import { z } from "zod";
import { dispositionNames, reasonNames, stateNames } from "../src/core/grid.ts";
import { cellAnswer, coverageAnswer, quarantine } from "../src/http/answer-schemas.ts";
import { activityDocument, decisionDocument, reportDocument, validationDocument } from "./command-schemas.ts";

/** What `--format json` of every command prints, and what any prints of an error; `--once`, `plan` and `status` are here. */
const date = z.iso.date();
const instant = z.iso.datetime();
const count = z.number().int().nonnegative();
const state = z.enum(stateNames);
const disposition = z.enum(dispositionNames);
const reason = z.enum(reasonNames).describe("why it stands there; empty where there is nothing to add");
const cell = { processor: z.string(), date };

const gap = z.object({
  ...cell,
  state,
  disposition,
  reason,
  observed: z.object({ rows: count, entities: count.nullable() }),
  expected: z.object({ rows_min: z.number(), rows_max: z.number().nullable() }),
  failed_checks: z.array(z.string()),
  coverage: coverageAnswer,
  root_causes: z.array(z.object(cell)).describe("of a blocked gap: at most 20"),
  degraded: z.boolean().describe("its output is, or would be, made from less than all of its inputs"),
  attempts: count,
  next_attempt_at: instant
    .nullable()
    .describe("when it is tried again, after a backoff or by a probe; null where that is not known"),
  quarantine: quarantine.nullable(),
});

const step = z.object({
  id: z.string(),
  wave: z
    .number()
    .int()
    .positive()
    .describe("1 starts at once; each next one needs something of the one before"),
  repair: z.string(),
  processors: z.array(z.string()),
  start_date: date,
  end_date: date,
  dates: z.array(date),
  reason: z.string(),
  needs: z.array(z.string()).describe("ids of the steps whose output it reads"),
  forecast_bytes: count.nullable().describe("billed for the run and the looks at it; null where nothing is"),
  forecast_seconds: z.number().nullable().describe("by the mean of its past runs; null without any"),
});

const repair = z.object({
  id: z.string(),
  repair: z.string(),
  processors: z
    .array(z.string())
    .describe("what it was to fill, whichever cells have an outcome; none where its start is not on record"),
  dates: z.array(date).describe("likewise"),
  attempt: z.number().int().positive(),
  started_at: instant,
  ended_at: instant,
  outcome: z.string(),
  error_code: z.string().nullable(),
  message: z.string().nullable(),
  cells: z.array(z.object({ ...cell, outcome: z.string() })),
});

const bytes = count.describe("bytes that are billed");
const usd = z.number().nonnegative().describe("US dollars of on-demand queries");
const cost = z.object({
  scan_bytes: bytes,
  scan_usd: usd,
  scan_bytes_last_24h: bytes.describe(
    "of the runs on record that looked in the last 24 hours, and of this one",
  ),
  scan_usd_last_24h: usd,
  scan_bytes_per_cycle: bytes.nullable().describe("budgets.scan_bytes_per_cycle"),
  scan_bytes_per_day: bytes.nullable().describe("budgets.scan_bytes_per_day"),
  forecast_bytes: bytes.nullable().describe("of everything that is planned; null where nothing was forecast"),
  forecast_usd: usd.nullable(),
  price_per_tib_usd: usd,
});

const result = z.object({
  schema_version: z.literal(1),
  pipeline: z.string(),
  target: z.string().nullable(),
  as_of: instant,
  range: z.object({ start_date: date, end_date: date }),
  converged: z.boolean(),
  stale_cells: count.describe("complete cells whose input changed after them; reported, no gaps"),
  counts: z.record(z.string(), z.partialRecord(state, count)),
  exempt: z.record(z.string(), count),
  gaps: z.array(gap),
  unknown: z.array(z.object({ ...cell, code: z.string(), message: z.string() })),
  unexpected: z.array(z.object({ ...cell, rows: count })),
  extra_keys: z
    .array(z.object({ processor: z.string(), dates: count, keys: count, start_date: date, end_date: date }))
    .describe(
      "by processor: dates with keys that the other side of the coverage lacks, where that is no gap",
    ),
  stray_rows: z
    .array(
      z.object({
        processor: z.string(),
        without_date: count.nullable(),
        after_today: count.nullable(),
        before_schedule: count.nullable(),
      }),
    )
    .describe("rows that stand in no cell, of the tables that have any; null where they were not counted"),
  stray_schedule_rows: z
    .array(z.object({ schedule: z.string(), without_date: count, out_of_range: count }))
    .describe("rows of a schedule that are none of its dates: without a date, or before 1900 or after 2200"),
  breakers: z.array(
    z.object({
      kind: z.enum(["mass_gap", "schedule", "circuit"]),
      subject: z.string(),
      message: z.string(),
      processors: z.array(z.string()).describe("those whose repairs it holds"),
    }),
  ),
  schedule_changes: z
    .array(z.object({ schedule: z.string(), vanished: z.array(date), believed: z.boolean() }))
    .describe(
      "past dates that left a schedule in the last 24 hours; a change that is not believed is a breaker too",
    ),
  stale_runs: z
    .array(z.object({ ...cell, started_at: instant, run_id: z.string().nullable() }))
    .describe("what the run history says to be running for longer than it may; it counts for nothing"),
  run_history_failure: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .describe("why the run history could not be read; null where it could, or there is none"),
  plan: z.array(step),
  repairs: z.array(repair),
  cost: cost.nullable().describe("null where asking the warehouse costs nothing"),
  activity: activityDocument.optional(),
});

const error = z.object({
  error: z.object({
    code: z.string().describe("one of those in docs/errors.md; new ones may be added"),
    message: z.string(),
    hint: z.string().nullable(),
    path: z.string().nullable(),
  }),
});

export function resultJsonSchema(): object {
  const printed = z.union([
    result.describe("of --once, plan and status"),
    cellAnswer.describe("of explain"),
    reportDocument.describe("of report"),
    validationDocument.describe("of validate"),
    decisionDocument.describe("of waive, unwaive, retry, release, accept, pause, resume and cancel"),
    error.describe("of every command that fails"),
  ]);
  return z.toJSONSchema(
    printed.describe("What gap-reconciler prints with --format json. Fields may be added, never changed."),
    { io: "input" },
  );
}
