import { z } from "zod";
import { repairSchema, sharedUseSchema } from "./repair.ts";
import {
  column,
  condition,
  dateColumnShape,
  duration,
  finite,
  flag,
  isoDate,
  label,
  name,
  positive,
  share,
  table,
  text,
  timeOfDay,
  whole,
} from "./leaves.ts";

const offsetOf = (unit: string) =>
  z
    .int({ error: `a whole number of ${unit}` })
    .min(-36_500, { error: "at least -36500" })
    .max(36_500, { error: "at most 36500" })
    .refine((value) => value !== 0, { error: "another number than 0, which is the cell's own date" });

const processorName = name.meta({ title: "processor" });

const edgeMap = z.strictObject({
  processor: processorName.optional().describe("The upstream processor. Either this or any_of."),
  any_of: z
    .array(processorName, { error: "a list of processors" })
    .min(1, { error: "at least one processor" })
    .optional()
    .describe("Upstream processors of which one is enough."),
  mode: z
    .enum(["hard", "soft"])
    .prefault("hard")
    .describe("`hard` waits until the upstream is there; `soft` only while it is being worked on."),
  wait: duration
    .optional()
    .describe("How long a soft edge waits at most; without it, while the upstream is worked on."),
  min_completeness: share
    .optional()
    .describe("An upstream cell that reaches it is enough, though it is not complete."),
  lookback: z
    .strictObject({
      days: whole(1, 36_500)
        .optional()
        .describe("The upstream's scheduled dates in so many calendar days. Or dates."),
      dates: whole(1, 36_500).optional().describe("The upstream's last so many scheduled dates. Or days."),
      same_date: flag.prefault(false).describe("Whether the cell's own date belongs to the window too."),
    })
    .optional()
    .describe("The dates before the cell's own that it reads."),
  lookahead: z
    .strictObject({
      days: whole(1, 36_500)
        .optional()
        .describe("The upstream's scheduled dates in so many calendar days. Or dates."),
      dates: whole(1, 36_500).optional().describe("The upstream's next so many scheduled dates. Or days."),
      same_date: flag.prefault(false).describe("Whether the cell's own date belongs to the window too."),
    })
    .optional()
    .describe("The dates after the cell's own that it reads."),
  offset: z
    .strictObject({
      days: offsetOf("days").optional().describe("So many calendar days away. Or dates."),
      dates: offsetOf("dates")
        .optional()
        .describe("So many of the upstream's scheduled dates away. Or days."),
    })
    .optional()
    .describe("The one upstream cell that it reads, before its own date (-1) or after it (1)."),
  window: z
    .enum(["since_previous", "until_next"])
    .optional()
    .describe(
      "All upstream dates of a period: since the cell's previous scheduled date (dated by its last day), or until its next one (dated by its first day).",
    ),
  min_share: share
    .optional()
    .describe("The share of satisfied cells that satisfies a lookback, lookahead or window; 1 unless given."),
  stale: flag
    .optional()
    .describe(
      "Whether a change upstream makes the cell stale; true for hard edges, unless they have a lookback or lookahead.",
    ),
});

const edge = z.union([processorName, edgeMap], {
  error: "a processor's name, or a map with processor or any_of",
});

const logTable = z.strictObject({
  table: table.describe("The log's table."),
  date_column: column.describe("Its column with the date that was processed."),
  ...dateColumnShape,
  where: condition.optional().describe("Only rows that meet it count."),
  rows_column: column
    .optional()
    .describe(
      "Its column with the number of rows that were written. Then only an entry with 0 completes a date without rows; one with more makes it a gap.",
    ),
});

const rowsSchema = z.strictObject({
  min: whole(0)
    .optional()
    .describe(
      "Rows that each date has at least; 1 unless given. With 0 a date without rows is complete if nothing else asks for rows.",
    ),
  max: whole(1).optional().describe("Rows that each date has at most."),
  per_unit: positive("a number above 0").optional().describe("Rows per unit of the schedule at least."),
  max_per_unit: positive("a number above 0").optional().describe("Rows per unit of the schedule at most."),
  per_entity: z
    .strictObject({
      of: processorName.describe("The processor whose entities are counted."),
      key: column.optional().describe("Its column that names an entity; its coverage key, or else its rows."),
      min: positive("a number above 0").prefault(1).describe("Rows per entity at least."),
    })
    .optional()
    .describe("Rows per entity that another processor has on the date."),
  when: z
    .strictObject({
      of: processorName.describe("The processor whose rows are counted."),
      min: whole(1).prefault(1).describe("So many rows there make the requirement apply."),
    })
    .optional()
    .describe(
      "The row requirement applies only to dates on which another processor has rows. Creates no dependency.",
    ),
  completion_log: logTable
    .optional()
    .describe("A date without rows is complete if this log has a row for it."),
});

const coverageSchema = z.strictObject({
  of: name.describe("The processor whose keys must be here, or `schedule` for the processor's own schedule."),
  key: column.describe("The column here."),
  of_key: column.optional().describe("The column there; the same as key unless given."),
  min: share.prefault(1).describe("The share of the distinct keys there that must be here."),
  excused_by: z
    .strictObject({
      table: table.describe("A table that names keys that need not be here."),
      date_column: column.describe("Its column with the date."),
      ...dateColumnShape,
      key: column.optional().describe("Its column with the key; the same as key above unless given."),
      where: condition.optional().describe("Only rows that meet it excuse."),
    })
    .optional()
    .describe("Keys that do not count against the coverage, neither as absent nor as extra."),
  extra: z
    .enum(["report", "gap", "ignore"])
    .prefault("report")
    .describe(
      "Keys here that the other side lacks on the date: `report` tells them, `gap` makes the date invalid (`coverage_extra`), `ignore` does not count them.",
    ),
});

const qualitySchema = z.strictObject({
  column: column.describe("The column that tells how good a row is."),
  good: finite.prefault(90).describe("A row with at least this is good."),
  ok: finite.prefault(70).describe("A row with at least this is ok."),
  degraded: finite.prefault(50).describe("A row with at least this is degraded; below it, poor."),
  min_good_share: share.prefault(0.8).describe("The share of a date's rows that must be good."),
  after_days: whole(0, 3660).prefault(0).describe("Not judged in the first so many days of a season."),
});

const expectSchema = z.strictObject({
  rows: rowsSchema.prefault({}).describe("How many rows a date has."),
  coverage: coverageSchema
    .optional()
    .describe("Which keys of another table are here. Creates no dependency."),
  unique_keys: z
    .array(z.array(column, { error: "a list of columns" }).min(1, { error: "at least one column" }), {
      error: "a list of lists of columns, such as [[game_date, player_lookup]]",
    })
    .prefault([])
    .describe("Columns that together are unique."),
  not_null: z
    .array(
      z.union(
        [
          column,
          z.strictObject({
            column: column.describe("The column."),
            max_ratio: share.prefault(0).describe("The share of rows that may be NULL."),
          }),
        ],
        { error: "a column, or a map with column and max_ratio" },
      ),
      { error: "a list of columns" },
    )
    .prefault([])
    .describe("Columns without NULL."),
  checks: z
    .record(name, condition)
    .prefault({})
    .describe("Conditions by name; a row violates one only where it is FALSE."),
  measures: z
    .record(
      name,
      z.strictObject({
        sql: condition.describe("An aggregate over the date's rows."),
        min: finite.optional().describe("The least that it may be."),
        max: finite.optional().describe("The most that it may be."),
      }),
    )
    .prefault({})
    .describe("Figures by name that must lie within bounds."),
  quality: qualitySchema.optional().describe("How good the rows are."),
});

const commonShape = {
  phase: label.optional().describe("A label: it groups and selects, it never orders."),
  date_column: column.describe(
    "The date of a row: a DATE, a TIMESTAMP or DATETIME dated in the pipeline's time zone, or text or a whole number with date_format.",
  ),
  ...dateColumnShape,
  written_at_column: column
    .optional()
    .describe(
      "When a row was written; `stale` needs it. Without a time zone it is UTC, or in column_timezone.",
    ),
  severity: z
    .enum(["critical", "warning", "info"])
    .prefault("warning")
    .describe("How bad a gap is; `info` is shown and never counted."),
  owner: text.optional().describe("Who is asked about it."),
  tags: z.array(text, { error: "a list of texts" }).prefault([]).describe("Labels of your own."),
  schedule: name
    .optional()
    .describe("The schedule that says on which dates it is expected; `default`, or the only one."),
  due: z
    .strictObject({
      days_after: whole(0, 3660).prefault(1).describe("Days after the last date that it reads."),
      dates_after: whole(1, 366)
        .optional()
        .describe(
          "Scheduled dates after it, instead of days_after: Friday of a calendar of weekdays is due on Monday.",
        ),
      at: timeOfDay
        .prefault("06:00")
        .describe("The wall-clock time on that day, in the pipeline's time zone."),
    })
    .prefault({})
    .describe("When a date must be there."),
  bootstrap_days: whole(0, 3660)
    .prefault(0)
    .describe("The first so many calendar days of each season are exempt."),
  available: z
    .strictObject({
      from: isoDate.optional().describe("The first date for which there is a source."),
      to: isoDate.optional().describe("The last date for which there is a source, included."),
    })
    .prefault({})
    .describe("Dates outside are exempt."),
  source_retention: duration
    .optional()
    .describe("How long after a date its source can still be fetched; for ever unless given."),
  chronological: flag
    .prefault(false)
    .describe("Whether dates can only be filled in order, season by season."),
  depends_on_past: flag
    .prefault(false)
    .describe(
      "Whether each date is computed from the processor's own previous date. Implies chronological; changes carry forward.",
    ),
  on_poison: z
    .enum(["stop", "continue"])
    .prefault("stop")
    .describe("Whether a date that cannot be filled stops a chronological processor."),
  priority: whole(-1000, 1000).prefault(0).describe("Higher goes first."),
  stale: z
    .enum(["ignore", "report", "follow", "repair"])
    .prefault("follow")
    .describe(
      "What is done about a complete cell whose input changed after it: `follow` computes again what repairs of this pipeline outdated and reports the rest, `repair` computes all of it again.",
    ),
  off_schedule: z
    .enum(["report", "allow", "gap"])
    .prefault("report")
    .describe(
      "Rows on a past date that is not scheduled: `report` counts them as unexpected, `allow` says nothing, `gap` makes the date invalid, and its repair should leave no rows.",
    ),
} as const;

export const processorSchema = z
  .strictObject(
    {
      table: table.describe("The table that it fills."),
      where: condition.optional().describe("Its rows, in a table that others write too."),
      ...commonShape,
      depends_on: z
        .array(edge, { error: "a list of processors" })
        .prefault([])
        .describe("The processors whose cells it reads: names, or maps with the keys below."),
      expect: expectSchema.prefault({}).describe("What makes a cell complete."),
      repair: z
        .union([repairSchema, sharedUseSchema], { error: "a map with sql_file, command, http or use" })
        .prefault({})
        .describe("What fills it. Without an action, its gaps are reported and not repaired."),
    },
    { error: "a map with table and date_column" },
  )
  .meta({ title: "processor", id: "processor" });

/** What stands below every processor: its keys, but for those that make it this processor. */
export const defaultsSchema = z.strictObject(commonShape).extend({ repair: repairSchema }).partial();

export type ProcessorInput = z.output<typeof processorSchema>;
export type EdgeInput = z.output<typeof edge>;
