import { describe, expect, test } from "vitest";
import {
  daysOfPartitions,
  isDated,
  type PartitionDates,
  partitionDates,
} from "../../../src/adapters/bigquery/partition-days.ts";
import { dateFormatOf } from "../../../src/core/date-column.ts";
import { fromDay, parseIsoDate, toDay } from "../../../src/core/iso-date.ts";
import { datedBy } from "../../support/pipeline.ts";

const date: PartitionDates = { kind: "date" };
const newYork: PartitionDates = { kind: "instant", timezone: "America/New_York" };
const auckland: PartitionDates = { kind: "instant", timezone: "Pacific/Auckland" };
const berlin: PartitionDates = { kind: "wall", timezone: "Europe/Berlin", columnTimezone: "UTC" };
const fromBerlin: PartitionDates = { kind: "wall", timezone: "UTC", columnTimezone: "Europe/Berlin" };

/** Of numbers in a form, partitioned by `interval` of them from the year 2000 up to 2030. */
function numbers(dateFormat: string, interval: number, columnTimezone: string | null = null): PartitionDates {
  const { ordered, digits } = dateFormatOf(dateFormat);
  if (ordered === null || digits === null) throw new Error(dateFormat);
  const [start, end] = [2000, 2030].map((year) => year * 10 ** (digits - 4));
  return {
    kind: "number",
    ordered,
    widerDays: columnTimezone === null ? 0 : 2,
    field: "ds",
    start: start ?? 0,
    end: end ?? 0,
    interval,
  };
}

describe("the dates of a partition", () => {
  test.each<[string, PartitionDates, string]>([
    ["20240131", date, "2024-01-31..2024-01-31"],
    ["2024022923", date, "2024-02-29..2024-02-29"],
    ["202402", date, "2024-02-01..2024-02-29"],
    ["2023", date, "2023-01-01..2023-12-31"],
    ["20240131", newYork, "2024-01-30..2024-01-31"],
    ["20240131", auckland, "2024-01-31..2024-02-01"],
    ["2024013104", newYork, "2024-01-30..2024-01-30"],
    ["2024013105", newYork, "2024-01-31..2024-01-31"],
    // Summer time.
    ["2024070104", newYork, "2024-07-01..2024-07-01"],
    ["202402", newYork, "2024-01-31..2024-02-29"],
    ["20240131", berlin, "2024-01-31..2024-02-01"],
    ["2024013122", berlin, "2024-01-31..2024-01-31"],
    ["2024013123", berlin, "2024-02-01..2024-02-01"],
    ["2024063022", berlin, "2024-07-01..2024-07-01"],
    // The clocks show 02:30 twice, and the second time it is 01:30 in UTC.
    ["2024102700", fromBerlin, "2024-10-26..2024-10-26"],
    ["2024102702", fromBerlin, "2024-10-27..2024-10-27"],
    ["20240131", numbers("%Y%m%d", 1), "2024-01-31..2024-01-31"],
    ["20240100", numbers("%Y%m%d", 100), "2024-01-01..2024-01-31"],
    ["20240000", numbers("%Y%m%d", 10_000), "2024-01-01..2024-12-31"],
    ["202402", numbers("%Y%m", 1), "2024-02-01..2024-02-29"],
    ["2024", numbers("%Y", 1), "2024-01-01..2024-12-31"],
    ["2024013106", numbers("%Y%m%d%H", 6), "2024-01-31..2024-01-31"],
    ["2024013100", numbers("%Y%m%d%H", 100, "UTC"), "2024-01-29..2024-02-02"],
    ["20240000", numbers("%Y%d%m", 1000), "2024-01-01..2024-12-31"],
  ])("%s, %o, are %s", (id, dates, expected) => {
    const spans = daysOfPartitions([id], dates).map(({ from, to }) => `${fromDay(from)}..${fromDay(to)}`);
    expect(spans).toEqual([expected]);
  });

  test("are none for rows without a date, and those that BigQuery partitions by no day for the rest", () => {
    expect(daysOfPartitions(["__NULL__"], date)).toEqual([]);
    const [before, after, ...others] = daysOfPartitions(["__UNPARTITIONED__"], date);
    expect(others).toEqual([]);
    expect([before?.from, fromDay(before?.to ?? 0)]).toEqual([-Infinity, "1960-01-01"]);
    expect([fromDay(after?.from ?? 0), after?.to]).toEqual(["2159-12-31", Infinity]);
  });

  test("are none for numbers that are no date, and those outside of the ranges for the rest", () => {
    expect(daysOfPartitions(["20240132", "__NULL__"], numbers("%Y%m%d", 1))).toEqual([]);
    expect(daysOfPartitions(["__UNPARTITIONED__"], numbers("%Y%m%d", 1))).toEqual([
      { from: -Infinity, to: toDay(parseIsoDate("1999-12-31")) },
      { from: toDay(parseIsoDate("2030-01-01")), to: Infinity },
    ]);
  });

  test("are joined", () => {
    expect(daysOfPartitions(["20240103", "20240101", "20240102"], date)).toHaveLength(1);
  });
});

test.each([
  ["20240131", true],
  ["__NULL__", true],
  ["", false],
  ["-100", true],
  ["2024-01-31", false],
])("a partition called %j has dates: %s", (id, expected) => {
  expect(isDated(id)).toBe(expected);
});

describe("the partitions of a table say something about the dates", () => {
  const columns = new Map(
    [
      { name: "Game_Date", type: "DATE" },
      { name: "at", type: "TIMESTAMP" },
      { name: "local", type: "DATETIME" },
      { name: "_PARTITIONTIME", type: "TIMESTAMP", cutTo: "DAY" },
      { name: "_PARTITIONDATE", type: "DATE" },
      { name: "ds", type: "INT64" },
    ].map((column) => [column.name.toLowerCase(), column]),
  );
  const source = { sql: "t", label: "t", columns };
  test.each([
    ["Game_Date", "game_date", "date"],
    ["at", "at", "instant"],
    ["local", "local", "date"],
    ["at", "game_date", null],
    [null, "_partitiontime", "date"],
    [null, "_PARTITIONDATE", "date"],
    [null, "game_date", null],
    ["game_date", "_PARTITIONDATE", null],
  ])("by %s, dated by %s: %s", (field, dateColumn, expected) => {
    const found = partitionDates({ unit: "DAY", field }, datedBy(dateColumn), source, "UTC");
    expect(found?.kind ?? null).toBe(expected);
  });

  test.each([
    ["ds", "ds", "%Y%m%d", "number"],
    ["ds", "ds", "%d%m%Y", null],
    ["ds", "game_date", null, null],
  ])("by ranges of %s, dated by %s in the form %s: %s", (field, dateColumn, dateFormat, expected) => {
    const ranges = { field, start: 0, end: 30_000_000, interval: 1 };
    const found = partitionDates(ranges, datedBy(dateColumn, { dateFormat }), source, "UTC");
    expect(found?.kind ?? null).toBe(expected);
  });

  test.each([
    ["local", "Europe/Berlin", "wall"],
    ["local", "UTC", "date"],
    ["at", "Europe/Berlin", "instant"],
    ["Game_Date", "Europe/Berlin", "date"],
  ])("by %s in the zone %s: %s", (column, columnTimezone, expected) => {
    const found = partitionDates(
      { unit: "DAY", field: column },
      datedBy(column, { columnTimezone }),
      source,
      "UTC",
    );
    expect(found?.kind ?? null).toBe(expected);
  });

  test("but not without any, nor by hours of arrival as if they were dates", () => {
    expect(partitionDates(null, datedBy("game_date"), source, "UTC")).toBeNull();
    const hours = new Map([["_partitiontime", { name: "_PARTITIONTIME", type: "TIMESTAMP", cutTo: "HOUR" }]]);
    expect(
      partitionDates(
        { unit: "HOUR", field: null },
        datedBy("_PARTITIONTIME"),
        { ...source, columns: hours },
        "UTC",
      ),
    ).toEqual({
      kind: "instant",
      timezone: "UTC",
    });
  });
});
