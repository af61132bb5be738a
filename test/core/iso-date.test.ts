import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addDays,
  civilOf,
  fromDay,
  parseIsoDate,
  toDay,
  tryParseIsoDate,
  weekdayOf,
} from "../../src/core/iso-date.ts";

test("a text that names no date that exists is no date", () => {
  const wrong = [
    "2023-02-29",
    "1900-02-29",
    "2023-02-30",
    "2023-04-31",
    "2023-13-01",
    "2023-00-10",
    "2023-01-00",
    "2023-01-32",
    "0000-01-01",
    "2023-2-3",
    "23-02-03",
    "2023-02-03T00:00",
    " 2023-02-03",
    "2023-02-03\n",
    "20230203",
    "",
  ];
  expect(wrong.filter((text) => tryParseIsoDate(text) !== null)).toEqual([]);
});

test("leap days exist in years that divide by 4, not by 100 unless by 400", () => {
  const years = ["2024-02-29", "2000-02-29"];
  expect(years.map(tryParseIsoDate)).toEqual(years);
});

test("the refusal of a text says what was expected and shows what was found", () => {
  expect(() => parseIsoDate("2023-02-30")).toThrow(/expected a date as YYYY-MM-DD, found "2023-02-30"/);
});

test("known dates are so many days from 1970-01-01", () => {
  const known = { "1970-01-01": 0, "1969-12-31": -1, "2000-03-01": 11_017, "2024-02-29": 19_782 };
  for (const [text, day] of Object.entries(known)) expect(toDay(parseIsoDate(text))).toBe(day);
});

test("a day goes to its date and back, as the platform's calendar counts, over all years that a date can name", () => {
  const [first, last] = [toDay(parseIsoDate("0001-01-01")), toDay(parseIsoDate("9999-12-31"))];
  fc.assert(
    fc.property(fc.integer({ min: first, max: last }), (day) => {
      const date = fromDay(day);
      expect(toDay(date)).toBe(day);
      expect(new Date(day * 86_400_000).toISOString().slice(0, 10)).toBe(date);
      expect(weekdayOf(day) % 7).toBe(new Date(day * 86_400_000).getUTCDay());
      expect(civilOf(day)).toEqual({
        year: Number(date.slice(0, 4)),
        month: Number(date.slice(5, 7)),
        day: Number(date.slice(8)),
      });
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("adding days crosses months, years and leap days", () => {
  expect(addDays(parseIsoDate("2024-02-28"), 2)).toBe("2024-03-01");
  expect(addDays(parseIsoDate("2023-12-31"), 1)).toBe("2024-01-01");
  expect(addDays(parseIsoDate("2024-01-01"), -1)).toBe("2023-12-31");
});

test("Monday is the first day of the week, before 1970 too", () => {
  expect(weekdayOf(toDay(parseIsoDate("2024-01-01")))).toBe(1);
  expect(weekdayOf(toDay(parseIsoDate("2024-01-07")))).toBe(7);
  expect(weekdayOf(toDay(parseIsoDate("1969-12-28")))).toBe(7);
});
