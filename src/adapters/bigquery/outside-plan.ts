import { type Day, toDay } from "../../core/iso-date.ts";
import { allDates } from "./dates.ts";
import type { OutsidePlan } from "./outside.ts";
import {
  daysOfPartitions,
  isOneDate,
  isUnpartitioned,
  type PartitionDates,
  undatedOf,
} from "./partition-days.ts";
import type { Stamps } from "./remembered.ts";
import { everyDay, intersect, type Span, type Spans, spansOf, subtract } from "./spans.ts";

/** The table of a processor, as a survey found it. */
export interface OutsideTable {
  readonly where: string | null;
  /** As in `TableNow`. */
  readonly stamps: Stamps | null;
  readonly dates: PartitionDates | null;
  /** Whether it is a table of its own, all of whose rows a query of its dates reads anyway. */
  readonly isReadWhole: boolean;
}

const allDays: Span = { from: toDay(allDates.start), to: toDay(allDates.end) };
/** Above, reading the dates of all rows would cost more than their number is worth. */
const countedRowsMax = 10_000_000;

/**
 * Rows outside of a survey's dates are told by the metadata of their partitions, or counted where that bills little:
 * - A table that is read whole bills nothing more.
 * - Of a table that is partitioned by date, a query counts what metadata cannot tell: partitions that reach over the ends of
 *   the range, and rows that a `where` or a time zone may leave out.
 * - Of anything else, such as a view, only rows without a date and after the range are counted. What is before the range may
 *   be a long history.
 */
export function planOutside(table: OutsideTable, range: Spans): OutsidePlan {
  const outside = subtract([allDays], range);
  const end = range.at(-1)?.to ?? everyDay.to;
  const later = intersect(outside, [{ from: end + 1, to: everyDay.to }]);
  const { stamps, dates } = table;
  if (table.isReadWhole) return { told: nothing, ask: { withoutDate: true, days: outside } };
  if (stamps === null || dates === null)
    return { told: { ...nothing, before: null }, ask: { withoutDate: true, days: later } };
  return planByPartitions(table.where, stamps, dates, range, outside);
}

const nothing = { withoutDate: 0, before: 0, after: 0 };

function planByPartitions(
  where: string | null,
  stamps: Stamps,
  dates: PartitionDates,
  range: Spans,
  outside: Spans,
): OutsidePlan {
  const told = { ...nothing };
  const asked: Span[] = [];
  const start = range[0]?.from ?? everyDay.from;
  const isExact = where === null && isOneDate(dates);
  const reaching = [...stamps].filter(([id]) => intersect(outside, daysOfPartitions([id], dates)).length > 0);
  const rows = reaching.reduce((sum, [, stamp]) => sum + rowsOfStamp(stamp), 0);
  const isCheap = rows <= countedRowsMax;
  for (const [id, stamp] of reaching) {
    const days = daysOfPartitions([id], dates);
    const isApart = intersect(range, days).length === 0 && !isUnpartitioned(id);
    const isTold = isApart && where === null && (isExact || !isCheap);
    if (isTold) told[(days[0]?.from ?? 0) < start ? "before" : "after"] += rowsOfStamp(stamp);
    else if (isExact || isCheap) asked.push(...intersect(outside, days));
  }
  const isUnknown = !isCheap && where !== null;
  const undated = planUndated(where, stamps, dates);
  return {
    told: {
      withoutDate: undated.told,
      before: isUnknown ? null : told.before,
      after: isUnknown ? null : told.after,
    },
    ask: {
      withoutDate: undated.isAsked,
      days: isExact ? spansOf(asked) : inFewSpans(asked, start),
    },
  };
}

/** Rows without a date have partitions of their own, but for numbers: those of some partitions are no dates. */
function planUndated(where: string | null, stamps: Stamps, dates: PartitionDates) {
  const rowsWith = (kind: "all" | "some") =>
    [...stamps].reduce(
      (sum, [id, stamp]) => sum + (undatedOf(id, dates) === kind ? rowsOfStamp(stamp) : 0),
      0,
    );
  const [told, mixed] = [rowsWith("all"), rowsWith("some")];
  if (mixed > countedRowsMax) return { told: null, isAsked: false };
  return { told, isAsked: mixed > 0 || (told > 0 && where !== null) };
}

/** All from the first to the last of these days before the range, and likewise after it. */
function inFewSpans(days: readonly Span[], start: Day): Spans {
  const hullOf = (some: readonly Span[]): readonly Span[] => {
    const [from, to] = [Math.min(...some.map((span) => span.from)), Math.max(...some.map((span) => span.to))];
    return some.length === 0 ? [] : [{ from, to }];
  };
  const isBefore = ({ from }: Span) => from < start;
  return spansOf([...hullOf(days.filter(isBefore)), ...hullOf(days.filter((span) => !isBefore(span)))]);
}

/** The rows of a stamp or a version. */
export function rowsOfStamp(stamp: string): number {
  return Number(stamp.split("/")[1] ?? 0);
}
