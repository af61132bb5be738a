import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDateRuns, parseDateRuns } from "../../src/core/date-runs.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";

const days = (...dates: string[]) => dates.map((date) => toDay(parseIsoDate(date)));

test("consecutive dates are one run, a lone date stands by itself", () => {
  const list = days("2023-12-31", "2024-01-01", "2024-01-02", "2024-01-04");
  expect(formatDateRuns(list)).toBe("2023-12-31..2024-01-02,2024-01-04");
});

test("no date is the empty text, and the empty text no date", () => {
  expect(formatDateRuns([])).toBe("");
  expect(parseDateRuns("")).toEqual(new Set());
});

test("1970-01-01 is a date like every other, though its day number is 0", () => {
  expect(formatDateRuns(days("1969-12-31", "1970-01-01"))).toBe("1969-12-31..1970-01-01");
  expect(formatDateRuns([0])).toBe("1970-01-01");
});

test("what is no run of dates is passed over, the rest is read", () => {
  expect(parseDateRuns("nonsense,2024-01-04,2024-02-30..2024-03-01,..")).toEqual(new Set(days("2024-01-04")));
});

test("writing and reading give the same days back", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -500, max: 500 })), (numbers) => {
      const list = numbers.toSorted((a, b) => a - b);
      expect([...parseDateRuns(formatDateRuns(list))]).toEqual(list);
    }),
    { seed: 3 },
  );
});
