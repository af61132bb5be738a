import type { OutsideRows } from "../../core/observation.ts";
import { type DayCounts, outsideRows } from "../sql/day-counts.ts";
import { cursorOf, everyDay, type Spans, subtract, union } from "./spans.ts";

/** Rows outside of the dates of a survey that a query is to count, or has counted. */
export interface OutsideAsk {
  readonly withoutDate: boolean;
  readonly days: Spans;
}

export const nothingOutside: OutsideAsk = { withoutDate: false, days: [] };

export function isNothing({ withoutDate, days }: OutsideAsk): boolean {
  return !withoutDate && days.length === 0;
}

export function unionOf(one: OutsideAsk, other: OutsideAsk): OutsideAsk {
  return { withoutDate: one.withoutDate || other.withoutDate, days: union(one.days, other.days) };
}

/** What queries have counted since the last change. */
export interface Outside {
  /** Null if it is not known. */
  readonly withoutDate: number | null;
  /** The days whose rows `counts` has. */
  readonly settled: Spans;
  readonly counts: DayCounts;
}

const noCounts: DayCounts = { days: new Int32Array(), rows: new Float64Array() };
export const unknownOutside: Outside = { withoutDate: null, settled: [], counts: noCounts };

/** What is left of it once some days, or rows without one, may have changed. */
export function afterMoving(before: Outside, moved: OutsideAsk): Outside {
  return {
    ...before,
    withoutDate: moved.withoutDate ? null : before.withoutDate,
    settled: subtract(before.settled, moved.days),
  };
}

/** What is known once a query has counted. */
export function afterCounting(before: Outside, asked: OutsideAsk, found: DayCounts): Outside {
  const kept = countsIn(before.counts, subtract(before.settled, asked.days));
  const added = countsIn(found, asked.days);
  return {
    withoutDate: asked.withoutDate ? outsideRows(found, everyDay).withoutDate : before.withoutDate,
    settled: union(before.settled, asked.days),
    counts: {
      days: Int32Array.from([...kept.days, ...added.days]),
      rows: Float64Array.from([...kept.rows, ...added.rows]),
    },
  };
}

export function countsIn({ days, rows }: DayCounts, spans: Spans): DayCounts {
  const order = [...days.keys()].toSorted((one, other) => (days[one] ?? 0) - (days[other] ?? 0));
  const isIn = cursorOf(spans);
  const kept = order.filter((entry) => isIn(days[entry] ?? 0));
  return {
    days: Int32Array.from(kept, (entry) => days[entry] ?? 0),
    rows: Float64Array.from(kept, (entry) => rows[entry] ?? 0),
  };
}

/** How the rows outside of the dates of a survey are to be known. */
export interface OutsidePlan {
  /** What metadata tells, without what a query is to count; null for what is not to be known at all. */
  readonly told: OutsideRows;
  readonly ask: OutsideAsk;
}

/** What of a plan no query has counted yet. */
export function unanswered({ ask }: OutsidePlan, { withoutDate, settled }: Outside): OutsideAsk {
  return { withoutDate: ask.withoutDate && withoutDate === null, days: subtract(ask.days, settled) };
}

/** @param range the dates of the survey; at least one */
export function rowsOf({ told, ask }: OutsidePlan, known: Outside, range: Spans): OutsideRows {
  const [first] = range;
  const last = range.at(-1);
  if (first === undefined || last === undefined) return { withoutDate: null, before: null, after: null };
  const counted = outsideRows(countsIn(known.counts, ask.days), { from: first.from, to: last.to });
  const left = subtract(ask.days, known.settled);
  const isKnown = (test: (from: number, to: number) => boolean) =>
    !left.some(({ from, to }) => test(from, to));
  const sum = (one: number | null, other: number) => (one === null ? null : one + other);
  return {
    withoutDate: ask.withoutDate ? known.withoutDate : told.withoutDate,
    before: isKnown((from) => from < first.from) ? sum(told.before, counted.before) : null,
    after: isKnown((_, to) => to > last.to) ? sum(told.after, counted.after) : null,
  };
}
