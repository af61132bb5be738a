import { expect, test } from "vitest";
import { calendarDates } from "../../src/core/calendar.ts";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";

const [first, last] = [toDay(parseIsoDate("2024-01-31")), toDay(parseIsoDate("2024-03-01"))];

type Every = "day" | "weekday" | "week" | "month" | "quarter" | "year";

function datesOf(every: Every, weekday = 1, day: "first" | "last" = "first"): readonly string[] {
  return Array.from(calendarDates({ kind: "calendar", every, weekday, day }, first, last).days, fromDay);
}

test("every day includes both ends and the leap day", () => {
  const dates = datesOf("day");
  expect(dates).toHaveLength(31);
  expect([dates[0], dates[29], dates[30]]).toEqual(["2024-01-31", "2024-02-29", "2024-03-01"]);
});

test("weekdays leave Saturday and Sunday out", () => {
  const dates = datesOf("weekday");
  expect(dates.slice(0, 4)).toEqual(["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-05"]);
  expect(dates).toHaveLength(23);
});

test("a week has its one day", () => {
  expect(datesOf("week", 7)).toEqual(["2024-02-04", "2024-02-11", "2024-02-18", "2024-02-25"]);
});

test("a month has its first day", () => {
  expect(datesOf("month")).toEqual(["2024-02-01", "2024-03-01"]);
});

test("a month, a quarter and a year have their first or their last day", () => {
  const [from, to] = [toDay(parseIsoDate("2023-12-15")), toDay(parseIsoDate("2024-07-01"))];
  const dates = (every: Every, day: "first" | "last") =>
    Array.from(calendarDates({ kind: "calendar", every, weekday: 1, day }, from, to).days, fromDay);
  expect(datesOf("month", 1, "last")).toEqual(["2024-01-31", "2024-02-29"]);
  expect(dates("quarter", "first")).toEqual(["2024-01-01", "2024-04-01", "2024-07-01"]);
  expect(dates("quarter", "last")).toEqual(["2023-12-31", "2024-03-31", "2024-06-30"]);
  expect(dates("year", "first")).toEqual(["2024-01-01"]);
  expect(dates("year", "last")).toEqual(["2023-12-31"]);
});

test("a calendar date is one unit of one season that starts with the calendar", () => {
  const found = calendarDates({ kind: "calendar", every: "month", weekday: 1, day: "first" }, first, last);
  expect([...found.units]).toEqual([1, 1]);
  expect([...found.season]).toEqual([0, 0]);
  expect(found.seasons).toEqual([{ name: "", startDay: first }]);
});
