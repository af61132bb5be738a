import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import {
  formatInstant,
  instantOf,
  localDayAt,
  minuteOfDayAt,
  tryParseTimeOfDay,
} from "../../src/core/wall-clock.ts";

const dayOf = (text: string) => toDay(parseIsoDate(text));
const wall = (date: string, time: string, zone: string) =>
  formatInstant(instantOf(dayOf(date), tryParseTimeOfDay(time) ?? Number.NaN, zone));

test("a wall time means the instant at which the clocks of its zone show it", () => {
  const cases = [
    ["2024-01-15", "06:00", "America/New_York", "2024-01-15T11:00:00Z"],
    ["2024-07-15", "06:00", "America/New_York", "2024-07-15T10:00:00Z"],
    ["2024-07-15", "06:00", "UTC", "2024-07-15T06:00:00Z"],
    ["2024-07-15", "06:00", "Asia/Kolkata", "2024-07-15T00:30:00Z"],
    ["2024-07-15", "06:00", "Asia/Kathmandu", "2024-07-15T00:15:00Z"],
    ["2024-07-15", "06:00", "Pacific/Kiritimati", "2024-07-14T16:00:00Z"],
    ["2024-07-15", "06:00", "Pacific/Pago_Pago", "2024-07-15T17:00:00Z"],
    ["2024-01-15", "06:00", "Australia/Lord_Howe", "2024-01-14T19:00:00Z"],
    ["2024-07-15", "06:00", "Australia/Lord_Howe", "2024-07-14T19:30:00Z"],
  ] as const;
  for (const [date, time, zone, expected] of cases) expect(wall(date, time, zone), zone).toBe(expected);
});

test("a wall time that is skipped in spring means the instant as far behind the change as it was meant to be", () => {
  expect(wall("2024-03-10", "02:30", "America/New_York")).toBe("2024-03-10T07:30:00Z");
  expect(wall("2024-03-31", "02:00", "Europe/Berlin")).toBe("2024-03-31T01:00:00Z");
  expect(wall("2024-10-06", "02:15", "Australia/Lord_Howe")).toBe("2024-10-05T15:45:00Z");
});

test("a wall time that occurs twice in autumn means its first occurrence", () => {
  expect(wall("2024-11-03", "01:30", "America/New_York")).toBe("2024-11-03T05:30:00Z");
  expect(wall("2024-10-27", "02:30", "Europe/Berlin")).toBe("2024-10-27T00:30:00Z");
});

test("wall times on the day of a change, but not in its hour, are read with the right offset", () => {
  expect(wall("2024-03-10", "01:59", "America/New_York")).toBe("2024-03-10T06:59:00Z");
  expect(wall("2024-03-10", "03:00", "America/New_York")).toBe("2024-03-10T07:00:00Z");
  expect(wall("2024-03-09", "20:00", "America/New_York")).toBe("2024-03-10T01:00:00Z");
  expect(wall("2024-11-03", "00:59", "America/New_York")).toBe("2024-11-03T04:59:00Z");
  expect(wall("2024-11-03", "02:00", "America/New_York")).toBe("2024-11-03T07:00:00Z");
  expect(wall("2024-11-03", "23:59", "America/New_York")).toBe("2024-11-04T04:59:00Z");
});

test("a day that a zone skipped whole ends in the next one", () => {
  expect(wall("2011-12-30", "06:00", "Pacific/Apia")).toBe("2011-12-30T16:00:00Z");
});

test("today is the zone's calendar date, on both sides of midnight", () => {
  const day = (text: string, zone: string) => localDayAt(Date.parse(text), zone) - dayOf("2024-07-15");
  expect(day("2024-07-15T03:59:59.999Z", "America/New_York")).toBe(-1);
  expect(day("2024-07-15T04:00:00Z", "America/New_York")).toBe(0);
  expect(day("2024-07-14T10:00:00Z", "Pacific/Kiritimati")).toBe(0);
  expect(day("1969-12-31T23:59:59.500Z", "UTC")).toBe(dayOf("1969-12-31") - dayOf("2024-07-15"));
});

test("the minute of the day is the zone's, and midnight is 0", () => {
  expect(minuteOfDayAt(Date.parse("2024-07-15T04:00:00Z"), "America/New_York")).toBe(0);
  expect(minuteOfDayAt(Date.parse("2024-07-15T03:59:59Z"), "America/New_York")).toBe(1439);
  expect(minuteOfDayAt(Date.parse("2024-07-15T00:15:00Z"), "Asia/Kathmandu")).toBe(360);
});

test("in every zone, the clocks show at the instant of a wall time that wall time, unless it is skipped", () => {
  const zones = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC"];
  fc.assert(
    fc.property(
      fc.integer({ min: dayOf("2000-01-01"), max: dayOf("2035-12-31") }),
      fc.integer({ min: 0, max: 1439 }),
      fc.constantFrom(...zones),
      (day, minute, zone) => {
        const at = instantOf(day, minute, zone);
        const shown = localDayAt(at, zone) * 1440 + minuteOfDayAt(at, zone);
        // A skipped time is shown later by the length of the hole, which is an hour or half of one.
        expect([0, 30, 60]).toContain(shown - (day * 1440 + minute));
      },
    ),
    { seed: 2, numRuns: 500 },
  );
});

test("only a time of day from 00:00 to 23:59 is one", () => {
  expect(["00:00", "06:05", "23:59"].map(tryParseTimeOfDay)).toEqual([0, 365, 1439]);
  const wrong = ["24:00", "6:00", "12:60", "12:5", "12:30:00", "noon", ""];
  expect(wrong.map(tryParseTimeOfDay)).toEqual(wrong.map(() => null));
});

test("an instant is written in UTC, with milliseconds only where there are some", () => {
  expect(formatInstant(Date.parse("2024-01-31T06:00:00Z"))).toBe("2024-01-31T06:00:00Z");
  expect(formatInstant(Date.parse("2024-01-31T06:00:00.250Z"))).toBe("2024-01-31T06:00:00.250Z");
});
