import { describe, expect, test } from "vitest";
import { midnightComparison } from "../../src/core/last-day.ts";

const found = (sql: string, isTimed = true) => midnightComparison(sql, "ts", isTimed)?.text ?? null;

describe("a SELECT that compares a column with a time of day with its last date", () => {
  test.each([
    "select ts, id from v.src where ts between $start_date and $end_date",
    "select s.ts, id from v.src s where s.ts  between\n $start_date and $end_date order by 1",
    'select * from v.src where "ts" <= $end_date and ts >= $start_date',
    "select ts from v.src where TS <= @end_date",
    "select ts from v.src where ts between timestamp(@start_date, 'Europe/Berlin') and timestamp(@end_date, 'Europe/Berlin')",
    "select ts from v.src where ts <= cast($end_date as timestamp)",
    "select ts from v.src where ts between $start_date::timestamp and $end_date::timestamp",
    "select created_at as ts from v.src where created_at between $start_date and $end_date",
    "select created_at::timestamp as ts from v.src where created_at <= $end_date",
  ])("loses the last day: %s", (sql) => {
    expect(found(sql)).toMatch(/(ts|created_at)"?\s(between|<=)/i);
  });

  test.each([
    "select ts from v.src where ts >= $start_date and ts < $end_date_exclusive",
    "select ts from v.src where ts <= $end_date_exclusive",
    "select ts from v.src where ts::date between $start_date and $end_date",
    "select ts from v.src where cast(ts as date) between $start_date and $end_date",
    "select ts from v.src where date(ts, 'UTC') between @start_date and @end_date",
    "select ts from v.src where ts >= $start_date and ts < $end_date + 1",
    "select ts from v.src where ts between $start_date and $end_date + interval 1 day",
    "select ts from v.src where day between $start_date and $end_date",
    "select ts from v.src where ts_day <= $end_date",
    "select max(ts) as ts, day from v.src where loaded between $start_date and $end_date",
  ])("keeps it, as far as the text tells: %s", (sql) => {
    expect(found(sql)).toBeNull();
  });
});

describe("a table that is dated by a DATE", () => {
  test("loses the last day of a column that the SELECT turns into a date and compares as it is", () => {
    for (const dating of ["at::date", "cast(e.at as date)", "date(at)", "date_trunc('day', at)"]) {
      const sql = `select ${dating} as ts from v.src e where at between $start_date and $end_date`;
      expect(found(sql, false)).toBe("at between $start_date and $end_date");
    }
  });

  test("may compare its own column, and any other that is taken as it is", () => {
    expect(found("select ts from v.src where ts between $start_date and $end_date", false)).toBeNull();
    expect(found("select d as ts from v.src where d between $start_date and $end_date", false)).toBeNull();
  });
});

test("a column whose name holds signs of a pattern is compared by its text", () => {
  const sql = "select a from v.src where a between $start_date and $end_date";
  expect(midnightComparison(sql, "a-b", true)).toBeNull();
});
