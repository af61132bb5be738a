import { z } from "zod";
import { exemptReasons } from "../src/core/grid.ts";
import { recordedDecision } from "../src/http/answer-schemas.ts";

/** What `--format json` of `report`, `validate`, people's decisions and `status --since` prints. */
const date = z.iso.date();
const instant = z.iso.datetime();
const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const head = { schema_version: z.literal(1), pipeline: z.string(), target: z.string().nullable() };

const reportCounts = z
  .object({
    expected: count,
    complete: count,
    exempt: z.partialRecord(z.enum(exemptReasons), count),
    pending: count,
    unknown: count,
    gaps: count,
    coverage: share
      .nullable()
      .describe("complete cells among those that are neither exempt nor pending; null where there is none"),
  })
  .describe("`expected` is the sum of the others");

const reportEntry = {
  before: reportCounts.nullable(),
  after: reportCounts,
  quality: z
    .object({ mean_good_share: share, cells: count })
    .nullable()
    .describe("over the cells that have rows and a quality column"),
};

export const reportDocument = z.object({
  ...head,
  as_of: instant,
  before_as_of: instant.nullable().describe("what it is compared with"),
  before_is_partial: z.boolean().describe("the record does not reach back so far"),
  range: z.object({ start_date: date, end_date: date }),
  converged: z.boolean(),
  total: z.object(reportEntry),
  seasons: z.array(
    z.object({
      ...reportEntry,
      season: z.string().describe("empty where the schedule names none"),
      start_date: date,
      end_date: date,
      phases: z.array(
        z.object({
          ...reportEntry,
          phase: z.string().nullable(),
          processors: z.array(z.object({ ...reportEntry, processor: z.string() })),
        }),
      ),
    }),
  ),
});

export const validationDocument = z.object({
  ...head,
  config_file: z.string(),
  valid: z.boolean(),
  checked: z.object({
    processors: count,
    schedules: count,
    repairs: count,
    waivers: count,
    warehouse: z.object({ tables: count, columns: count }).nullable().describe("null without --connect"),
  }),
  creates: z.array(z.string()).describe("tables that SQL repairs create in the warehouse"),
  ledger_created: z.string().nullable().describe("where; null where none was asked for"),
  findings: z.array(
    z.object({
      level: z.enum(["error", "warning"]),
      place: z.string().describe("the key of the config"),
      expected: z.string(),
      found: z.string(),
      hint: z.string().nullable(),
    }),
  ),
});

export const decisionDocument = z.object({
  schema_version: z.literal(1),
  decision: recordedDecision,
  touched: z.array(z.object({ processor: z.string(), dates: z.array(date) })),
});

export const activityDocument = z
  .object({
    cycles: z.object({ count, converged: count, not_accepted: count }),
    gaps: z
      .record(z.string(), z.object({ opened: count, closed: count, reopened: count }))
      .describe("by processor"),
    repairs: z.record(z.string(), z.record(z.string(), count)).describe("by repair and outcome"),
    decisions: z.array(recordedDecision),
  })
  .describe("with --since");
