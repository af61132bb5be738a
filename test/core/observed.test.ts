import { expect, test } from "vitest";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { alignObservation, replaceDays, rowsAt, versionAt } from "../../src/core/observed.ts";
import { profileOf } from "../support/sight.ts";

const first = toDay(parseIsoDate("2024-01-01"));
const day = (date: string) => toDay(parseIsoDate(date));

const before = profileOf([
  { date: "2024-01-01", rows: 1, metrics: [11] },
  { date: "2024-01-03", rows: 3, metrics: [33] },
  { date: "2024-01-05", rows: 5, metrics: [55] },
]);

function view(profile: typeof before): Record<string, readonly [number, number]> {
  return Object.fromEntries(
    Array.from(profile.days, (value, entry) => [
      fromDay(value),
      [profile.rows[entry] ?? Number.NaN, profile.metrics[0]?.[entry] ?? Number.NaN] as const,
    ]),
  );
}

test("the days of a range are as the later look saw them, those outside as before", () => {
  const later = profileOf([
    { date: "2024-01-02", rows: 20, metrics: [2] },
    { date: "2024-01-03", rows: 30, metrics: [3] },
    { date: "2024-01-05", rows: 99, metrics: [9] },
  ]);
  expect(view(replaceDays(before, later, day("2024-01-02"), day("2024-01-04")))).toEqual({
    "2024-01-01": [1, 11],
    "2024-01-02": [20, 2],
    "2024-01-03": [30, 3],
    "2024-01-05": [5, 55],
  });
});

test("a day that the later look found empty is gone", () => {
  const found = replaceDays(before, profileOf([]), day("2024-01-03"), day("2024-01-05"));
  expect(view(found)).toEqual({ "2024-01-01": [1, 11] });
});

test("a range before or behind all that is there only adds", () => {
  const early = profileOf([{ date: "2023-12-30", rows: 7, metrics: [7] }]);
  const late = profileOf([{ date: "2024-02-01", rows: 8, metrics: [8] }]);
  const both = replaceDays(
    replaceDays(before, early, day("2023-12-01"), day("2023-12-31")),
    late,
    day("2024-02-01"),
    day("2024-02-01"),
  );
  expect(Object.keys(view(both))).toEqual([
    "2023-12-30",
    "2024-01-01",
    "2024-01-03",
    "2024-01-05",
    "2024-02-01",
  ]);
});

test("what was empty takes the rows, entities and metrics of the later look", () => {
  const empty = { ...profileOf([]), metrics: [new Float64Array()] };
  const later = profileOf([{ date: "2024-01-02", rows: 4, metrics: [44] }]);
  expect(view(replaceDays(empty, later, first, first + 5))).toEqual({ "2024-01-02": [4, 44] });
});

test("what was not observed at all is a failure, never an empty table", () => {
  const axis = { first, length: 3 };
  expect(alignObservation(undefined, axis).failure).not.toBeNull();
  const denied = { code: "permission", message: "denied" } as const;
  expect(alignObservation({ kind: "failed", failure: denied }, axis).failure).toBe(denied);
});

test("days outside the axis are passed over, a day without an entry has no rows", () => {
  const observed = alignObservation(
    { kind: "observed", profile: before, unseen: null },
    { first: first + 1, length: 3 },
  );
  expect([0, 1, 2].map((position) => rowsAt(observed, position))).toEqual([0, 3, 0]);
});

test("two contents of a cell differ in version when rows, entities or the last write differ", () => {
  const base = { date: "2024-01-01", rows: 1, entities: 1, lastWrite: "2024-01-02T00:00Z" };
  const versionOf = (change: object) =>
    versionAt(
      alignObservation(
        { kind: "observed", profile: profileOf([{ ...base, ...change }]), unseen: null },
        { first, length: 1 },
      ),
      0,
    );
  const versions = [{}, { rows: 2 }, { entities: 2 }, { lastWrite: "2024-01-02T00:01Z" }].map(versionOf);
  const absent = versionAt(
    alignObservation({ kind: "observed", profile: profileOf([]), unseen: null }, { first, length: 1 }),
    0,
  );
  expect(new Set([...versions, absent]).size).toBe(5);
  // A date without rows is in the profile where other tables have some.
  expect(versionOf({ rows: 0, entities: 0 })).toBe(absent);
});
