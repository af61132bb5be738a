import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EdgeWindow } from "../../src/core/pipeline.ts";
import { type DenseSchedule, denseSchedules } from "../../src/core/schedule.ts";
import { slidingMaximum, windowAt } from "../../src/core/windows.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { scheduleOf } from "../support/sight.ts";

function dense(pattern: string): DenseSchedule {
  const axis = { first: 100, length: pattern.length };
  const schedules = new Map([["default", scheduleOf(pattern, axis.first, 1)]]);
  const found = denseSchedules({ schedules: [tableSchedule()] }, schedules, axis).get("default");
  if (found === undefined) throw new RangeError("no schedule");
  return found;
}

/** The scheduled positions that the cell at `position` reads. */
function read(window: EdgeWindow, upstream: string, own: string, position: number): readonly number[] {
  const schedule = dense(upstream);
  const { from, to } = windowAt(window, schedule, dense(own), position);
  return [...schedule.positions].filter((at) => at >= from && at <= to);
}

const daily = "aaaaaaaaaa";
const holes = "aa--a-a-aa";

describe("a window reads", () => {
  test("its own date alone", () => {
    expect(read({ kind: "same_date" }, daily, daily, 4)).toEqual([4]);
    expect(read({ kind: "same_date" }, holes, daily, 3)).toEqual([]);
  });

  test("the scheduled dates of so many calendar days before its own, clipped at the start", () => {
    const days = (position: number, sameDate = false) =>
      read({ kind: "days", days: 4, sameDate }, holes, daily, position);
    expect(days(6)).toEqual([4]);
    expect(days(6, true)).toEqual([4, 6]);
    expect(days(1)).toEqual([0]);
    expect(days(0)).toEqual([]);
    expect(days(0, true)).toEqual([0]);
  });

  test("so many scheduled dates before its own, however far back they lie, across seasons too", () => {
    const dates = (position: number, count: number, sameDate = false) =>
      read({ kind: "dates", dates: count, sameDate }, "aa--a-b-bb", daily, position);
    expect(dates(8, 3)).toEqual([1, 4, 6]);
    expect(dates(8, 3, true)).toEqual([1, 4, 6, 8]);
    expect(dates(5, 2)).toEqual([1, 4]);
    expect(dates(5, 99)).toEqual([0, 1, 4]);
    expect(dates(0, 3)).toEqual([]);
    expect(dates(0, 3, true)).toEqual([0]);
  });

  test("nothing where the upstream begins later", () => {
    expect(read({ kind: "dates", dates: 3, sameDate: false }, "----aa", "aaaaaa", 2)).toEqual([]);
    expect(read({ kind: "dates", dates: 3, sameDate: true }, "----aa", "aaaaaa", 2)).toEqual([]);
  });

  test("all until the next date of its own schedule, and to the end of the axis where there is none", () => {
    const until: EdgeWindow = { kind: "until_next" };
    expect(read(until, daily, "a--a------", 0)).toEqual([0, 1, 2]);
    expect(read(until, holes, "a--a------", 3)).toEqual([4, 6, 8, 9]);
  });

  test("the scheduled dates after its own, by days or by number, clipped at the end", () => {
    const days = (position: number, sameDate = false) =>
      read({ kind: "days_ahead", days: 3, sameDate }, holes, daily, position);
    expect(days(1)).toEqual([4]);
    expect(days(1, true)).toEqual([1, 4]);
    expect(days(8)).toEqual([9]);
    const dates = (position: number, sameDate = false) =>
      read({ kind: "dates_ahead", dates: 2, sameDate }, holes, daily, position);
    expect(dates(1)).toEqual([4, 6]);
    expect(dates(4, true)).toEqual([4, 6, 8]);
    expect(dates(8)).toEqual([9]);
  });

  test("the one cell that lies so many days or scheduled dates away", () => {
    const days = (position: number, count: number) =>
      read({ kind: "offset_days", days: count }, holes, daily, position);
    expect([days(2, -1), days(4, -1), days(0, -1), days(4, 2), days(9, 1)]).toEqual([[1], [], [], [6], []]);
    const dates = (position: number, count: number) =>
      read({ kind: "offset_dates", dates: count }, holes, daily, position);
    expect([dates(4, -1), dates(5, -1), dates(4, -2), dates(0, -1)]).toEqual([[1], [4], [0], []]);
    expect([dates(1, 1), dates(2, 1), dates(4, 2), dates(9, 1)]).toEqual([[4], [4], [8], []]);
  });

  test("all since the previous date of its own schedule: a week for a weekly one, the weekend for Monday", () => {
    const since: EdgeWindow = { kind: "since_previous" };
    const weekly = "a------a------a";
    expect(read(since, "a".repeat(15), weekly, 14)).toEqual([8, 9, 10, 11, 12, 13, 14]);
    expect(read(since, "a".repeat(15), weekly, 0)).toEqual([0]);
    const weekdays = "aaaaa--aaaaa--a";
    expect(read(since, "a".repeat(15), weekdays, 7)).toEqual([5, 6, 7]);
    expect(read(since, "a".repeat(15), weekdays, 8)).toEqual([8]);
  });
});

test("the sliding maximum is that of a search of each window", () => {
  const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 60 }),
      fc.nat(12),
      fc.boolean(),
      (list, days, own) => {
        const values = Float64Array.from(list);
        const windowOf = (position: number) => ({
          from: Math.max(0, position - days),
          to: own ? position : position - 1,
        });
        const found = slidingMaximum(values, list.length, windowOf);
        const searched = list.map((_, position) => {
          const { from, to } = windowOf(position);
          return Math.max(-Infinity, ...list.slice(from, to + 1).filter((entry) => !Number.isNaN(entry)));
        });
        expect([...found]).toEqual(searched);
      },
    ),
    { seed: 4, numRuns: 500 },
  );
});
