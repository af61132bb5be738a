import { z } from "zod";
import { column, condition, dateColumnShape, days, isoDate, table, text } from "./leaves.ts";

const exceptTable = z.strictObject({
  table: table.optional().describe("A table with the dates that are left out. Either this or sql_file."),
  sql_file: text.optional().describe("A file with a SELECT that gives the dates that are left out."),
  date_column: column.describe("Its column with the date."),
  ...dateColumnShape,
  where: condition.optional().describe("Only rows that meet it leave their date out."),
});

export const weekdays = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
] as const;

/** Exactly one of `table`, `sql_file` and `every`; the loader checks that, to say it well. */
export const scheduleSchema = z
  .strictObject({
    table: table
      .optional()
      .describe("The table whose dates are the scheduled ones. One of table, sql_file, every."),
    sql_file: text
      .optional()
      .describe("A file with a SELECT that gives the scheduled dates, with the columns named below."),
    every: z
      .enum(["day", "weekday", "week", "month", "quarter", "year"])
      .optional()
      .describe(
        "A built-in calendar: each day, Monday to Friday, or one day of each week, month, quarter or year.",
      ),
    weekday: z.enum(weekdays).optional().describe("The day of `every: week`; monday unless given."),
    day: z
      .enum(["first", "last"])
      .optional()
      .describe("The day that dates a month, quarter or year; first unless given."),
    except: z
      .union([z.array(isoDate, { error: "a list of dates" }), exceptTable], {
        error: "a list of dates, or a map with table or sql_file and date_column",
      })
      .optional()
      .describe("Dates that are left out, such as holidays: a list, or a table or query that has them."),
    date_column: column.optional().describe("The column with the date. Required with table and sql_file."),
    ...dateColumnShape,
    unit_column: column.optional().describe("Units of a date are its distinct values; without it, its rows."),
    season_column: column
      .optional()
      .describe("The column that names the season; without it, all is one season."),
    where: condition
      .optional()
      .describe("Only rows that meet it are scheduled. Seasons start by the rows without it."),
    start_date: isoDate
      .optional()
      .describe("The first date that counts; the source's first unless given. Required with every."),
    end_date: isoDate
      .optional()
      .describe("The last date that it may have, included: a finished data set ends there."),
    expect: z
      .strictObject({
        max_gap: days
          .optional()
          .describe("The longest hole that is believed, in whole days; without it, any is."),
      })
      .prefault({})
      .describe("What the schedule itself must meet. No row at all is an error in any case."),
  })
  .meta({ title: "schedule", id: "schedule" });
