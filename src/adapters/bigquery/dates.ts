import { addDays, type DateRange, type Day, type IsoDate, parseIsoDate, toDay } from "../../core/iso-date.ts";
import { type EpochMs, instantOf } from "../../core/wall-clock.ts";
import { ReconcilerError } from "../../errors.ts";
import { type Column, columnOf, type DatedSource, type Source, wrongDateType } from "../sql/source.ts";
import type { Binder } from "./parameters.ts";
import { enclose, quoteIdentifier, quoteText } from "./sql-text.ts";

/** The dates that are asked for; both ends of each range are included. */
export interface Dates {
  readonly ranges: readonly DateRange[];
  readonly timezone: string;
  readonly binder: Binder;
}

const dayMs = 86_400_000;
const firstDate = parseIsoDate("0001-01-01");
const lastDate = parseIsoDate("9999-12-31");
/** Before, zones kept local mean time, and their offsets are not worth relying on. */
const firstZonedDay = toDay(parseIsoDate("1900-01-01"));

/** All dates that there are: a table that requires a filter on its partitions is read whole by it. */
export const allDates: readonly DateRange[] = [{ start: firstDate, end: lastDate }];

/**
 * A source with its date column and filter. DATETIME is wall time in the pipeline's zone and TIMESTAMP an instant that is
 * dated there. The bare column is compared with values of its own type: nothing else lets BigQuery leave partitions out.
 * @throws Unobservable where the column is missing or has another type.
 */
export function datedSource(
  source: Source,
  dateColumn: string,
  where: string | null,
  dates: Dates,
): DatedSource {
  const column = columnOf(source, dateColumn);
  const day = dayExpression(column, source, dates.timezone);
  const ranges = dates.ranges.map((range) => inRange(column, day, range, dates));
  const within = ranges.length === 1 ? (ranges[0] ?? "false") : `(${ranges.join(" or ") || "false"})`;
  return { source, day, condition: where === null ? within : `${within} and ${enclose(where)}` };
}

/** The calendar date of a column. @throws Unobservable where its type has none. */
function dayExpression(column: Column, source: Source, timezone: string): string {
  const name = quoteIdentifier(column.name);
  if (column.type === "DATE") return name;
  if (column.type === "DATETIME") return `date(${name})`;
  if (column.type === "TIMESTAMP") return `date(${name}, ${quoteText(zoneOf(column, timezone))})`;
  throw wrongDateType(column, source, "DATE, DATETIME or TIMESTAMP", `cast(${column.name} as date)`);
}

/** Epoch milliseconds of an aggregate (`min` or `max`) of a time column, as INT64. */
export function epochMs(aggregate: "min" | "max", column: Column, source: Source, timezone: string): string {
  return instantMs(`${aggregate}(${quoteIdentifier(column.name)})`, column, source, timezone);
}

/**
 * Epoch milliseconds of a value of a time column, as INT64. A time of writing without a zone is UTC, as
 * `current_datetime()` is in a repair; a date begins in the pipeline's zone.
 * @throws Unobservable where the column has another type.
 */
export function instantMs(value: string, column: Column, source: Source, timezone: string): string {
  if (column.type === "TIMESTAMP") return `unix_millis(${value})`;
  if (column.type === "DATETIME") return `unix_millis(timestamp(${value}))`;
  if (column.type === "DATE") {
    return `unix_millis(timestamp(${value}, ${quoteText(timezone)}))`;
  }
  throw wrongDateType(column, source, "TIMESTAMP, DATETIME or DATE", `cast(${column.name} as timestamp)`);
}

function inRange(column: Column, day: string, range: DateRange, { binder, timezone }: Dates): string {
  const name = quoteIdentifier(column.name);
  const { start, end } = range;
  if (column.type === "DATE") return `${name} between ${binder.date(start)} and ${binder.date(end)}`;
  if (column.type === "DATETIME") {
    const from = `${name} >= ${binder.datetime(start)}`;
    return end === lastDate ? from : `(${from} and ${name} < ${binder.datetime(addDays(end, 1))})`;
  }
  const zone = zoneOf(column, timezone);
  const [from, to] = [beginOf(toDay(start), zone, -1), beginOf(toDay(end) + 1, zone, 1)];
  const bounds = `${name} >= ${binder.timestamp(from.at)} and ${name} < ${binder.timestamp(to.at)}`;
  if (from.exact && to.exact) return `(${bounds})`;
  return `(${bounds} and ${day} between ${binder.date(start)} and ${binder.date(end)})`;
}

/**
 * When a date begins in a zone. Where the clocks are set near it the bound is a day wider, towards `outwards`, and not
 * exact: the date of each row decides then, so that no more than a partition is read in vain.
 */
function beginOf(
  day: Day,
  timezone: string,
  outwards: -1 | 1,
): { readonly at: EpochMs; readonly exact: boolean } {
  // The first and the last date that there are: a row of them may have no date in the zone at all.
  if (day <= toDay(firstDate)) return { at: (day + 1) * dayMs, exact: true };
  if (day > toDay(lastDate)) return { at: (day - 1) * dayMs, exact: true };
  const wide = { at: (day + outwards) * dayMs, exact: false };
  if (day < firstZonedDay) return wide;
  const begin = instantOf(day, 0, timezone);
  const before = begin - instantOf(day - 1, 0, timezone);
  const after = instantOf(day + 1, 0, timezone) - begin;
  return before === dayMs && after === dayMs
    ? { at: begin, exact: true }
    : { at: begin + outwards * dayMs, exact: false };
}

/** A partition that is a whole day, month or year bears the name of a date in UTC, wherever the pipeline lives. */
function zoneOf(column: Column, timezone: string): string {
  return column.cutTo === undefined || column.cutTo === "HOUR" ? timezone : "UTC";
}

/** The first and the last of some ascending dates; there is at least one. */
export function rangeOf(dates: readonly IsoDate[]): DateRange {
  const [start] = dates;
  const end = dates.at(-1);
  if (start === undefined || end === undefined)
    throw new ReconcilerError("internal", "expected a date, found none");
  return { start, end };
}
