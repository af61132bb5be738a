import type { Day } from "../../core/iso-date.ts";

/** Consecutive days; both ends are included. */
export interface Span {
  readonly from: Day;
  readonly to: Day;
}

/** A set of days: ascending, no two of them touch. */
export type Spans = readonly Span[];

export const everyDay: Span = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** The set of the days of any spans, in whatever order. */
export function spansOf(spans: readonly Span[]): Spans {
  const joined: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const last = joined.at(-1);
    if (last !== undefined && span.from <= last.to + 1) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else if (span.from <= span.to) joined.push(span);
  }
  return joined;
}

export function union(one: Spans, other: Spans): Spans {
  return spansOf([...one, ...other]);
}

export function subtract(spans: Spans, taken: Spans): Spans {
  const left: Span[] = [];
  let next = 0;
  for (const span of spans) {
    while ((taken[next]?.to ?? Number.POSITIVE_INFINITY) < span.from) next += 1;
    let { from } = span;
    for (let at = next; from <= span.to; at += 1) {
      const hole = taken[at];
      if (hole === undefined || hole.from > span.to) {
        left.push({ from, to: span.to });
        break;
      }
      if (hole.from > from) left.push({ from, to: hole.from - 1 });
      from = hole.to + 1;
    }
  }
  return left;
}

export function intersect(one: Spans, other: Spans): Spans {
  return subtract(one, subtract(one, other));
}

/** The days from `day` on. */
export function since(spans: Spans, day: Day): Spans {
  return spans.flatMap(({ from, to }) => (to < day ? [] : [{ from: Math.max(from, day), to }]));
}

/** The same days and more of those between them, so that there are at most `max` spans: the narrowest holes are filled. */
export function widen(spans: Spans, max: number): Spans {
  if (spans.length <= max) return spans;
  const holes = spans.slice(1).map(({ from }, index) => ({ index, days: from - (spans[index]?.to ?? from) }));
  const filled = new Set(
    holes
      .toSorted((one, other) => one.days - other.days)
      .slice(0, spans.length - max)
      .map(({ index }) => index),
  );
  const joined: Span[] = [];
  for (const [index, span] of spans.entries()) {
    const last = joined.at(-1);
    if (last !== undefined && filled.has(index - 1))
      joined[joined.length - 1] = { from: last.from, to: span.to };
    else joined.push(span);
  }
  return joined;
}

/** Whether a day is in the set; for days that are asked in ascending order. */
export function cursorOf(spans: Spans): (day: Day) => boolean {
  let at = 0;
  return (day) => {
    while ((spans[at]?.to ?? Number.POSITIVE_INFINITY) < day) at += 1;
    return (spans[at]?.from ?? Number.POSITIVE_INFINITY) <= day;
  };
}

/** Of a finite set. */
export function daysIn(spans: Spans): ReadonlySet<Day> {
  const days = new Set<Day>();
  for (const { from, to } of spans) for (let day = from; day <= to; day += 1) days.add(day);
  return days;
}
