import fc from "fast-check";
import { expect, test } from "vitest";
import {
  cursorOf,
  daysIn,
  everyDay,
  intersect,
  since,
  type Span,
  spansOf,
  type Spans,
  subtract,
  union,
  widen,
} from "../../../src/adapters/bigquery/spans.ts";

const span = fc
  .tuple(fc.integer({ min: -3, max: 30 }), fc.nat({ max: 6 }))
  .map(([from, days]): Span => ({ from, to: from + days }));
const spans = fc.array(span, { maxLength: 8 }).map(spansOf);
const all = Array.from({ length: 60 }, (_, index) => index - 10);
const setOf = (days: Spans) => [...daysIn(days)].toSorted((one, other) => one - other);

test("sets of days are joined, taken from each other and cut as sets are", () => {
  fc.assert(
    fc.property(spans, spans, fc.integer({ min: -5, max: 40 }), (one, other, day) => {
      const [left, right] = [daysIn(one), daysIn(other)];
      const where = (isIn: (day: number) => boolean) => all.filter(isIn);
      expect(setOf(union(one, other))).toEqual(where((at) => left.has(at) || right.has(at)));
      expect(setOf(subtract(one, other))).toEqual(where((at) => left.has(at) && !right.has(at)));
      expect(setOf(intersect(one, other))).toEqual(where((at) => left.has(at) && right.has(at)));
      expect(setOf(since(one, day))).toEqual(where((at) => left.has(at) && at >= day));
      expect(subtract(one, [everyDay])).toEqual([]);
      const isIn = cursorOf(one);
      expect(all.filter((at) => isIn(at))).toEqual(setOf(one));
      for (const [index, { from }] of union(one, other).entries())
        expect(from).toBeGreaterThan((union(one, other)[index - 1]?.to ?? -100) + 1);
    }),
  );
});

test("a set is widened to few spans by its narrowest holes", () => {
  const days = spansOf([1, 3, 10, 12, 20].map((day) => ({ from: day, to: day })));
  expect(widen(days, 5)).toBe(days);
  expect(widen(days, 3)).toEqual([
    { from: 1, to: 3 },
    { from: 10, to: 12 },
    { from: 20, to: 20 },
  ]);
  expect(widen(days, 1)).toEqual([{ from: 1, to: 20 }]);
});
