// Goal: rows outside of a survey's dates are counted right, for next to nothing. Method: the adapter on the local server, which
// bills by BigQuery's rules, with tables that are partitioned in every way.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OutsideRows } from "../../../src/core/observation.ts";
import { planOutside } from "../../../src/adapters/bigquery/outside-plan.ts";
import type { PartitionDates } from "../../../src/adapters/bigquery/partition-days.ts";
import { parseIsoDate, toDay } from "../../../src/core/iso-date.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { memoryOfTests } from "../../support/bigquery/survey-memory.ts";
import { datedBy, type ProcessorSketch } from "../../support/pipeline.ts";
import { billed, january, surveyor, type Surveyor } from "./survey-fixture.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.faults.clear();
  server.stats.clear();
});

const dates = ["2023-06-01", "2024-01-02", "2024-01-31", "2024-02-01", "2099-01-01", null];
type Unit = "HOUR" | "DAY" | "MONTH" | "YEAR";

function define(type: "DATE" | "DATETIME" | "TIMESTAMP", unit?: Unit, requireFilter = false): void {
  server.define({
    name: "stats.scores",
    columns: { game_date: type, player: "STRING" },
    rows: dates.map((date) => [date === null ? null : type === "DATE" ? date : `${date} 12:00:00`, "ann"]),
    ...(unit === undefined ? {} : { partition: { column: "game_date", unit, requireFilter } }),
  });
}

async function outsideOf(made: Surveyor, range = january): Promise<OutsideRows | undefined> {
  const found = await made.survey({ range });
  return found.outside.get("scores");
}

const scores = (sketch: ProcessorSketch = {}) => ({ scores: { table: table("stats.scores"), ...sketch } });
const counted = { withoutDate: 1, before: 1, after: 2 };

describe("rows outside of a survey's dates", () => {
  test.each([
    ["DATE", "DAY"],
    ["DATE", "MONTH"],
    ["DATE", "YEAR"],
    ["DATETIME", "HOUR"],
    ["TIMESTAMP", "DAY"],
    ["TIMESTAMP", "HOUR"],
    ["TIMESTAMP", undefined],
    ["DATE", undefined],
  ] as const)(
    "are counted in a table by %s and %s, with a filter too, and for nothing once they are known",
    async (type, unit) => {
      define(type, unit);
      for (const where of [null, "player = 'ann'"]) {
        const made = surveyor(server, scores({ where }));
        expect(await outsideOf(made)).toEqual(counted);
        server.stats.clear();
        expect(await outsideOf(made)).toEqual(counted);
        expect(billed(server)).toEqual({});
      }
      const filtered = surveyor(server, scores({ where: "player = 'nobody'" }));
      expect(await outsideOf(filtered)).toEqual({ withoutDate: 0, before: 0, after: 0 });
    },
  );

  test.each([
    ["one date each", { start: 20_000_000, end: 20_300_000, interval: 1 }],
    ["a month each", { start: 20_230_000, end: 20_990_200, interval: 100 }],
    ["nothing but one date", { start: 20_240_101, end: 20_240_102, interval: 1 }],
  ])("are counted in partitions of numbers that hold %s, numbers that are no date too", async (_, range) => {
    server.define({
      name: "stats.scores",
      columns: { ds: "INT64", player: "STRING" },
      partition: { column: "ds", range, requireFilter: true },
      rows: [20_230_601, 20_240_102, 20_240_131, 20_240_201, 20_990_101, 20_240_230, 0, null].map((ds) => [
        ds,
        "ann",
      ]),
    });
    const undated = { ...counted, withoutDate: 3 };
    for (const where of [null, "player = 'ann'"]) {
      const made = surveyor(server, scores({ where, ...datedBy("ds", { dateFormat: "%Y%m%d" }) }));
      expect(await outsideOf(made)).toEqual(undated);
      server.stats.clear();
      expect(await outsideOf(made)).toEqual(undated);
      expect(billed(server)).toEqual({});
      server.insert("stats.scores", [
        [20_240_230, "ann"],
        [20_240_201, "ann"],
      ]);
      expect(await outsideOf(made)).toEqual({ ...undated, withoutDate: 4, after: 3 });
      await server.run("delete from stats.scores where ds = 20240230 or ds = 20240201");
      server.insert("stats.scores", [
        [20_240_230, "ann"],
        [20_240_201, "ann"],
      ]);
    }
  });

  test("are told by the metadata of partitions alone where that is all that changed", async () => {
    define("DATE", "DAY");
    const made = surveyor(server, scores());
    await made.survey();
    server.insert("stats.scores", [
      [null, "bob"],
      ["2099-01-01", "bob"],
      ["1970-01-01", "bob"],
    ]);
    server.stats.clear();
    expect(await outsideOf(made)).toEqual({ withoutDate: 2, before: 2, after: 3 });
    expect(billed(server)).toEqual({ partitions: 10 });
    await server.run("delete from stats.scores where game_date is null");
    expect(await outsideOf(made)).toEqual({ withoutDate: 0, before: 2, after: 3 });
  });

  test("are counted again only on the days of partitions that changed", async () => {
    define("TIMESTAMP", "DAY", true);
    const made = surveyor(server, scores());
    await made.survey();
    server.insert("stats.scores", [["2024-02-02 03:00:00", "bob"]]);
    expect(await outsideOf(made)).toEqual({ ...counted, after: 3 });
    server.insert("stats.scores", [
      ["2024-02-02 03:00:00", "bob"],
      ["2024-01-02 12:00:00", "bob"],
    ]);
    expect(await outsideOf(made)).toEqual({ ...counted, after: 4 });
    const asked = server.stats.queries.filter(
      ({ labels, dryRun }) => labels["purpose"] === "profile" && !dryRun,
    );
    expect(asked.at(-1)?.sql).toContain("gr_outside");
    await server.run("delete from stats.scores where game_date > '2024-02-01'");
    expect(await outsideOf(made)).toEqual({ ...counted, after: 0 });
  });

  test("belong to the dates that they have when the range has moved", async () => {
    for (const unit of ["DAY", "MONTH", undefined] as const) {
      define("DATE", unit);
      const made = surveyor(server, scores());
      await made.survey();
      const range = { start: parseIsoDate("2024-01-31"), end: parseIsoDate("2024-02-01") };
      expect(await outsideOf(made, range)).toEqual({ withoutDate: 1, before: 2, after: 1 });
    }
  });

  test("are remembered by the next process", async () => {
    define("TIMESTAMP", "DAY");
    const memory = memoryOfTests();
    const first = surveyor(server, scores(), { memory });
    await first.survey();
    await first.warehouse.keepSurveys();
    server.stats.clear();
    expect(await outsideOf(surveyor(server, scores(), { memory }))).toEqual(counted);
    expect(billed(server)).toEqual({});
  });

  test("are not counted before the dates of a view, which may stand on a long history", async () => {
    define("DATE", "DAY");
    await server.run(
      "create or replace view stats.seen as select * from stats.scores where player is not null",
    );
    const made = surveyor(server, { scores: { table: table("stats.seen") } });
    expect(await outsideOf(made)).toEqual({ ...counted, before: null });
  });

  test("are unknown where the budget leaves them out, and counted when it reaches", async () => {
    define("TIMESTAMP", "DAY");
    const made = surveyor(server, scores());
    expect((await made.survey({ budgetBytes: 15 * 2 ** 20 })).outside.get("scores")).toEqual({
      withoutDate: 1,
      before: null,
      after: null,
    });
    expect(await outsideOf(made)).toEqual(counted);
  });

  test("are left alone in partitions of too many rows, of which a filter or a zone may leave some out", () => {
    const stamps = new Map([
      ["20231230", "1/20000000"],
      ["20240102", "1/5"],
      ["20990101", "1/3"],
    ]);
    const range = [{ from: toDay(january.start), to: toDay(january.end) }];
    const planOf = (where: string | null, dates: PartitionDates) =>
      planOutside({ where, stamps, dates, isReadWhole: false }, range);
    const nothing = { withoutDate: false, days: [] };
    const byMetadata = { told: { withoutDate: 0, before: 20_000_000, after: 3 }, ask: nothing };
    expect(planOf(null, { kind: "date" })).toEqual(byMetadata);
    expect(planOf(null, { kind: "instant", timezone: "America/New_York" })).toEqual(byMetadata);
    expect(planOf("player = 'ann'", { kind: "date" })).toEqual({
      told: { withoutDate: 0, before: null, after: null },
      ask: nothing,
    });
  });

  test("in a streaming buffer are counted while they are there, in a table without partitions", async () => {
    define("DATE");
    const made = surveyor(server, scores());
    await made.survey();
    server.stream("stats.scores", [
      [null, "bob"],
      ["2099-01-01", "bob"],
    ]);
    expect(await outsideOf(made)).toEqual({ withoutDate: 2, before: 1, after: 3 });
    server.flush("stats.scores");
    expect(await outsideOf(made)).toEqual({ withoutDate: 2, before: 1, after: 3 });
  });
});
