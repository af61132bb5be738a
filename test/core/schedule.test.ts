import { expect, test } from "vitest";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { axisOf, completeSchedules, denseSchedules } from "../../src/core/schedule.ts";
import { everyDay, tableSchedule } from "../support/pipeline.ts";
import { scheduleOf } from "../support/sight.ts";

const first = toDay(parseIsoDate("2024-01-01"));
const games = { ...tableSchedule("games"), startDate: parseIsoDate("2024-01-02") };

test("dates before the start date and after the last day of the grid do not count", () => {
  const observed = new Map([["games", scheduleOf("aaaa--bb", first, 3)]]);
  const found = completeSchedules([games], observed, first + 6).get("games");
  expect(Array.from(found?.days ?? [], fromDay)).toEqual([
    "2024-01-02",
    "2024-01-03",
    "2024-01-04",
    "2024-01-07",
  ]);
  expect([...(found?.units ?? [])]).toEqual([3, 3, 3, 3]);
  expect([...(found?.season ?? [])]).toEqual([0, 0, 0, 1]);
  // Bootstrap days are counted from the season's true start, though that date itself is cut off.
  expect(found?.seasons[0]?.startDay).toBe(first);
});

test("a calendar is filled in from its start date to the last day, both included", () => {
  const found = completeSchedules([everyDay], new Map(), first + 2).get("default");
  expect(Array.from(found?.days ?? [], fromDay)).toEqual(["2024-01-01", "2024-01-02", "2024-01-03"]);
});

test("a schedule without any date is an error, as is one that nobody observed", () => {
  const empty = new Map([["games", scheduleOf("----", first, 1)]]);
  for (const observed of [empty, new Map<string, never>()]) {
    expect(() => completeSchedules([games], observed, first + 9)).toThrowError(
      expect.objectContaining({ code: "schedule_empty", message: expect.stringContaining('"games"') }),
    );
  }
});

test("dates before 1900 and after 2200 are none of a schedule, whoever lets them through", () => {
  const days = ["0001-01-01", "1899-12-31", "1900-01-01", "2200-12-31", "2201-01-01"].map((date) =>
    toDay(parseIsoDate(date)),
  );
  const observed = { ...scheduleOf("aaaaa", first, 1), days: Int32Array.from(days) };
  const all = { ...games, startDate: null };
  const found = completeSchedules([all], new Map([["games", observed]]), days[4] ?? 0).get("games");
  expect(Array.from(found?.days ?? [], fromDay)).toEqual(["1900-01-01", "2200-12-31"]);
});

test("the axis goes from the first date of any schedule to the last day", () => {
  const schedules = completeSchedules(
    [games, { ...everyDay, startDate: parseIsoDate("2024-01-05") }],
    new Map([["games", scheduleOf("aaaa", first, 1)]]),
    first + 9,
  );
  expect(axisOf(schedules, first + 9)).toEqual({ first: first + 1, length: 9 });
});

test("the dense form says of every day whether it is scheduled, its season, and how many lie before it", () => {
  const schedules = completeSchedules(
    [{ ...games, startDate: null }],
    new Map([["games", scheduleOf("aa--b", first, 2)]]),
    first + 5,
  );
  const axis = axisOf(schedules, first + 5);
  const dense = denseSchedules({ schedules: [games] }, schedules, axis).get("games");
  expect([...(dense?.scheduled ?? [])]).toEqual([1, 1, 0, 0, 1, 0]);
  expect([...(dense?.season ?? [])]).toEqual([0, 0, -1, -1, 1, -1]);
  expect([...(dense?.units ?? [])]).toEqual([2, 2, 0, 0, 2, 0]);
  expect([...(dense?.positions ?? [])]).toEqual([0, 1, 4]);
  expect([...(dense?.rank ?? [])]).toEqual([0, 1, 2, 2, 2, 3, 3]);
});
