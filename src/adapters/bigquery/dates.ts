import { columnKindOf, type DateColumn, dateColumnProblem, dateFormatOf } from "../../core/date-column.ts";
import { type DateFormat, formatText, numberBounds, textBounds } from "../../core/date-format.ts";
import {
  addDays,
  type DateRange,
  type Day,
  fromDay,
  type IsoDate,
  parseIsoDate,
  toDay,
} from "../../core/iso-date.ts";
import { type EpochMs, instantOf, wallTimeAt } from "../../core/wall-clock.ts";
import { ReconcilerError } from "../../errors.ts";
import {
  type Column,
  columnOf,
  type DatedSource,
  type Source,
  wrongDateColumn,
  wrongTimeColumn,
} from "../sql/source.ts";
import type { Binder } from "./parameters.ts";
import { enclose, quoteIdentifier, quoteText } from "./sql-text.ts";

/** The dates that are asked for; both ends of each range are included. */
export interface Dates {
  readonly ranges: readonly DateRange[];
  /** Whether rows are only counted, those without a date too if it is true; not unless given. */
  readonly withoutDate?: boolean;
  readonly timezone: string;
  readonly binder: Binder;
}

const dayMs = 86_400_000;
const firstDate = parseIsoDate("0001-01-01");
const lastDate = parseIsoDate("9999-12-31");
/** Before, zones kept local mean time, and their offsets are not worth relying on. */
const firstZonedDay = toDay(parseIsoDate("1900-01-01"));

/** More than the clocks of any two zones differ by. */
export const zonesApartDays = 2;

/** All dates that there are. */
export const allDates: DateRange = { start: firstDate, end: lastDate };

const noDate: DateRange = { start: parseIsoDate("2000-01-02"), end: parseIsoDate("2000-01-01") };

/** The pipeline's zone, and that of a table's times that have none. */
export interface Zones {
  readonly timezone: string;
  readonly columnTimezone: string | null;
}

/**
 * A source with its date column and filter. DATETIME is wall time in the column's zone and TIMESTAMP an instant; both are
 * dated in the pipeline's zone. Text and numbers are dates in the form that the config gives; a value of another form is no
 * date. The bare column is compared with values of its own type: nothing else lets BigQuery leave partitions out.
 * @throws Unobservable where the column is missing or cannot carry dates.
 */
export function datedSource(
  source: Source,
  date: DateColumn,
  where: string | null,
  dates: Dates,
): DatedSource {
  const column = columnOf(source, date.dateColumn);
  const problem = dateColumnProblem(column.type, date);
  if (problem !== null) throw wrongDateColumn(column, source, problem);
  const zones = { timezone: dates.timezone, columnTimezone: date.columnTimezone };
  const format = date.dateFormat === null ? null : dateFormatOf(date.dateFormat);
  const { day, undated, within, endsOf } =
    format === null ? native(column, zones) : formed(column, format, zones);
  const ranges = dates.ranges.map((range) => within(range, dates.binder));
  if (dates.withoutDate === true) ranges.push(undated);
  const ends = dates.withoutDate === undefined ? null : (endsOf?.(dates) ?? null);
  if (ends !== null) ranges.push(...ends.conditions);
  // No date at all is a range, too: a table may require a filter on its partitions, which FALSE is not.
  const [only = within(noDate, dates.binder), ...more] = ranges;
  const condition = more.length === 0 ? only : `(${ranges.join(" or ")})`;
  const anyDay = where === null ? "true" : enclose(where);
  return {
    source,
    day: ends?.day ?? day,
    condition: where === null ? condition : `${condition} and ${anyDay}`,
    anyDay,
  };
}

/** The calendar date of a column, and what its rows of a range meet. */
interface Dated {
  readonly day: string;
  /** What its rows without a date meet. */
  readonly undated: string;
  readonly within: (range: DateRange, binder: Binder) => string;
  /** What takes in the ends of the calendar, whose rows may have no date in a zone, as their dates in UTC. */
  readonly endsOf?: (dates: Dates) => { readonly day: string; readonly conditions: readonly string[] };
}

function native(column: Column, zones: Zones): Dated {
  const name = quoteIdentifier(column.name);
  const undated = `${name} is null`;
  if (column.type === "DATE")
    return { day: name, undated, within: (range, binder) => isDayOf(name, range, binder) };
  if (column.type === "TIMESTAMP") {
    const zone = zoneOf(column, zones.timezone);
    const day = `date(${name}, ${quoteText(zone)})`;
    const within = (range: DateRange, binder: Binder) =>
      between(name, day, boundsOf(range, zone), range, (at) => binder.timestamp(at), binder);
    return { day, undated, within, endsOf: (dates) => endsOf(name, day, dates) };
  }
  const shifted = inTimezone(name, zones);
  if (shifted !== null) {
    const within = (range: DateRange, binder: Binder) =>
      between(name, shifted, wallBoundsOf(range, zones), range, (at) => binder.wallTime(at), binder);
    return { day: shifted, undated, within };
  }
  const within = ({ start, end }: DateRange, binder: Binder) => {
    const from = `${name} >= ${binder.datetime(start)}`;
    return end === lastDate ? from : `(${from} and ${name} < ${binder.datetime(addDays(end, 1))})`;
  };
  return { day: `date(${name})`, undated, within };
}

function endsOf(
  name: string,
  day: string,
  { ranges, binder }: Dates,
): { readonly day: string; readonly conditions: readonly string[] } {
  const isFirst = `${name} < ${binder.timestamp((toDay(firstDate) + 1) * dayMs)}`;
  const isLast = `${name} >= ${binder.timestamp(toDay(lastDate) * dayMs)}`;
  return {
    day: `case when ${isFirst} then ${binder.date(firstDate)} when ${isLast} then ${binder.date(lastDate)} else ${day} end`,
    conditions: [
      ...(ranges.some(({ start }) => start === firstDate) ? [isFirst] : []),
      ...(ranges.some(({ end }) => end === lastDate) ? [isLast] : []),
    ],
  };
}

function formed(column: Column, format: DateFormat, zones: Zones): Dated {
  const name = quoteIdentifier(column.name);
  const { digits, ordered, pattern, parts, hasTime } = format;
  const isNumber = digits !== null && columnKindOf(column.type) === "number";
  const text = isNumber ? digitsText(column, digits) : name;
  const read = `regexp_extract(${text}, ${quoteText(pattern)})`;
  const time = `safe.parse_datetime(${quoteText(formatText(parts, directiveName))}, ${read})`;
  const shifted = hasTime ? inTimezone(time, zones) : null;
  const day = shifted ?? `date(${time})`;
  // A number may be that of a partition, on which the table may require a filter: this one lets all of them through.
  const anyNumber = `(${name} is null or ${name} < 0 or ${name} >= 0)`;
  const undated = isNumber ? `(${anyNumber} and ${day} is null)` : `${day} is null`;
  if (ordered === null) return { day, undated, within: (range, binder) => isDayOf(day, range, binder) };
  const widerDays = shifted === null ? 0 : zonesApartDays;
  const within = (range: DateRange, binder: Binder) => {
    const wider = widen(range, widerDays);
    const bounds = isNumber ? numberBounds(ordered, wider) : textBounds(ordered, wider);
    const [from, to] = [bounds.from, bounds.to].map((bound) =>
      typeof bound === "number" ? binder.integer(bound) : binder.text(bound),
    );
    return `(${name} between ${from} and ${to} and ${isDayOf(day, range, binder)})`;
  };
  return { day, undated, within };
}

/** BigQuery takes one digit for two; the pattern has counted them. */
function directiveName(name: string): string {
  return name.replace("-", "");
}

/** A number with the zeros in front that it has lost; NULL for one that has no such digits. */
function digitsText(column: Column, digits: number): string {
  const name = quoteIdentifier(column.name);
  const isInRange = `${name} between 0 and ${10 ** digits - 1}`;
  const isWhole = column.type.includes("INT") ? isInRange : `${isInRange} and ${name} = trunc(${name})`;
  return `if(${isWhole}, lpad(cast(cast(${name} as int64) as string), ${digits}, '0'), null)`;
}

/** The pipeline's date of a wall time of the column; null if that is the date that it shows. */
function inTimezone(time: string, { timezone, columnTimezone }: Zones): string | null {
  if (columnTimezone === null || columnTimezone === timezone) return null;
  return `safe.date(safe.timestamp(${time}, ${quoteText(columnTimezone)}), ${quoteText(timezone)})`;
}

function isDayOf(day: string, { start, end }: DateRange, binder: Binder): string {
  return `${day} between ${binder.date(start)} and ${binder.date(end)}`;
}

/** Dates end where the calendar does. */
function widen({ start, end }: DateRange, days: number): DateRange {
  return {
    start: fromDay(Math.max(toDay(firstDate), toDay(start) - days)),
    end: fromDay(Math.min(toDay(lastDate), toDay(end) + days)),
  };
}

/** Epoch milliseconds of an aggregate (`min` or `max`) of a time column, as INT64. */
export function epochMs(aggregate: "min" | "max", column: Column, source: Source, zones: Zones): string {
  return instantMs(`${aggregate}(${quoteIdentifier(column.name)})`, column, source, zones);
}

/**
 * Epoch milliseconds of a value of a time column, as INT64. A time without a zone is UTC, as `current_datetime()` is in a
 * repair, unless the config names another zone; a date begins in the pipeline's zone.
 * @throws Unobservable where the column has another type.
 */
export function instantMs(value: string, column: Column, source: Source, zones: Zones): string {
  const { timezone, columnTimezone } = zones;
  if (column.type === "TIMESTAMP") return `unix_millis(${value})`;
  if (column.type === "DATETIME") {
    const zone = columnTimezone === null ? "" : `, ${quoteText(columnTimezone)}`;
    return `unix_millis(timestamp(${value}${zone}))`;
  }
  if (column.type === "DATE") return `unix_millis(timestamp(${value}, ${quoteText(timezone)}))`;
  throw wrongTimeColumn(column, source);
}

/** A bound of a range; where it is not exact it is too wide, and the date of each row decides. */
interface Bound {
  readonly at: EpochMs;
  readonly exact: boolean;
}

interface Bounds {
  readonly from: Bound;
  /** Not included. */
  readonly to: Bound;
}

function between(
  name: string,
  day: string,
  { from, to }: Bounds,
  range: DateRange,
  write: (at: EpochMs) => string,
  binder: Binder,
): string {
  const bounds = `${name} >= ${write(from.at)} and ${name} < ${write(to.at)}`;
  return from.exact && to.exact ? `(${bounds})` : `(${bounds} and ${isDayOf(day, range, binder)})`;
}

function boundsOf({ start, end }: DateRange, timezone: string): Bounds {
  return { from: beginOf(toDay(start), timezone, -1), to: beginOf(toDay(end) + 1, timezone, 1) };
}

/** The same as the column's clocks show it. */
function wallBoundsOf(range: DateRange, { timezone, columnTimezone }: Zones): Bounds {
  const { from, to } = boundsOf(range, timezone);
  const zone = columnTimezone ?? timezone;
  return { from: wallBound(from, zone, -1), to: wallBound(to, zone, 1) };
}

function wallBound({ at, exact }: Bound, timezone: string, outwards: -1 | 1): Bound {
  // At both ends of the calendar there is no day more to look at.
  if (at < (toDay(firstDate) + 2) * dayMs || at > (toDay(lastDate) - 2) * dayMs) return { at, exact: false };
  const offset = wallTimeAt(at, timezone) - at;
  const isSteady = [at - dayMs, at + dayMs].every((other) => wallTimeAt(other, timezone) - other === offset);
  return isSteady ? { at: at + offset, exact } : { at: at + offset + outwards * dayMs, exact: false };
}

/**
 * When a date begins in a zone. Where the clocks are set near it the bound is a day wider, towards `outwards`, and not
 * exact: the date of each row decides then, so that no more than a partition is read in vain.
 */
function beginOf(day: Day, timezone: string, outwards: -1 | 1): Bound {
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
