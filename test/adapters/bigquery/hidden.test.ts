// Goal: what a policy hides is unknown, never missing, and it costs little to look at it again. Method: the adapter on the local
// server, which plays row access policies and masking, with the statistics of its jobs telling of them or not.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noProfile } from "../../../src/adapters/bigquery/remembered.ts";
import { daysOfUnseenRows } from "../../../src/adapters/bigquery/unseen-rows.ts";
import { fromDay, toDay } from "../../../src/core/iso-date.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import {
  datedBy,
  everyDay,
  pipelineOf,
  type ProcessorSketch,
  tableSchedule,
} from "../../support/pipeline.ts";
import { billed, january, megabyte, rowsOf, surveyor, unseenOf } from "./survey-fixture.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());

const dates = ["2024-01-02", "2024-01-03", "2024-01-31"];
const columns = { game_date: "DATE", player: "STRING", email: "STRING" };
const rows = dates.flatMap((date) => [
  [date, "ann", "ann@example.org"],
  [date, "bob", "bob@example.org"],
]);
const names = ["raw.games", "stats.scores", "stats.plain"];

beforeEach(() => {
  for (const name of names) {
    const partition = { column: "game_date", requireFilter: name === "stats.scores" };
    server.define({ name, columns, rows, ...(name === "stats.plain" ? {} : { partition }) });
    server.protect(name, null);
  }
  server.define({
    name: "raw.default",
    columns: { game_date: "DATE", season: "STRING" },
    rows: dates.map((date) => [date, "2023-24"]),
  });
  server.protect("raw.default", null);
  server.stats.clear();
});

const sketches: Readonly<Record<string, ProcessorSketch>> = {
  games: { table: table("raw.games") },
  scores: {
    table: table("stats.scores"),
    expect: { notNull: [{ column: "email", maxRatio: 0 }] },
  },
  plain: { table: table("stats.plain") },
};
const all = { "2024-01-02": 2, "2024-01-03": 2, "2024-01-31": 2 };
const filteredDataViewer = "roles/bigquery.filteredDataViewer";
const open = (of = sketches) => surveyor(server, of, { scheduleSpecs: [everyDay] });
const failureOf = (found: Awaited<ReturnType<ReturnType<typeof open>["survey"]>>, name: string) => {
  const observation = found.processors.get(name);
  return observation?.kind === "failed" ? observation.failure : null;
};

describe("row access policies", () => {
  test("make a processor unknown whose rows they hide, with the role that is missing, and no other", async () => {
    server.protect("stats.scores", { sees: ({ player }) => player === "ann" });
    const made = open();
    const found = await made.survey();
    expect(failureOf(found, "scores")).toEqual({
      code: "permission",
      message: expect.stringMatching(/row access policies hide rows of stats\.scores/),
    });
    expect(failureOf(found, "scores")?.message).toContain(filteredDataViewer);
    for (const name of ["games", "plain"]) expect(rowsOf(found, name)).toEqual(all);
  });

  test("that let every row through hide nothing", async () => {
    server.protect("stats.scores", { sees: () => true });
    server.protect("raw.games", { sees: () => true });
    const found = await open().survey();
    for (const name of Object.keys(sketches)) expect(rowsOf(found, name)).toEqual(all);
  });

  test("on a table that an expectation refers to, or that is behind a view, make the processor unknown too", async () => {
    await server.run("create or replace view stats.seen as select * from raw.games where player is not null");
    server.protect("raw.games", { sees: () => false });
    const made = open({
      covered: {
        table: table("stats.scores"),
        expect: {
          coverage: {
            of: { kind: "processor", name: "games" },
            key: "player",
            ofKey: "player",
            min: 1,
            excusedBy: null,
            extra: "ignore",
          },
        },
      },
      viewed: { table: table("stats.seen") },
      ...sketches,
    });
    const found = await made.survey();
    for (const name of ["covered", "viewed", "games"]) {
      expect(failureOf(found, name)?.message, name).toContain("raw.games");
    }
    expect(rowsOf(found, "scores")).toEqual(all);
  });

  test("have hidden rows asked again by one day only, and everything once they are seen", async () => {
    server.protect("stats.scores", { sees: () => false });
    const made = open();
    await made.survey();
    server.stats.clear();
    expect(failureOf(await made.survey(), "scores")?.code).toBe("permission");
    const asked = server.stats.queries.filter(
      ({ labels, dryRun }) => labels["purpose"] === "profile" && !dryRun,
    );
    expect(asked).toHaveLength(1);
    server.protect("stats.scores", null);
    expect(rowsOf(await made.survey(), "scores")).toEqual(all);
    server.stats.clear();
    await made.survey();
    expect(billed(server)).toEqual({});
  });

  test("hide the bytes of a query, which count as the most that it can have billed", async () => {
    server.protect("stats.scores", { sees: () => false });
    const found = await open({ scores: { table: table("stats.scores") } }).survey();
    // The look at the partitions, the profile, and the count of what is visible.
    expect(found.scanBytes).toBeGreaterThanOrEqual(30 * megabyte);
  });

  test("on the table of a schedule fail the reading of it", async () => {
    server.protect("raw.default", { sees: ({ game_date }) => game_date === "2024-01-02" });
    const made = surveyor(server, sketches, { scheduleSpecs: [tableSchedule()] });
    await expect(made.survey()).rejects.toMatchObject({
      code: "schedule_failed",
      message: expect.stringContaining("raw.default"),
      hint: expect.stringContaining(filteredDataViewer),
    });
  });

  test("of which no statistics tell are found by partitions that have rows of which none is seen", async () => {
    server.protect("stats.scores", { sees: ({ game_date }) => game_date === "2024-01-02", isTold: false });
    server.protect("stats.plain", { sees: () => false, isTold: false });
    const made = open();
    for (let survey = 0; survey < 2; survey += 1) {
      const found = await made.survey();
      expect(unseenOf(found, "scores")).toEqual({
        days: survey === 0 ? 2 : 2,
        message: expect.stringContaining(filteredDataViewer),
      });
      expect(rowsOf(found, "scores")).toEqual({ "2024-01-02": 2 });
      expect(failureOf(found, "plain")?.message).toContain("the metadata of stats.plain counts rows");
    }
    server.protect("stats.scores", null);
    server.protect("stats.plain", null);
    const found = await made.survey();
    for (const name of Object.keys(sketches)) expect(rowsOf(found, name)).toEqual(all);
  });

  test("are not suspected where a filter of the processor may leave all rows out", async () => {
    const found = await open({
      scores: { table: table("stats.scores"), where: "player = 'nobody'" },
    }).survey();
    expect(rowsOf(found, "scores")).toEqual({});
    expect(unseenOf(found, "scores").days).toBe(0);
  });

  test("are not suspected where a date was deleted", async () => {
    const made = open({ games: { table: table("raw.games") } });
    await made.survey();
    await server.run("delete from raw.games where game_date = '2024-01-03'");
    const found = await made.survey();
    expect(rowsOf(found, "games")).toEqual({ "2024-01-02": 2, "2024-01-31": 2 });
    expect(unseenOf(found, "games").days).toBe(0);
  });
});

test("partitions of numbers that are no date hide nothing, and those of a date still do", async () => {
  const partition = (interval: number) => ({
    column: "ds",
    range: { start: 20_240_000, end: 20_250_000, interval },
  });
  server.define(
    {
      name: "raw.days",
      columns: { ds: "INT64" },
      partition: partition(1),
      rows: [[20_240_102], [20_240_131], [20_240_132], [20_240_000]],
    },
    {
      name: "raw.few",
      columns: { ds: "INT64" },
      partition: partition(5),
      rows: [[20_240_102], [20_240_132]],
    },
  );
  const ds = datedBy("ds", { dateFormat: "%Y%m%d" });
  const of = { days: { table: table("raw.days"), ...ds }, few: { table: table("raw.few"), ...ds } };
  const found = await open(of).survey();
  expect(rowsOf(found, "days")).toEqual({ "2024-01-02": 1, "2024-01-31": 1 });
  expect(rowsOf(found, "few")).toEqual({ "2024-01-02": 1 });
  for (const name of Object.keys(of)) expect(unseenOf(found, name).days).toBe(0);
  server.protect("raw.days", { sees: ({ ds: number }) => Number(number) !== 20_240_131, isTold: false });
  expect(unseenOf(await open(of).survey(), "days").days).toBe(1);
});

test("partitions that have expired, or are empty, hide nothing", () => {
  const { processors } = pipelineOf({ processors: { scores: {} } });
  const [processor] = processors;
  if (processor === undefined) throw new RangeError("there is no processor");
  const stamps = new Map([
    ["20240102", "1/5"],
    ["20240103", "1/0"],
    ["20240104", "1/5"],
  ]);
  const range = [{ from: toDay(january.start), to: toDay(january.end) }];
  const own = {
    version: "1/10",
    stamps,
    isAhead: false,
    isBuffered: false,
    dates: { kind: "date" },
  } as const;
  const daysOf = (expirationMs: number | null, where: string | null = null) =>
    daysOfUnseenRows({
      processor: { ...processor, where },
      own: { ...own, expirationMs },
      profile: noProfile,
      outside: { withoutDate: 0, before: 0, after: 0 },
      seen: range,
      range,
      now: Date.parse("2024-01-31T12:00:00Z"),
    }).map(({ from }) => fromDay(from));
  expect(daysOf(null)).toEqual(["2024-01-02", "2024-01-04"]);
  expect(daysOf(28 * 86_400_000)).toEqual(["2024-01-04"]);
  expect(daysOf(null, "player = 'ann'")).toEqual([]);
});

describe("masked columns", () => {
  test("that are read make a processor unknown, with the role that is missing, and no other", async () => {
    server.protect("stats.scores", { masked: ["email"] });
    server.protect("raw.games", { masked: ["email"] });
    const found = await open().survey();
    expect(failureOf(found, "scores")).toEqual({
      code: "permission",
      message: expect.stringMatching(
        /data masking hides values of stats\.scores .*roles\/datacatalog\.categoryFineGrainedReader/,
      ),
    });
    for (const name of ["games", "plain"]) expect(rowsOf(found, name)).toEqual(all);
  });
});

test("a check of single cells does not take hidden rows for missing ones either", async () => {
  server.protect("stats.scores", { sees: () => false });
  const { warehouse } = open();
  const processors = surveyedProcessors();
  const found = await warehouse.profile({ processors, range: january });
  expect(found.processors.get("scores")).toMatchObject({ kind: "failed", failure: { code: "permission" } });
});

function surveyedProcessors() {
  return pipelineOf({ processors: { scores: sketches["scores"] ?? {} } }).processors;
}
