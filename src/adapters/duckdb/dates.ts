import { type Column, columnOf, type DatedSource, type Source, wrongDateType } from "../sql/source.ts";
import { enclose, quoteIdentifier, quoteText } from "./sql-text.ts";

/** How a statement names the ends of its range, both included: parameters, or literals for a person to paste. */
export interface RangeSql {
  readonly start: string;
  readonly end: string;
}

export const boundRange: RangeSql = { start: "$start_date", end: "$end_date" };

/**
 * A source with its date column and filter. TIMESTAMP is wall time in the pipeline's zone and TIMESTAMPTZ an instant that
 * is dated there.
 * @throws Unobservable where the column is missing or has another type.
 */
export function datedSource(
  source: Source,
  dateColumn: string,
  where: string | null,
  range: RangeSql | null,
  timezone: string,
): DatedSource {
  const column = columnOf(source, dateColumn);
  const day = dayExpression(column, source, timezone);
  const conditions = range === null ? [`isfinite(${day})`] : [inRange(column, day, range)];
  if (where !== null) conditions.push(enclose(where));
  return { source, day, condition: conditions.join(" and ") };
}

/** The calendar date of a column. @throws Unobservable where its type has none. */
function dayExpression(column: Column, source: Source, timezone: string): string {
  const name = quoteIdentifier(column.name);
  if (column.type === "DATE") return name;
  if (isTimestamp(column)) return `${name}::date`;
  if (isInstant(column)) return `timezone(${quoteText(timezone)}, ${name})::date`;
  throw wrongDateType(column, source, "DATE, TIMESTAMP or TIMESTAMPTZ", `cast(${column.name} as date)`);
}

/** Epoch milliseconds of an aggregate (`min` or `max`) of a time column, as BIGINT. */
export function epochMs(aggregate: "min" | "max", column: Column, source: Source, timezone: string): string {
  return instantMs(`${aggregate}(${quoteIdentifier(column.name)})`, column, source, timezone);
}

/**
 * Epoch milliseconds of a value of a time column, as BIGINT. A time of writing without a zone is UTC, as `now()` is in a
 * repair; a date begins in the pipeline's zone.
 * @throws Unobservable where the column has another type.
 */
export function instantMs(value: string, column: Column, source: Source, timezone: string): string {
  if (isInstant(column) || isTimestamp(column)) return `epoch_ms(${value})`;
  if (column.type === "DATE") {
    return `epoch_ms(timezone(${quoteText(timezone)}, ${value}::timestamp))`;
  }
  throw wrongDateType(column, source, "TIMESTAMP, TIMESTAMPTZ or DATE", `cast(${column.name} as timestamp)`);
}

/** The bare column is compared, so that statistics and partitions can skip what lies outside. */
function inRange(column: Column, day: string, { start, end }: RangeSql): string {
  const name = quoteIdentifier(column.name);
  if (column.type === "DATE") return `${name} between ${start} and ${end}`;
  if (isTimestamp(column)) return `${name} >= ${start}::timestamp and ${name} < (${end} + 1)::timestamp`;
  // A zone's midnight may not exist; a day more on both sides holds every offset, and the exact date decides.
  return `${name} >= (${start} - 1)::timestamptz and ${name} < (${end} + 2)::timestamptz and ${day} between ${start} and ${end}`;
}

function isTimestamp({ type }: Column): boolean {
  return type === "TIMESTAMP" || type === "TIMESTAMP_S" || type === "TIMESTAMP_MS" || type === "TIMESTAMP_NS";
}

function isInstant({ type }: Column): boolean {
  return type === "TIMESTAMP WITH TIME ZONE";
}
