import { describe, expect, test } from "vitest";
import {
  daysOfPartitions,
  isDated,
  type PartitionDates,
  partitionDates,
} from "../../../src/adapters/bigquery/partition-days.ts";
import { fromDay } from "../../../src/core/iso-date.ts";
import { datedBy } from "../../support/pipeline.ts";

const date: PartitionDates = { kind: "date" };
const newYork: PartitionDates = { kind: "instant", timezone: "America/New_York" };
const auckland: PartitionDates = { kind: "instant", timezone: "Pacific/Auckland" };

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

  test("are joined", () => {
    expect(daysOfPartitions(["20240103", "20240101", "20240102"], date)).toHaveLength(1);
  });
});

test.each([
  ["20240131", true],
  ["__NULL__", true],
  ["", false],
  ["100", false],
  ["1000000", false],
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
