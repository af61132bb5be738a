import { type DateColumn, dateFormatOf } from "../../core/date-column.ts";
import { numberBounds, type Ordered } from "../../core/date-format.ts";
import { type Day, fromDay, parseIsoDate, toDay } from "../../core/iso-date.ts";
import { assertNever } from "../../errors.ts";
import { type EpochMs, localDayAt, wallTimeAt } from "../../core/wall-clock.ts";
import { zonesApartDays } from "./dates.ts";
import type { Source } from "../sql/source.ts";
import type { NumberPartitioning, Partitioning } from "./table-state.ts";
import { type Span, spansOf, type Spans } from "./spans.ts";

/** How the partitions of a table lie on the dates of a processor. */
export type PartitionDates =
  /** The partition is named by the very date. */
  | { readonly kind: "date" }
  /** It is a stretch of time in UTC, whose rows are dated in the zone. */
  | { readonly kind: "instant"; readonly timezone: string }
  /** It is a stretch of what the clocks of one zone show, whose rows are dated in another. */
  | { readonly kind: "wall"; readonly timezone: string; readonly columnTimezone: string }
  /** It is a range of numbers that are dates in a form. */
  | ({ readonly kind: "number"; readonly ordered: Ordered; readonly widerDays: number } & NumberPartitioning);

/** Null where the partitions say nothing about the dates: the table has none, or by something else than the date column. */
export function partitionDates(
  partitioning: Partitioning | null,
  { dateColumn, dateFormat, columnTimezone }: DateColumn,
  source: Source,
  timezone: string,
): PartitionDates | null {
  if (partitioning === null) return null;
  const column = source.columns.get(dateColumn.toLowerCase());
  const isPseudo = /^_partition(?:time|date)$/i.test(dateColumn);
  const isPartitioned =
    partitioning.field === null ? isPseudo : partitioning.field.toLowerCase() === dateColumn.toLowerCase();
  if (column === undefined || !isPartitioned) return null;
  const zone = columnTimezone === timezone ? null : columnTimezone;
  if ("interval" in partitioning) {
    const format = dateFormat === null ? null : dateFormatOf(dateFormat);
    if (format === null || format.ordered === null) return null;
    const widerDays = format.hasTime && zone !== null ? zonesApartDays : 0;
    return { kind: "number", ordered: format.ordered, widerDays, ...partitioning };
  }
  const { type, cutTo } = column;
  // The time of arrival is dated by the name of its partition, in UTC, unless partitions are hours.
  if (type === "TIMESTAMP" && (cutTo === undefined || cutTo === "HOUR")) return { kind: "instant", timezone };
  if (type === "DATETIME" && zone !== null) return { kind: "wall", timezone, columnTimezone: zone };
  return { kind: "date" };
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Of the years that are written with four digits. */
const firstFormedDay = toDay(parseIsoDate("1000-01-01"));
const lastFormedDay = toDay(parseIsoDate("9999-12-31"));
/** Outside of these years BigQuery puts rows into no partition of their own. */
const firstPartitioned = toDay(parseIsoDate("1960-01-01"));
const lastPartitioned = toDay(parseIsoDate("2159-12-31"));
/** A day more to both sides, for rows that are dated in a zone. */
const unpartitioned: Spans = [
  { from: Number.NEGATIVE_INFINITY, to: firstPartitioned },
  { from: lastPartitioned, to: Number.POSITIVE_INFINITY },
];

/** Whether the name of a partition is one whose dates are known. */
export function isDated(id: string): boolean {
  return id.startsWith("__") || /^-?\d+$/.test(id);
}

/** Whether a partition holds the rows that are in no other yet, or have a date that none is made for. */
export function isUnpartitioned(id: string): boolean {
  return id.startsWith("__") && id !== withoutDate;
}

/** The partition of rows without a date; a number that is no date is in one of the others. */
const withoutDate = "__NULL__";

/** Whether all rows of a partition are without a date, or some may be. */
export function undatedOf(id: string, dates: PartitionDates): "all" | "some" | "none" {
  if (id === withoutDate) return "all";
  if (dates.kind !== "number") return "none";
  if (id.startsWith("__") || !isOneDate(dates)) return "some";
  return daysOfPartitions([id], dates).length === 0 ? "all" : "none";
}

/** Whether all rows of each partition are of one date, day, month or year as it may be. */
export function isOneDate(dates: PartitionDates): boolean {
  return dates.kind === "number" ? dates.interval === 1 && dates.ordered.scale === 1 : dates.kind === "date";
}

/** All dates that rows of some partitions may have: more of them rather than one too few. */
export function daysOfPartitions(ids: Iterable<string>, dates: PartitionDates): Spans {
  return spansOf(
    [...ids].flatMap((id): readonly Span[] => {
      // Rows without a date are of no date.
      if (id === withoutDate) return [];
      if (dates.kind === "number") return numberSpans(id, dates);
      return id.startsWith("__") ? unpartitioned : [spanOf(id, dates)];
    }),
  );
}

type NumberDates = Extract<PartitionDates, { readonly kind: "number" }>;

/** What is outside of all ranges is in one partition. */
function numberSpans(id: string, dates: NumberDates): readonly Span[] {
  const { start, end, interval, widerDays, ordered } = dates;
  /** The last day that may have a number below `value`, and the first that may have one from it on. */
  const lastBelow = (value: number) => firstDayOf(value, ordered) - 1 + widerDays;
  const firstFrom = (value: number) => firstDayOf(value - ordered.scale + 1, ordered) - widerDays;
  if (id.startsWith("__")) {
    return [
      { from: Number.NEGATIVE_INFINITY, to: lastBelow(start) },
      { from: firstFrom(end), to: Number.POSITIVE_INFINITY },
    ];
  }
  const first = Number(id);
  return [{ from: firstFrom(first), to: lastBelow(first + interval) }];
}

/** The first day whose numbers begin at `value` or above; days are in the order of their numbers. */
function firstDayOf(value: number, ordered: Ordered): Day {
  let [low, high] = [firstFormedDay, lastFormedDay + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const date = fromDay(middle);
    if (numberBounds(ordered, { start: date, end: date }).from < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first millisecond of a partition by time, as its name says it. */
export function beginOfPartition(id: string): number {
  return stretchOf(id).begin;
}

function spanOf(id: string, dates: Exclude<PartitionDates, NumberDates>): Span {
  const { begin, end } = stretchOf(id);
  switch (dates.kind) {
    case "date":
      return { from: Math.floor(begin / dayMs), to: Math.floor((end - 1) / dayMs) };
    case "instant":
      return { from: localDayAt(begin, dates.timezone), to: localDayAt(end - 1, dates.timezone) };
    case "wall":
      return {
        from: localDayAt(earliestOf(begin, dates.columnTimezone), dates.timezone),
        to: localDayAt(latestOf(end - 1, dates.columnTimezone), dates.timezone),
      };
    default:
      return assertNever(dates, "dates of a partition");
  }
}

/** The instants at which clocks may show a time: they show it twice, or never, on a day on which they are set. */
function earliestOf(wall: EpochMs, timezone: string): EpochMs {
  return wall - Math.max(...offsetsNear(wall, timezone));
}

function latestOf(wall: EpochMs, timezone: string): EpochMs {
  return wall - Math.min(...offsetsNear(wall, timezone));
}

function offsetsNear(wall: EpochMs, timezone: string): readonly number[] {
  return [wall - dayMs, wall + dayMs].map((near) => wallTimeAt(near, timezone) - near);
}

/** From the first millisecond of a partition to the one after its last, as its name says it. */
function stretchOf(id: string): { readonly begin: number; readonly end: number } {
  const [year, month, day, hour] = [id.slice(0, 4), id.slice(4, 6), id.slice(6, 8), id.slice(8, 10)].map(
    Number,
  );
  const begin = Date.UTC(year ?? 0, Math.max(0, (month ?? 0) - 1), Math.max(1, day ?? 0), hour ?? 0);
  if (id.length === 4) return { begin, end: Date.UTC((year ?? 0) + 1, 0) };
  if (id.length === 6) return { begin, end: Date.UTC(year ?? 0, month ?? 0) };
  return { begin, end: begin + (id.length === 8 ? dayMs : hourMs) };
}
