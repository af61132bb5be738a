import { z } from "zod";
import { column, condition, dateColumnShape, duration, name, table, text } from "./leaves.ts";

const statuses = (...usual: string[]) => z.array(text, { error: "a list of statuses" }).prefault(usual);

export const runHistorySchema = z
  .strictObject({
    table: table.describe("The table; a row or more for each run of a processor for a date."),
    date_column: column.describe("The date of the data that the run fills."),
    ...dateColumnShape,
    processor_column: column.describe("Which processor it fills."),
    status_column: column.describe("How far the run is."),
    started_at_column: column.describe("When the run started; rows without it are passed over."),
    ended_at_column: column.optional().describe("When it ended, for explain."),
    error_column: column.optional().describe("What it failed with, for explain."),
    run_id_column: column
      .optional()
      .describe(
        "What the rows of one run have in common, where there are several; without it, that they started at once.",
      ),
    where: condition.optional().describe("Only rows that meet it are read."),
    statuses: z
      .strictObject({
        running: statuses("running").describe("Statuses of a run that is under way."),
        failed: statuses("failed").describe("Statuses of a run that failed."),
        skipped: statuses("skipped").describe(
          "Statuses of a run that did nothing, such as one that met another at work.",
        ),
      })
      .prefault({})
      .describe("What the statuses mean, whatever their case. Any other is that of a run that ended."),
    running_max: duration
      .prefault("4h")
      .describe(
        "A run that has been running for longer is taken for dead: it is reported, and counts for nothing.",
      ),
    names: z
      .record(name, text, { error: "a map from a processor to its name in the table" })
      .prefault({})
      .describe("What the table calls a processor, where that is not its name."),
  })
  .meta({ title: "run history", id: "run_history" });
