import { describe, expect, test } from "vitest";
import { allDates, datedSource } from "../../../src/adapters/bigquery/dates.ts";
import { Bindings, literals } from "../../../src/adapters/bigquery/parameters.ts";
import type { Column, Source } from "../../../src/adapters/sql/source.ts";
import type { DateColumn } from "../../../src/core/date-column.ts";
import { datedBy } from "../../support/pipeline.ts";
import { type DateRange, parseIsoDate } from "../../../src/core/iso-date.ts";

const columns: readonly Column[] = [
  { name: "game_date", type: "DATE" },
  { name: "local_time", type: "DATETIME" },
  { name: "instant", type: "TIMESTAMP" },
  { name: "note", type: "STRING" },
  { name: "number", type: "INT64" },
  { name: "_PARTITIONDATE", type: "DATE" },
  { name: "_PARTITIONTIME", type: "TIMESTAMP", cutTo: "DAY" },
];
const source: Source = {
  sql: "`p`.`d`.`t`",
  label: "d.t",
  columns: new Map(columns.map((column) => [column.name.toLowerCase(), column])),
};

function ranges(...dates: readonly (readonly [string, string])[]): readonly DateRange[] {
  return dates.map(([start, end]) => ({ start: parseIsoDate(start), end: parseIsoDate(end) }));
}

function dated(column: string, of: readonly DateRange[], timezone = "America/New_York") {
  return datedSource(source, datedBy(column), null, { ranges: of, timezone, binder: literals });
}

const january = ranges(["2024-01-01", "2024-01-31"]);

describe("the bare column is compared with values of its own type", () => {
  test.each([
    ["game_date", "`game_date` between date '2024-01-01' and date '2024-01-31'"],
    ["_partitiondate", "`_PARTITIONDATE` between date '2024-01-01' and date '2024-01-31'"],
    [
      "local_time",
      "(`local_time` >= datetime '2024-01-01 00:00:00' and `local_time` < datetime '2024-02-01 00:00:00')",
    ],
    [
      "instant",
      "(`instant` >= timestamp '2024-01-01 05:00:00.000+00:00' and `instant` < timestamp '2024-02-01 05:00:00.000+00:00')",
    ],
    // A partition of a day is named for a date in UTC, wherever the pipeline is.
    [
      "_PARTITIONTIME",
      "(`_PARTITIONTIME` >= timestamp '2024-01-01 00:00:00.000+00:00' and `_PARTITIONTIME` < timestamp '2024-02-01 00:00:00.000+00:00')",
    ],
  ])("%s", (column, condition) => {
    expect(dated(column, january).condition).toBe(condition);
  });

  test("a day wider where the clocks change, and then the date of each row decides", () => {
    const { condition, day } = dated("instant", ranges(["2024-03-31", "2024-03-31"]), "Asia/Beirut");
    expect(condition).toContain("`instant` >= timestamp '2024-03-29 22:00:00.000+00:00'");
    expect(condition).toContain(`${day} between date '2024-03-31' and date '2024-03-31'`);
  });

  test("in each of several ranges, with the filter over all of them", () => {
    const of = ranges(["2024-01-02", "2024-01-02"], ["2024-01-05", "2024-01-06"]);
    const { condition } = datedSource(source, datedBy("game_date"), "note = 'x' or true", {
      ranges: of,
      timezone: "UTC",
      binder: literals,
    });
    expect(condition).toBe(
      "(`game_date` between date '2024-01-02' and date '2024-01-02' or `game_date` between date '2024-01-05' and date '2024-01-06') and (note = 'x' or true\n)",
    );
  });

  test("no range is no row", () => {
    expect(dated("game_date", []).condition).toBe(
      "`game_date` between date '2000-01-02' and date '2000-01-01'",
    );
  });

  test("all dates that there are, without a date in a zone that may not exist", () => {
    expect(dated("instant", [allDates], "Asia/Tokyo").condition).toBe(
      "(`instant` >= timestamp '0001-01-02 00:00:00.000+00:00' and `instant` < timestamp '9999-12-31 00:00:00.000+00:00')",
    );
  });
});

describe("a date in a form, or in another zone, keeps the bounds on the bare column", () => {
  const newYear = ranges(["2024-01-01", "2024-01-02"]);
  const datedAs = (date: DateColumn, of = newYear, timezone = "Europe/Berlin") =>
    datedSource(source, date, null, { ranges: of, timezone, binder: literals });

  test.each<[DateColumn, string]>([
    [datedBy("note", { dateFormat: "%Y%m%d" }), "(`note` between '20240101' and '20240102' and "],
    [datedBy("number", { dateFormat: "%Y%m%d" }), "(`number` between 20240101 and 20240102 and "],
    [datedBy("number", { dateFormat: "%Y%m%d%H" }), "(`number` between 2024010100 and 2024010299 and "],
    [
      datedBy("number", { dateFormat: "%Y%m%d%H", columnTimezone: "UTC" }),
      "(`number` between 2023123000 and 2024010499 and ",
    ],
  ])("%o", (date, bounds) => {
    const { condition, day } = datedAs(date);
    expect(condition).toBe(`${bounds}${day} between date '2024-01-01' and date '2024-01-02')`);
  });

  test("exactly, where no clocks are set", () => {
    expect(datedAs(datedBy("local_time", { columnTimezone: "UTC" })).condition).toBe(
      "(`local_time` >= datetime '2023-12-31 23:00:00' and `local_time` < datetime '2024-01-02 23:00:00')",
    );
  });

  test.each([
    ["Europe/Berlin", "UTC", "'2024-10-25 22:00:00'", "'2024-10-28 23:00:00'"],
    ["UTC", "Europe/Berlin", "'2024-10-26 02:00:00'", "'2024-10-29 01:00:00'"],
  ])("and a day wider where they are: in %s, of a column in %s", (timezone, columnTimezone, from, to) => {
    const date = datedBy("local_time", { columnTimezone });
    const { condition, day } = datedAs(date, ranges(["2024-10-27", "2024-10-27"]), timezone);
    const bounds = `\`local_time\` >= datetime ${from} and \`local_time\` < datetime ${to}`;
    expect(condition).toBe(`(${bounds} and ${day} between date '2024-10-27' and date '2024-10-27')`);
  });

  test("but not in a form whose values are in no order", () => {
    const { condition, day } = datedAs(datedBy("note", { dateFormat: "%d.%m.%Y" }));
    expect(condition).toBe(`${day} between date '2024-01-01' and date '2024-01-02'`);
  });

  test("and of all dates that there are, those that are near the ends of the calendar", () => {
    const date = datedBy("local_time", { columnTimezone: "Asia/Tokyo" });
    expect(datedAs(date, [allDates], "America/New_York").condition).toMatch(
      /`local_time` >= datetime '0001-01-0\d .* `local_time` < datetime '9999-12-3\d /,
    );
  });
});

test("a column of another type says what it should be", () => {
  expect(() => dated("note", january)).toThrow(/d\.t\.note: expected a column of type DATE.*found STRING/);
});

test("equal values are bound as one parameter, each with its type", () => {
  const binder = new Bindings();
  for (const column of ["game_date", "instant", "game_date"]) {
    datedSource(source, datedBy(column), null, { ranges: january, timezone: "UTC", binder });
  }
  expect(
    binder.parameters.map(({ name, parameterType, parameterValue }) => [name, parameterType, parameterValue]),
  ).toEqual([
    ["p0", { type: "DATE" }, { value: "2024-01-01" }],
    ["p1", { type: "DATE" }, { value: "2024-01-31" }],
    ["p2", { type: "TIMESTAMP" }, { value: "2024-01-01 00:00:00.000+00:00" }],
    ["p3", { type: "TIMESTAMP" }, { value: "2024-02-01 00:00:00.000+00:00" }],
  ]);
});
