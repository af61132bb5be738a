import { describe, expect, test } from "vitest";
import { dateColumnProblem } from "../../src/core/date-column.ts";
import { fromDay } from "../../src/core/iso-date.ts";
import { instant } from "../support/ledger.ts";
import { datedBy, type ProcessorSketch, runHistoryOf } from "../support/pipeline.ts";
import {
  byDate,
  january,
  type OpenWarehouse,
  profileAll,
  profileOf,
  table,
  type TableFixture,
} from "./warehouse-fixture.ts";

const compact = datedBy("ds", { dateFormat: "%Y%m%d" });
const iso = datedBy("ds", { dateFormat: "%Y-%m-%d" });

/** A date in the forms that people keep it in; `key` is a player. */
const kept: TableFixture = {
  name: "stats.kept",
  columns: { ds: "string", n: "int", german: "string", month: "int", stamp: "string", key: "string" },
  rows: [
    ["2024-01-02", 20240102, "2.1.2024", 202401, "2024-01-02 23:30:00.5", "ann"],
    ["2024-01-02", 20240102, "02.01.2024", 202401, "2024-01-02 04:30:00", "bob"],
    ["2024-01-31", 20240131, "31.1.2024", 202312, "2024-02-01 04:59:59", "ann"],
    ["2024-02-01", 20240201, "1.2.2024", 202402, "2024-02-01 05:00:00", "ann"],
    ["n/a", 0, "", 0, "2024-01-02", "lost"],
    ["2024-1-3", 20240230, "30.2.2024", 202413, "2024-01-02 24:00:00", "lost"],
    [null, null, null, null, null, "lost"],
  ],
};

async function rowsOf(open: OpenWarehouse, sketch: ProcessorSketch, timezone = "America/New_York") {
  const fixture = await open({
    tables: [kept],
    timezone,
    processors: { kept: { table: table("stats.kept"), ...sketch } },
  });
  const profile = profileOf((await profileAll(fixture)).get("kept"));
  return byDate(profile, profile.rows);
}

/** Dates that are text or whole numbers: each table has its own form, wherever it is read. */
export function describeDateForms(open: OpenWarehouse): void {
  describe("a date that is text or a whole number", () => {
    test.each<[string, ProcessorSketch, Record<string, number>]>([
      ["text in the order of dates", { ...iso }, { "2024-01-02": 2, "2024-01-31": 1 }],
      [
        "text in another order",
        datedBy("german", { dateFormat: "%-d.%-m.%Y" }),
        { "2024-01-02": 2, "2024-01-31": 1 },
      ],
      ["with all its digits", datedBy("german", { dateFormat: "%d.%m.%Y" }), { "2024-01-02": 1 }],
      ["a number", datedBy("n", { dateFormat: "%Y%m%d" }), { "2024-01-02": 2, "2024-01-31": 1 }],
      ["a month, dated by its first day", datedBy("month", { dateFormat: "%Y%m" }), { "2024-01-01": 2 }],
      [
        "with a time and its fractions",
        datedBy("stamp", { dateFormat: "%Y-%m-%d %H:%M:%S.%f" }),
        { "2024-01-02": 1 },
      ],
      ["with a time", datedBy("stamp", { dateFormat: "%F %T" }), { "2024-01-02": 1 }],
      [
        "with a time in another zone",
        datedBy("stamp", { dateFormat: "%F %T", columnTimezone: "UTC" }),
        { "2024-01-01": 1, "2024-01-31": 1 },
      ],
    ])("is read as %s, and what is in another form has no date", async (_, sketch, expected) => {
      expect(await rowsOf(open, sketch)).toEqual(expected);
    });

    test("has its form in each table by itself: of entities, excuses, logs and other processors", async () => {
      const days: TableFixture = {
        name: "stats.days",
        columns: { d: "date", key: "string" },
        rows: [
          ["2024-01-02", "ann"],
          ["2024-01-02", "cid"],
          ["2024-01-03", "ann"],
        ],
      };
      const excuses: TableFixture = {
        name: "stats.excuses",
        columns: { ds: "int", key: "string" },
        rows: [[20240102, "cid"]],
      };
      const log: TableFixture = {
        name: "stats.log",
        columns: { ds: "string" },
        rows: [["20240104"], ["later"]],
      };
      const fixture = await open({
        tables: [kept, days, excuses, log],
        processors: {
          kept: {
            table: table("stats.kept"),
            ...iso,
            expect: {
              rows: {
                perEntity: { of: "days", key: "key", min: 1 },
                completionLog: { table: table("stats.log"), ...compact, where: null, rowsColumn: null },
              },
              coverage: {
                of: { kind: "processor", name: "days" },
                key: "key",
                ofKey: "key",
                min: 1,
                extra: null,
                excusedBy: { table: table("stats.excuses"), ...compact, key: "key", where: null },
              },
            },
          },
          days: { table: table("stats.days"), dateColumn: "d" },
        },
      });
      const profile = profileOf((await profileAll(fixture)).get("kept"));
      expect(Array.from(profile.days, fromDay)).toEqual(["2024-01-02", "2024-01-04", "2024-01-31"]);
      const [entities, logged, of, absent, present] = profile.metrics.map((metric) =>
        byDate(profile, metric),
      );
      expect([entities, logged, of, absent, present].map((found) => found?.["2024-01-02"])).toEqual([
        2, 0, 2, 0, 1,
      ]);
      expect(logged?.["2024-01-04"]).toBe(1);
    });

    test("is that of a schedule, its seasons and a run history too", async () => {
      const spec = {
        name: "default",
        source: {
          kind: "table" as const,
          table: table("stats.kept"),
          ...iso,
          unitColumn: "key",
          seasonColumn: "month",
          where: "key <> 'bob'",
        },
        startDate: null,
        endDate: null,
        except: null,
        maxGapDays: null,
      };
      const runs: TableFixture = {
        name: "ops.runs",
        columns: { data_date: "int", processor_name: "string", status: "string", started_at: "timestamp" },
        rows: [
          [20240102, "kept", "running", "2024-01-03 06:00:00"],
          [0, "kept", "running", "2024-01-03 06:00:00"],
        ],
      };
      const fixture = await open({ tables: [kept, runs], schedules: [spec] });
      const schedule = (await fixture.warehouse.readSchedules([spec], january)).get("default");
      expect(Array.from(schedule?.days ?? [], fromDay)).toEqual(["2024-01-02", "2024-01-31"]);
      expect(schedule?.seasons.map(({ name, startDay }) => [name, fromDay(startDay)])).toEqual([
        ["202401", "2024-01-02"],
        ["202312", "2024-01-31"],
        ["202402", "2024-02-01"],
      ]);
      const reading = await fixture.warehouse.readRunHistory({
        spec: runHistoryOf({
          table: table("ops.runs"),
          ...datedBy("data_date", { dateFormat: "%Y%m%d", columnTimezone: "America/New_York" }),
        }),
        names: ["kept"],
        range: january,
        since: instant("2024-01-01T00:00Z"),
        withErrors: false,
      });
      expect(reading).toMatchObject({
        kind: "read",
        runs: [{ name: "kept", kind: "running", startedAt: instant("2024-01-03T11:00Z") }],
      });
    });

    test.each<[string, ProcessorSketch, RegExp]>([
      ["text that the config gives no form", datedBy("ds"), /date_format.*"%Y%m%d".*"%Y-%m-%d"/],
      ["a number that the config gives no form", datedBy("n"), /date_format.*"%Y%m%d"/],
      [
        "a number with a form of more than digits",
        { ...datedBy("n"), dateFormat: "%Y-%m-%d" },
        /digits alone/,
      ],
      ["a date with a form", { ...datedBy("d"), dateFormat: "%Y-%m-%d" }, /remove date_format/],
    ])("refuses %s, and says what to do", async (_, sketch, message) => {
      const days: TableFixture = { name: "stats.days", columns: { d: "date" }, rows: [] };
      const name = sketch.dateColumn === "d" ? "stats.days" : "stats.kept";
      const fixture = await open({
        tables: [kept, days],
        processors: { refused: { table: table(name), ...sketch } },
      });
      const [inspected] = await fixture.warehouse.inspect({ tables: [table(name)] });
      const type = inspected?.columns?.get(sketch.dateColumn ?? "") ?? "";
      expect(dateColumnProblem(type, fixture.processor("refused"))?.hint).toMatch(message);
      expect((await profileAll(fixture)).get("refused")).toMatchObject({
        kind: "failed",
        failure: { code: "query_failed", message: expect.stringMatching(message) },
      });
    });
  });
}
