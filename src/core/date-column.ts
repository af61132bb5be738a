import { type DateFormat, parseDateFormat } from "./date-format.ts";
import { ReconcilerError } from "../errors.ts";

/** Where a table has the date of a row, and how. */
export interface DateColumn {
  readonly dateColumn: string;
  /** The form of a date that is text or a whole number, such as `%Y%m%d`; null for a date or a time. */
  readonly dateFormat: string | null;
  /** The zone of times that have none; null is the pipeline's for dates, and UTC for times of writing. */
  readonly columnTimezone: string | null;
}

type ColumnKind = "date" | "time" | "text" | "number" | "other";

/** Why a column cannot carry dates, and what to do. */
export interface DateColumnProblem {
  readonly expected: string;
  readonly hint: string;
}

/** What a type of either warehouse holds. */
export function columnKindOf(type: string): ColumnKind {
  const name = type.toUpperCase();
  if (name === "DATE") return "date";
  if (/^(?:DATETIME|TIMESTAMP)\b[^[]*$/.test(name) || /^TIMESTAMP_(?:S|MS|NS)$/.test(name)) return "time";
  if (/^(?:VARCHAR|STRING|ENUM\b[^[]*)$/.test(name)) return "text";
  return /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|INT64|(?:BIG)?NUMERIC|DECIMAL\([\d, ]+\)|DOUBLE|FLOAT|FLOAT64)$/.test(
    name,
  )
    ? "number"
    : "other";
}

/** Null if a column of that type carries dates as the config says. */
export function dateColumnProblem(
  type: string,
  { dateColumn, dateFormat }: Pick<DateColumn, "dateColumn" | "dateFormat">,
): DateColumnProblem | null {
  const kind = columnKindOf(type);
  const isFormed = kind === "text" || kind === "number";
  if (dateFormat === null) {
    if (kind === "date" || kind === "time") return null;
    return {
      expected: "of type DATE or TIMESTAMP",
      hint: isFormed ? formatHint(kind) : viewHint(dateColumn),
    };
  }
  if (kind === "date" || kind === "time") {
    return {
      expected: `of a text or number type, because date_format is "${dateFormat}"`,
      hint: `remove date_format, or set it to null if it comes from defaults: a ${type} needs none`,
    };
  }
  if (!isFormed) return { expected: "of a text or number type", hint: viewHint(dateColumn) };
  if (kind === "text" || dateFormatOf(dateFormat).digits !== null) return null;
  return {
    expected: `of a text type, because date_format is "${dateFormat}"`,
    hint: 'a number has digits alone: use a form such as "%Y%m%d" for 20240131',
  };
}

/** What to do about a column that should hold times and holds something else. */
export function timeColumnHint(column: string, type: string): string {
  const view =
    columnKindOf(type) === "text"
      ? `a view with cast(${column} as timestamp)`
      : "a view that gives a timestamp";
  return `use another column, or ${view}`;
}

/** @throws ReconcilerError `internal` for a text that the config would have refused */
export function dateFormatOf(text: string): DateFormat {
  const format = parseDateFormat(text);
  if ("problem" in format)
    throw new ReconcilerError("internal", `the date format ${text}: ${format.problem}`);
  return format;
}

function formatHint(kind: "text" | "number"): string {
  const examples = ['"%Y%m%d" for 20240131', ...(kind === "text" ? ['"%Y-%m-%d" for 2024-01-31'] : [])];
  return `add date_format, which says how its dates are written, such as ${examples.join(" or ")}, or use another column`;
}

function viewHint(column: string): string {
  return `use another column, or a view with cast(${column} as date)`;
}
