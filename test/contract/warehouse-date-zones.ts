import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { ReplaceRequest } from "../../src/reconcile/ports.ts";
import { instant } from "../support/ledger.ts";
import { datedBy, type ProcessorSketch } from "../support/pipeline.ts";
import {
  byDate,
  type OpenFixture,
  type OpenWarehouse,
  profileAll,
  profileOf,
  table,
  type TableFixture,
} from "./warehouse-fixture.ts";

/** Half hours around the change of the clocks in Berlin, as UTC shows them: the 31st of March has 23 hours, the 27th of October 25. */
const clocks: TableFixture = {
  name: "stats.clocks",
  columns: { at: "timestamp", text_at: "string", number_at: "int" },
  rows: [...halfHours("2024-03-29T00:00Z", 5), ...halfHours("2024-10-25T00:00Z", 5)],
};

function halfHours(from: string, days: number): [string, string, number][] {
  return Array.from({ length: days * 48 }, (_, half): [string, string, number] => {
    const text = new Date(Date.parse(from) + half * 1_800_000).toISOString().slice(0, 19).replace("T", " ");
    return [text, text.replaceAll("-", "/"), Number(text.replaceAll(/\D/g, "").slice(0, 12))];
  });
}

/** Times without a zone in one that the config names. */
export function describeDateZones(open: OpenWarehouse): void {
  describe("a time without a zone that the config gives one", () => {
    test.each<[string, ProcessorSketch]>([
      ["a time", datedBy("at", { columnTimezone: "UTC" })],
      ["text", datedBy("text_at", { dateFormat: "%Y/%m/%d %H:%M:%S", columnTimezone: "UTC" })],
      ["a number", datedBy("number_at", { dateFormat: "%Y%m%d%H%M", columnTimezone: "UTC" })],
    ])("is dated in the pipeline's zone on the days on which the clocks are set: %s", async (_, sketch) => {
      const fixture = await open({
        tables: [clocks],
        timezone: "Europe/Berlin",
        processors: { clocks: { table: table("stats.clocks"), ...sketch } },
      });
      const rowsOn = async (start: string, end = start) => {
        const range = { start: parseIsoDate(start), end: parseIsoDate(end) };
        const profile = profileOf((await profileAll(fixture, range)).get("clocks"));
        return byDate(profile, profile.rows);
      };
      expect(await rowsOn("2024-03-31")).toEqual({ "2024-03-31": 46 });
      expect(await rowsOn("2024-10-27")).toEqual({ "2024-10-27": 50 });
      expect(await rowsOn("2024-10-26", "2024-10-28")).toEqual({
        "2024-10-26": 48,
        "2024-10-27": 50,
        "2024-10-28": 48,
      });
    });

    test("is dated in a zone that is 26 hours away", async () => {
      const far: TableFixture = {
        name: "stats.far",
        columns: { at: "timestamp" },
        rows: [["2024-01-07 22:00:00"], ["2024-01-07 21:59:59"]],
      };
      const fixture = await open({
        tables: [far],
        timezone: "Pacific/Kiritimati",
        processors: {
          far: { table: table("stats.far"), ...datedBy("at", { columnTimezone: "Etc/GMT+12" }) },
        },
      });
      const range = { start: parseIsoDate("2024-01-09"), end: parseIsoDate("2024-01-09") };
      const profile = profileOf((await profileAll(fixture, range)).get("far"));
      expect(byDate(profile, profile.rows)).toEqual({ "2024-01-09": 1 });
    });

    test("is the time of a writing in that zone", async () => {
      const fixture = await open({
        tables: [clocks],
        timezone: "Europe/Berlin",
        processors: {
          clocks: {
            table: table("stats.clocks"),
            ...datedBy("at", { columnTimezone: "Asia/Tokyo" }),
            writtenAtColumn: "at",
          },
        },
      });
      const range = { start: parseIsoDate("2024-03-30"), end: parseIsoDate("2024-03-30") };
      const profile = profileOf((await profileAll(fixture, range)).get("clocks"));
      expect([...profile.firstWriteMs, ...profile.lastWriteMs]).toEqual([
        instant("2024-03-29T23:00Z"),
        instant("2024-03-30T22:30Z"),
      ]);
    });
  });
}

const sources: TableFixture = {
  name: "raw.sources",
  columns: { d: "date", ds: "string", n: "int", ts: "timestamp", player: "string" },
  rows: [
    ["2024-01-02", "02.01.2024", 2012024, "2024-01-01 23:00:00", "new"],
    ["2024-01-02", "02.01.2024", 2012024, "2024-01-02 22:59:59", "new"],
    ["2024-01-03", "03.01.2024", 3012024, "2024-01-02 23:00:00", "new"],
  ],
};

function requestOf(fixture: OpenFixture, sql: string): ReplaceRequest {
  return {
    processor: fixture.processor("target"),
    sql,
    leaveNull: [],
    audit: null,
    token: 1,
    repairId: "r1",
    timeoutMs: 100_000,
    signal: new AbortController().signal,
    dates: [parseIsoDate("2024-01-02")],
  };
}

/** Repairs that write dates as a table keeps them. */
export function describeDatesWritten(open: OpenWarehouse): void {
  const targetOf = (
    type: "string" | "int" | "timestamp",
    values: readonly (string | number)[],
  ): TableFixture => ({
    name: "stats.target",
    columns: { ds: type, player: "string" },
    rows: values.map((value) => [value, "old"]),
  });
  const openTarget = (target: TableFixture, sketch: ProcessorSketch) =>
    open({
      tables: [sources, target],
      timezone: "Europe/Berlin",
      processors: { target: { table: table("stats.target"), ...sketch } },
    });
  const german = datedBy("ds", { dateFormat: "%d.%m.%Y" });

  describe("a repair writes a date as the table has it", () => {
    test.each<[string, TableFixture, ProcessorSketch, string, (string | null)[][]]>([
      [
        "as text",
        targetOf("string", ["02.01.2024", "03.01.2024", "n/a", "2.1.2024"]),
        german,
        "ds",
        [
          ["02.01.2024", "new"],
          ["02.01.2024", "new"],
          ["03.01.2024", "old"],
          ["2.1.2024", "old"],
          ["n/a", "old"],
        ],
      ],
      [
        "as a number that has lost its zero",
        targetOf("int", [2012024, 3012024, 0]),
        datedBy("ds", { dateFormat: "%d%m%Y" }),
        "n",
        [
          ["0", "old"],
          ["2012024", "new"],
          ["2012024", "new"],
          ["3012024", "old"],
        ],
      ],
    ])("%s, and leaves what is no date", async (_, target, sketch, column, expected) => {
      const fixture = await openTarget(target, sketch);
      const sql = `select ${column} as ds, player from raw.sources where d between $start_date and $end_date`;
      await fixture.warehouse.replaceDates(requestOf(fixture, sql));
      expect(await fixture.read("select ds, player from stats.target order by 1, 2")).toEqual(expected);
    });

    test("as a time in the column's zone", async () => {
      const target = targetOf("timestamp", [
        "2024-01-01 22:59:59",
        "2024-01-02 12:00:00",
        "2024-01-02 23:00:00",
      ]);
      const fixture = await openTarget(target, datedBy("ds", { columnTimezone: "UTC" }));
      const sql = "select ts as ds, player from raw.sources where d between $start_date and $end_date";
      const written = await fixture.warehouse.replaceDates(requestOf(fixture, sql));
      expect(written).toMatchObject({ rowsDeleted: 1, rowsInserted: 2 });
      expect(await fixture.read("select count(*) from stats.target where player = 'old'")).toEqual([["2"]]);
    });

    test.each([
      [
        "in another form",
        "select cast(d as string) as ds",
        /2 rows where ds is not a date in the form %d\.%m\.%Y/,
      ],
      ["of another day", "select '09.01.2024' as ds", /found 2 rows outside, from 2024-01-09/],
    ])("and nothing where it is %s", async (_, select, message) => {
      const fixture = await openTarget(targetOf("string", ["02.01.2024"]), german);
      const sql = `${select}, player from raw.sources where d between $start_date and $end_date`;
      const replacing = fixture.warehouse.replaceDates(requestOf(fixture, sql));
      await expect(replacing).rejects.toThrow(message);
      expect(await fixture.read("select ds, player from stats.target")).toEqual([["02.01.2024", "old"]]);
    });
  });
}
