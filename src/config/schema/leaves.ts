import { z } from "zod";
import { parseDateFormat } from "../../core/date-format.ts";
import { tryParseIsoDate } from "../../core/iso-date.ts";
import { tryParseTimeOfDay } from "../../core/wall-clock.ts";
import type { TableName } from "../../core/pipeline.ts";
import { nearest } from "../nearest.ts";

/**
 * The kinds of value that the config has. A message is what was expected; a second line, where there is one, is what to do.
 * `title` names the kind in docs/config.md and in the JSON Schema.
 */
const identifierPattern = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const tablePattern = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*){0,2}$/;
const bareName =
  "write the bare name: the product quotes it itself, and refuses quotes, spaces and semicolons";

const dateFormatExpected = 'a date format as strftime has it, such as "%Y%m%d" or "%Y-%m-%d"';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const unitBytes = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Text of a pattern, turned into a value; `parse` returns null for what matches and still is none. */
function parsed<T>(
  title: string,
  id: string,
  expected: string,
  pattern: RegExp,
  parse: (text: string) => T | null,
) {
  return z
    .string({ error: expected })
    .regex(pattern, { error: expected })
    .meta({ title, id })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== null) return value;
      context.issues.push({ code: "custom", message: expected, input: text });
      return z.NEVER;
    });
}

export const text = z
  .string({ error: "text" })
  .regex(/\S/, { error: "text that is not empty" })
  .meta({ title: "text", id: "text" });

/** Text, for which a number is as good. */
export const label = z
  .union([text, z.number().transform(String)], { error: "text or a number" })
  .meta({ title: "text or number", id: "label" });

/** Text with quotes where YAML would read something else, such as an argument or a header. */
export const literalText = z
  .string({ error: 'text\nput it into quotes, as in "8080"' })
  .meta({ title: "text", id: "literal_text" });

const durationPattern = /^\d+(\.\d+)?(ms|s|m|h|d)$/;

/** Milliseconds, 0 among them; null where the text is none, or more than a hundred years. */
function parseDuration(value: string): number | null {
  const match = /^([\d.]+)(ms|s|m|h|d)$/.exec(value);
  const unit = match?.[2];
  if (unit !== "ms" && unit !== "s" && unit !== "m" && unit !== "h" && unit !== "d") return null;
  const ms = Math.round(Number(match?.[1]) * unitMs[unit]);
  return ms <= 100 * 366 * unitMs.d ? ms : null;
}

/** Milliseconds. */
export const duration = parsed(
  "duration",
  "duration",
  "a duration above zero with a unit, such as 500ms, 30s, 5m, 2h or 7d\nadd a unit: ms, s, m, h or d",
  durationPattern,
  (value) => parseDuration(value) || null,
);

/** Milliseconds, for what may also not be waited for at all. */
export const durationOrZero = parsed(
  "duration",
  "duration_or_zero",
  "a duration with a unit, such as 0s, 500ms, 30s, 5m, 2h or 7d\nadd a unit: ms, s, m, h or d",
  durationPattern,
  parseDuration,
);

/** Whole days. */
export const days = parsed(
  "duration",
  "days",
  "a duration of whole days, such as 200d\nadd the unit d",
  /^\d{1,5}d$/,
  (value) => {
    const count = Number(value.slice(0, -1));
    return count > 0 ? count : null;
  },
);

export const bytes = parsed(
  "size",
  "size",
  "a size with a unit, such as 10MB or 10GiB\nadd a unit: B, kB, MB, GB, TB, KiB, MiB, GiB or TiB",
  /^\d+(\.\d+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/,
  (value) => {
    const match = /^([\d.]+)([A-Za-z]+)$/.exec(value);
    const size = Object.entries(unitBytes).find(([unit]) => unit === match?.[2])?.[1];
    const count = size === undefined ? 0 : Math.round(Number(match?.[1]) * size);
    return count > 0 && Number.isSafeInteger(count) ? count : null;
  },
);

export const isoDate = parsed(
  "date",
  "date",
  "a date that exists, as YYYY-MM-DD, such as 2024-01-31",
  /^\d{4}-\d{2}-\d{2}$/,
  tryParseIsoDate,
);

/** Minutes after midnight. */
export const timeOfDay = parsed(
  "time of day",
  "time_of_day",
  'a time of day from "00:00" to "23:59"',
  /^\d{2}:\d{2}$/,
  tryParseTimeOfDay,
);

/** Minutes after midnight, start included, end not; it may run over midnight. */
export const timeWindow = parsed(
  "time window",
  "time_window",
  'two different times of day, such as "22:00-06:00"',
  /^\d{2}:\d{2}-\d{2}:\d{2}$/,
  (value) => {
    const startMinute = tryParseTimeOfDay(value.slice(0, 5));
    const endMinute = tryParseTimeOfDay(value.slice(6));
    return startMinute === null || endMinute === null || startMinute === endMinute
      ? null
      : { startMinute, endMinute };
  },
);

export const cronDefault = "*/15 * * * *";

export const cron = z
  .string({ error: 'five cron fields, such as "*/15 * * * *"' })
  .regex(/^\s*([0-9A-Za-z*/,-]+\s+){4}[0-9A-Za-z*/,-]+\s*$/, {
    error: 'five cron fields, such as "*/15 * * * *"',
  })
  .meta({ title: "cron", id: "cron" });

export const table = parsed<TableName>(
  "table",
  "table",
  `a table as dataset.table, of one to three names joined by dots\n${bareName}`,
  tablePattern,
  (value) => (value.length > 300 ? null : { parts: value.split(".") }),
);

export const column = z
  .string({ error: "the name of a column" })
  .regex(identifierPattern, { error: `the name of a column, of letters, digits, _ and -\n${bareName}` })
  .max(300, { error: "a name of at most 300 characters" })
  .meta({ title: "column", id: "column" });

/** The form of a date that is kept as text or as a whole number. */
const dateFormat = z
  .string({ error: dateFormatExpected })
  .superRefine((value, context) => {
    const format = parseDateFormat(value);
    if (!("problem" in format)) return;
    context.issues.push({
      code: "custom",
      message: `${dateFormatExpected}\n${format.problem}`,
      input: value,
    });
  })
  .meta({ title: "date format", id: "date_format" });

export const condition = z
  .string({ error: "an SQL condition as text" })
  .regex(/\S/, { error: "an SQL condition" })
  .regex(/[^;\s]\s*$/, { error: "an SQL condition without a semicolon at its end" })
  .meta({ title: "SQL", id: "sql" });

/** The name of a processor, a schedule, a pool, a repair, a check or a measure. */
export const name = z
  .string({ error: "a name" })
  .regex(/^[a-z][a-z0-9_]{0,99}$/, {
    error: "a name of lower-case letters, digits and _ that begins with a letter",
  })
  .meta({ title: "name", id: "name" });

export const pipelineName = z
  .string({ error: "the pipeline's name" })
  .regex(/^[a-z][a-z0-9-]{0,39}$/, {
    error: "a name of at most 40 lower-case letters, digits and - that begins with a letter",
  })
  .meta({ title: "name", id: "pipeline_name" });

export const timezone = z
  .string({ error: "an IANA time zone, such as America/New_York" })
  .superRefine((value, context) => {
    if (isTimezone(value)) return;
    const near = nearest(value, ["UTC", ...Intl.supportedValuesOf("timeZone")]);
    const hint = near === null ? "" : `\ndid you mean "${near}"?`;
    context.issues.push({
      code: "custom",
      message: `an IANA time zone, such as America/New_York${hint}`,
      input: value,
    });
  })
  .meta({ title: "time zone", id: "time_zone" });

export const share = z
  .number({ error: "a number from 0 to 1" })
  .min(0, { error: "a number from 0 to 1" })
  .max(1, { error: "a number from 0 to 1" })
  .meta({ title: "share", id: "share" });

/** Of money; never negative. */
export const amount = z
  .number({ error: "a number of at least 0" })
  .min(0, { error: "a number of at least 0" })
  .meta({ title: "number", id: "amount" });

/** A BigQuery dataset of the warehouse's project. */
export const dataset = z
  .string({ error: `the name of a dataset, of letters, digits and _\n${bareName}` })
  .regex(/^[A-Za-z0-9_]{1,1024}$/, { error: `the name of a dataset, of letters, digits and _\n${bareName}` })
  .meta({ title: "dataset", id: "dataset" });

export const finite = z.number({ error: "a number" }).meta({ title: "number", id: "number" });

export const flag = z.boolean({ error: "true or false" }).meta({ title: "flag", id: "flag" });

/** A whole number from `min` up to a billion. */
export function whole(min: number, max = 1_000_000_000) {
  const expected =
    max === 1_000_000_000 ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`;
  return z
    .int({ error: expected })
    .min(min, { error: expected })
    .max(max, { error: expected })
    .meta({ title: "number" });
}

export function positive(expected: string) {
  return z.number({ error: expected }).gt(0, { error: expected }).meta({ title: "number" });
}

function isTimezone(value: string): boolean {
  // Newer engines take offsets too, which are no time zones: they know no daylight saving.
  if (!/^[A-Za-z]/.test(value)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone !== "";
  } catch {
    // A RangeError is how Intl says no.
    return false;
  }
}

/** How a date column is to be read; beside every `date_column`. */
export const dateColumnShape = {
  date_format: dateFormat
    .optional()
    .describe(
      "How the date is written where the column is text or a whole number, such as `%Y%m%d` for 20240131.",
    ),
  column_timezone: timezone
    .optional()
    .describe(
      "The zone of TIMESTAMP (DuckDB) or DATETIME (BigQuery) columns, which have none. Unless given: the pipeline's for the date, UTC for other times.",
    ),
} as const;
