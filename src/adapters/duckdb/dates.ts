import { columnKindOf, type DateColumn, dateColumnProblem, dateFormatOf } from "../../core/date-column.ts";
import { type DateFormat, formatText, type Ordered } from "../../core/date-format.ts";
import {
  type Column,
  columnOf,
  type DatedSource,
  type Source,
  wrongDateColumn,
  wrongTimeColumn,
} from "../sql/source.ts";
import { enclose, quoteIdentifier, quoteText } from "./sql-text.ts";

/** How a statement names the ends of its range, both included: parameters, or literals for a person to paste. */
export interface RangeSql {
  readonly start: string;
  readonly end: string;
}

export const boundRange: RangeSql = { start: "$start_date", end: "$end_date" };

/** The pipeline's zone, and that of a table's times that have none. */
export interface Zones {
  readonly timezone: string;
  readonly columnTimezone: string | null;
}

/** More than the clocks of any two zones differ by. */
const zonesApartDays = 2;

/**
 * A source with its date column and filter. TIMESTAMP is wall time in the column's zone and TIMESTAMPTZ an instant; both are
 * dated in the pipeline's zone. Text and numbers are dates in the form that the config gives; a value of another form is no
 * date.
 * @throws Unobservable where the column is missing or cannot carry dates.
 */
export function datedSource(
  source: Source,
  date: DateColumn,
  where: string | null,
  range: RangeSql | null,
  timezone: string,
): DatedSource {
  const column = columnOf(source, date.dateColumn);
  const problem = dateColumnProblem(column.type, date);
  if (problem !== null) throw wrongDateColumn(column, source, problem);
  const zones = { timezone, columnTimezone: date.columnTimezone };
  const format = date.dateFormat === null ? null : dateFormatOf(date.dateFormat);
  const { day, within } = format === null ? native(column, zones) : formed(column, format, zones);
  const conditions = [range === null ? `isfinite(${day})` : within(range)];
  if (where !== null) conditions.push(enclose(where));
  const anyDay = where === null ? "true" : enclose(where);
  return { source, day, condition: conditions.join(" and "), anyDay };
}

/** The calendar date of a column, and what its rows of a range meet. */
interface Dated {
  readonly day: string;
  /** The bare column is compared, so that statistics and partitions can skip what lies outside. */
  readonly within: (range: RangeSql) => string;
}

function native(column: Column, zones: Zones): Dated {
  const name = quoteIdentifier(column.name);
  if (column.type === "DATE")
    return { day: name, within: ({ start, end }) => `${name} between ${start} and ${end}` };
  if (isInstant(column)) {
    const day = `timezone(${quoteText(zones.timezone)}, ${name})::date`;
    // A zone's midnight may not exist; a day more on both sides holds every offset, and the exact date decides.
    return { day, within: (range) => `${between(name, range, 1, "timestamptz")} and ${isDayOf(day, range)}` };
  }
  const shifted = inTimezone(name, zones);
  if (shifted === null)
    return { day: `${name}::date`, within: (range) => between(name, range, 0, "timestamp") };
  const day = `${shifted}::date`;
  const within = (range: RangeSql) =>
    `${between(name, range, zonesApartDays, "timestamp")} and ${isDayOf(day, range)}`;
  return { day, within };
}

function formed(column: Column, format: DateFormat, zones: Zones): Dated {
  const name = quoteIdentifier(column.name);
  const { digits, ordered, pattern, parts, hasTime } = format;
  const isNumber = digits !== null && columnKindOf(column.type) === "number";
  const text = isNumber ? digitsText(column, digits) : `${name}::varchar`;
  const read = `regexp_extract(${text}, ${quoteText(pattern)}, 1)`;
  const time = `try_strptime(${read}, ${quoteText(formatText(parts))})`;
  const shifted = hasTime ? inTimezone(time, zones) : null;
  const day = `${shifted ?? time}::date`;
  if (ordered === null) return { day, within: (range) => isDayOf(day, range) };
  const widerDays = shifted === null ? 0 : zonesApartDays;
  const written = (date: string) => `strftime(${date}, ${quoteText(formatText(ordered.parts))})`;
  const within = (range: RangeSql) => {
    const from = written(plusDays(range.start, -widerDays));
    const to = written(plusDays(range.end, widerDays));
    const bounds = isNumber
      ? `${name} between ${scaled(`${from}::bigint`, ordered)} and ${scaled(`${to}::bigint`, ordered, 1)}`
      : `${name} between ${from} and ${ordered.end === "" ? to : `(${to} || ${quoteText(ordered.end)})`}`;
    return `${bounds} and ${isDayOf(day, range)}`;
  };
  return { day, within };
}

/** The first number that begins with some digits, or the one before the first that begins with `steps` more. */
function scaled(digits: string, { scale }: Ordered, steps: 0 | 1 = 0): string {
  if (scale === 1) return digits;
  return steps === 0 ? `${digits} * ${scale}` : `(${digits} + 1) * ${scale} - 1`;
}

/** A number with the zeros in front that it has lost; NULL for one that has no such digits. */
function digitsText(column: Column, digits: number): string {
  const name = quoteIdentifier(column.name);
  const isInRange = `${name} between 0 and ${10 ** digits - 1}`;
  const isWhole = column.type.includes("INT") ? isInRange : `${isInRange} and ${name} = trunc(${name})`;
  return `case when ${isWhole} then lpad(${name}::bigint::varchar, ${digits}, '0') end`;
}

/** A wall time of the column as the pipeline's clocks show it; null if that is the same. */
function inTimezone(time: string, { timezone, columnTimezone }: Zones): string | null {
  if (columnTimezone === null || columnTimezone === timezone) return null;
  return `timezone(${quoteText(timezone)}, timezone(${quoteText(columnTimezone)}, ${time}::timestamp))`;
}

function between(name: string, { start, end }: RangeSql, widerDays: number, type: string): string {
  const [from, to] = [plusDays(start, -widerDays), plusDays(end, widerDays + 1)];
  return `${name} >= (${from})::${type} and ${name} < (${to})::${type}`;
}

function isDayOf(day: string, { start, end }: RangeSql): string {
  return `${day} between ${start} and ${end}`;
}

function plusDays(date: string, days: number): string {
  if (days === 0) return date;
  return days < 0 ? `${date} - ${-days}` : `${date} + ${days}`;
}

/** Epoch milliseconds of an aggregate (`min` or `max`) of a time column, as BIGINT. */
export function epochMs(aggregate: "min" | "max", column: Column, source: Source, zones: Zones): string {
  return instantMs(`${aggregate}(${quoteIdentifier(column.name)})`, column, source, zones);
}

/**
 * Epoch milliseconds of a value of a time column, as BIGINT. A time without a zone is UTC, as `now()` is in a repair, unless
 * the config names another zone; a date begins in the pipeline's zone.
 * @throws Unobservable where the column has another type.
 */
export function instantMs(value: string, column: Column, source: Source, zones: Zones): string {
  const { timezone, columnTimezone } = zones;
  if (isInstant(column)) return `epoch_ms(${value})`;
  if (isTimestamp(column)) {
    return columnTimezone === null
      ? `epoch_ms(${value})`
      : `epoch_ms(timezone(${quoteText(columnTimezone)}, ${value}::timestamp))`;
  }
  if (column.type === "DATE") return `epoch_ms(timezone(${quoteText(timezone)}, ${value}::timestamp))`;
  throw wrongTimeColumn(column, source);
}

function isTimestamp({ type }: Column): boolean {
  return type === "TIMESTAMP" || type === "TIMESTAMP_S" || type === "TIMESTAMP_MS" || type === "TIMESTAMP_NS";
}

function isInstant({ type }: Column): boolean {
  return type === "TIMESTAMP WITH TIME ZONE";
}
