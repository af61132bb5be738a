import { expect, test } from "vitest";
import { calendarDates } from "../../src/core/calendar.ts";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";

const [first, last] = [toDay(parseIsoDate("2024-01-31")), toDay(parseIsoDate("2024-03-01"))];

function datesOf(every: "day" | "weekday" | "week" | "month", weekday = 1): readonly string[] {
  return Array.from(calendarDates({ kind: "calendar", every, weekday }, first, last).days, fromDay);
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

test("a calendar date is one unit of one season that starts with the calendar", () => {
  const found = calendarDates({ kind: "calendar", every: "month", weekday: 1 }, first, last);
  expect([...found.units]).toEqual([1, 1]);
  expect([...found.season]).toEqual([0, 0]);
  expect(found.seasons).toEqual([{ name: "", startDay: first }]);
});
