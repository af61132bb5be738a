// Goal: a survey costs what changed, and says what a look at everything would say. Method: the adapter on the local server,
// which bills by BigQuery's rules; `all` is the plain look.
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { memoryOfTests } from "../../support/bigquery/survey-memory.ts";
import { datedBy, type ProcessorSketch, tableSchedule } from "../../support/pipeline.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import {
  billed,
  expectSame,
  january,
  noonOf,
  rowsOf,
  seenOf,
  surveyor,
  type Surveyor,
  unseenOf,
  megabyte,
} from "./survey-fixture.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());

const columns = { game_date: "DATE", player: "STRING", score: "INT64" };
const partition = { column: "game_date", requireFilter: true };
const dates = ["2024-01-02", "2024-01-03", "2024-01-04"];
const rows = dates.flatMap((date) => [
  [date, "ann", 1],
  [date, "bob", 2],
]);

beforeEach(() => {
  for (const name of ["raw.games", "raw.lines", "stats.scores", "stats.teams"])
    server.define({ name, columns, partition, rows });
  server.define({
    name: "raw.default",
    columns: { game_date: "DATE", season: "STRING" },
    partition,
    rows: dates.map((date) => [date, "2023-24"]),
  });
  server.faults.clear();
  server.stats.clear();
});

const sketches: Readonly<Record<string, ProcessorSketch>> = {
  games: { table: table("raw.games") },
  lines: { table: table("raw.lines") },
  scores: { table: table("stats.scores") },
  teams: { table: table("stats.teams") },
};
const scheduleSpecs = [tableSchedule()];

/** Surveys until all is known. */
async function settled(made: Surveyor): Promise<Surveyor> {
  await made.survey();
  server.stats.clear();
  return made;
}

describe("where nothing changed", () => {
  test("a survey asks for each table once, bills nothing and says what it said before", async () => {
    const made = surveyor(server, sketches, { scheduleSpecs });
    const first = await made.survey();
    expect(first.scanBytes).toBeGreaterThan(0);
    server.stats.clear();
    const second = await made.survey();
    expect(server.stats.calls).toEqual(Array.from({ length: 5 }, () => "tables.get"));
    expect(second).toEqual({ ...first, scanBytes: 0 });
    expectSame(second, await made.all());
  });

  test("a new process reads its notes, and bills nothing either", async () => {
    const memory = memoryOfTests();
    const first = surveyor(server, sketches, { scheduleSpecs, memory });
    const seen = await first.survey();
    await first.warehouse.keepSurveys();
    const kept = memory.appended.length;
    await first.warehouse.keepSurveys();
    const next = surveyor(server, sketches, { scheduleSpecs, memory });
    server.stats.clear();
    expect(await next.survey()).toEqual({ ...seen, scanBytes: 0 });
    await next.warehouse.keepSurveys();
    expect(memory.appended).toHaveLength(kept);
    expect(new Set(server.stats.calls)).toEqual(new Set(["tables.get"]));
  });

  test("a new day is asked for alone", async () => {
    const made = await settled(surveyor(server, sketches));
    const range = { ...january, end: parseIsoDate("2024-02-01") };
    const found = await made.survey({ range });
    // One statement that finds no partition to read.
    expect(billed(server)).toEqual({ profile: 0 });
    expectSame(found, await made.all(range));
  });
});

describe("where partitions changed", () => {
  test("one look at each dataset and one profile bill for what changed alone", async () => {
    const made = await settled(surveyor(server, sketches, { scheduleSpecs }));
    server.insert("raw.games", [["2024-01-03", "cid", 3]]);
    server.insert("stats.scores", [["2024-01-09", "cid", 3]]);
    await server.run("update stats.teams set score = 7 where game_date = '2024-01-04'");
    const found = await made.survey();
    expect(billed(server)).toEqual({ partitions: 2 * 10, profile: 3 * 10 });
    expect(found.scanBytes).toBe(50 * megabyte);
    expect(server.stats.queries.filter(({ labels }) => labels["purpose"] === "partitions")).toHaveLength(2);
    expectSame(found, await made.all());
  });

  test.each([
    ["a deletion", "delete from raw.games where game_date = '2024-01-03' and player = 'ann'", 1],
    ["a date that is gone", "delete from raw.games where game_date = '2024-01-03'", undefined],
    ["a late row", "insert into raw.games values ('2024-01-03', 'late', 1)", 3],
  ])("%s is seen by the next survey", async (_, sql, count) => {
    const made = await settled(surveyor(server, sketches));
    await server.run(sql);
    const found = await made.survey();
    expect(rowsOf(found, "games")["2024-01-03"]).toBe(count);
    expectSame(found, await made.all());
    server.stats.clear();
    await made.survey();
    expect(billed(server)).toEqual({});
  });

  test.each([
    ["the metadata", /INFORMATION_SCHEMA/, 1],
    ["the data", /gr_arm/, 2],
  ])("what is written just before a survey reads %s is not lost", async (_, sql, inserts) => {
    const made = await settled(surveyor(server, sketches));
    server.insert("raw.games", [["2024-01-20", "ann", 1]]);
    server.faults.add({ call: "jobs.insert", sql, fault: { kind: "slow", polls: 5 } });
    const looking = made.survey();
    await vi.waitUntil(() => server.stats.calls.filter((call) => call === "jobs.insert").length === inserts);
    server.insert("raw.games", [["2024-01-03", "cid", 1]]);
    await server.run("delete from raw.games where game_date = '2024-01-02' and player = 'ann'");
    await looking;
    expectSame(await made.survey(), await made.all());
    expect((await made.survey()).scanBytes).toBe(0);
  });

  test("a partition that was rewritten with as many rows is seen by the next survey", async () => {
    const checks = [{ name: "small", sql: "score < 5" }];
    const made = await settled(
      surveyor(server, { games: { table: table("raw.games"), expect: { checks } } }),
    );
    await server.run("update raw.games set score = 9 where game_date = '2024-01-03' and player = 'ann'");
    const found = await made.survey();
    expect(seenOf(found.processors.get("games"))["2024-01-03"]).toBe("2 NaN NaN NaN 1");
  });

  test("what an expectation refers to counts as its own", async () => {
    const made = await settled(
      surveyor(server, {
        games: { table: table("raw.games") },
        scores: {
          table: table("stats.scores"),
          expect: { rows: { perEntity: { of: "games", key: "player", min: 1 } } },
        },
      }),
    );
    server.insert("raw.games", [["2024-01-03", "cid", 3]]);
    const found = await made.survey();
    expect(seenOf(found.processors.get("scores"))["2024-01-03"]).toBe("2 NaN NaN NaN 3");
    // Each of the two tables once, though the first is in both arms.
    expect(billed(server)).toEqual({ partitions: 10, profile: 20 });
  });

  test("a schedule whose table changed is read again", async () => {
    const made = await settled(surveyor(server, sketches, { scheduleSpecs }));
    server.insert("raw.default", [["2024-01-05", "2023-24"]]);
    const found = await made.survey();
    expect(found.schedules.get("default")?.days).toHaveLength(4);
    expect(billed(server)).toEqual({ schedule: 20 });
  });

  test("changed expectations, and tables made anew, are asked for in full", async () => {
    const memory = memoryOfTests();
    const first = surveyor(server, sketches, { memory });
    await first.survey();
    await first.warehouse.keepSurveys();
    server.define({ name: "raw.lines", columns, partition, rows: rows.slice(1) });
    const games = { ...sketches["games"], expect: { notNull: [{ column: "score", maxRatio: 0 }] } };
    const next = surveyor(server, { ...sketches, games }, { memory });
    server.stats.clear();
    const found = await next.survey();
    expect(billed(server)).toEqual({ partitions: 10, profile: 20 });
    expectSame(found, await next.all());
  });

  test("columns that changed their names, though only another date was written since, are asked for in full", async () => {
    const numbers = { game_date: "DATE", score: "INT64", spare: "INT64" };
    server.define({
      name: "raw.lines",
      columns: numbers,
      partition,
      rows: dates.map((date) => [date, 1, 0]),
    });
    const checks = [{ name: "scored", sql: "score > 0" }];
    const made = await settled(
      surveyor(server, { lines: { table: table("raw.lines"), expect: { checks } } }),
    );
    const fields = [
      ["game_date", "DATE"],
      ["spare", "INTEGER"],
      ["score", "INTEGER"],
    ].map(([name, type]) => ({ name, type }));
    await fetch(`${server.url}/bigquery/v2/projects/${server.projectId}/datasets/raw/tables/lines`, {
      method: "PATCH",
      body: JSON.stringify({ schema: { fields } }),
    });
    server.insert("raw.lines", [["2024-01-20", 1, 1]]);
    const found = await made.survey();
    // One violation, of a date that nobody wrote.
    expect(seenOf(found.processors.get("lines"))["2024-01-02"]).toMatch(/ 1$/);
    expectSame(found, await made.all());
  });

  test("notes that are cut off, or of another version, count as absent", async () => {
    const memory = memoryOfTests();
    const first = surveyor(server, sketches, { scheduleSpecs, memory });
    await first.survey();
    await first.warehouse.keepSurveys();
    const [head, piece] = [
      memory.appended.findIndex(({ subject, part }) => subject === "processor/games" && part === "head"),
      memory.appended.findIndex(({ subject, part }) => subject === "processor/lines" && part !== "head"),
    ];
    for (const [index, change] of [
      [head, (body: string) => body.replace('"version":1', '"version":99')],
      [piece, (body: string) => body.slice(0, -2)],
    ] as const) {
      const note = memory.appended[index];
      if (note !== undefined) memory.appended[index] = { ...note, body: change(note.body) };
    }
    const next = surveyor(server, sketches, { scheduleSpecs, memory });
    server.stats.clear();
    const found = await next.survey();
    expect(billed(server)).toEqual({ partitions: 10, profile: 20 });
    expectSame(found, await next.all());
  });
});

describe("tables of every kind", () => {
  test("partitions of months, hours and arrivals are followed to the dates that they touch", async () => {
    const at = { game_date: "TIMESTAMP", player: "STRING" };
    server.define(
      { name: "raw.monthly", columns, partition: { column: "game_date", unit: "MONTH" }, rows },
      { name: "raw.hourly", columns: at, partition: { column: "game_date", unit: "HOUR" } },
      { name: "raw.daily_utc", columns: at, partition: { column: "game_date" } },
      { name: "raw.arrivals", columns, partition: { column: null } },
    );
    const night = ["2024-01-03 04:30:00", "2024-01-03 05:30:00"];
    const made = surveyor(server, {
      monthly: { table: table("raw.monthly") },
      hourly: { table: table("raw.hourly") },
      daily_utc: { table: table("raw.daily_utc") },
      arrivals: { table: table("raw.arrivals"), dateColumn: "_PARTITIONDATE" },
      by_other_date: { table: table("raw.arrivals") },
    });
    for (const instant of night) {
      await made.survey();
      server.insert("raw.hourly", [[instant, "ann"]]);
      server.insert("raw.daily_utc", [[instant, "ann"]]);
      server.insert("raw.monthly", [["2024-01-20", "ann", 1]]);
      server.insert("raw.arrivals", [["2024-01-09", "ann", 1]], "2024-01-20");
      expectSame(await made.survey(), await made.all());
    }
    const found = await made.survey();
    expect(rowsOf(found, "hourly")).toEqual({ "2024-01-02": 1, "2024-01-03": 1 });
    expect(rowsOf(found, "by_other_date")).toEqual({ "2024-01-09": 2 });
    expect(found.scanBytes).toBe(0);
  });

  test("partitions of numbers and of times in another zone are followed to the dates that they touch", async () => {
    const range = { start: 20_230_000, end: 20_250_000, interval: 1 };
    server.define(
      {
        name: "raw.by_number",
        columns: { ds: "INT64", player: "STRING" },
        partition: { column: "ds", range },
        rows: [
          [20_240_102, "ann"],
          [20_240_120, "bob"],
        ],
      },
      {
        name: "raw.by_utc",
        columns: { at: "DATETIME", player: "STRING" },
        partition: { column: "at", unit: "HOUR" },
        rows: [
          ["2024-01-03 04:30:00", "ann"],
          ["2024-01-20 12:00:00", "bob"],
        ],
      },
    );
    const made = await settled(
      surveyor(server, {
        by_number: { table: table("raw.by_number"), ...datedBy("ds", { dateFormat: "%Y%m%d" }) },
        by_utc: { table: table("raw.by_utc"), ...datedBy("at", { columnTimezone: "UTC" }) },
      }),
    );
    server.insert("raw.by_number", [[20_240_102, "cid"]]);
    server.insert("raw.by_utc", [["2024-01-03 04:45:00", "cid"]]);
    const found = await made.survey();
    expect(rowsOf(found, "by_number")).toEqual({ "2024-01-02": 2, "2024-01-20": 1 });
    expect(rowsOf(found, "by_utc")).toEqual({ "2024-01-02": 2, "2024-01-20": 1 });
    // Of each table the two rows of the date that changed, in a column of eight bytes.
    const profiles = server.stats.queries.filter(
      ({ labels, dryRun }) => labels["purpose"] === "profile" && !dryRun,
    );
    expect(profiles.map(({ bytesProcessed }) => bytesProcessed)).toEqual([2 * 2 * 8]);
    expectSame(found, await made.all());
  });

  test("one without partitions is asked in full when it changed, a view and a condition of its own each time", async () => {
    server.define({ name: "raw.whole", columns, rows });
    await server.run("create or replace view raw.seen as select * from raw.whole");
    const made = await settled(
      surveyor(server, {
        whole: { table: table("raw.whole") },
        seen: { table: table("raw.seen") },
        known: {
          table: table("raw.games"),
          where: "player in (select player from `test-project`.raw.lines where game_date > '2020-01-01')",
        },
      }),
    );
    await made.survey();
    // The view's table, the condition's, and the one that it is on.
    expect(billed(server)).toEqual({ profile: 30 });
    server.stats.clear();
    await server.run("delete from raw.lines where game_date > '2020-01-01' and player = 'bob'");
    server.insert("raw.whole", [["2024-01-20", "ann", 1]]);
    const found = await made.survey();
    expect(billed(server)).toEqual({ profile: 30 });
    expect(rowsOf(found, "known")["2024-01-02"]).toBe(1);
    expectSame(found, await made.all());
  });

  test("the recent dates of one with a streaming buffer are asked each time, older ones once their rows are stored", async () => {
    const made = await settled(surveyor(server, { games: { table: table("raw.games") } }));
    for (const count of [1, 2]) {
      server.stream("raw.games", [["2024-01-30", `new-${count}`, 1]]);
      expect(rowsOf(await made.survey(), "games")["2024-01-30"]).toBe(count);
    }
    server.stats.clear();
    await made.survey();
    expect(billed(server)).toEqual({ profile: 10 });
    server.flush("raw.games");
    expectSame(await made.survey(), await made.all());
    expect((await made.survey()).scanBytes).toBe(0);
  });
});

describe("a budget", () => {
  test("is filled with the newest dates, says what it left out, and goes on from there", async () => {
    // A date and a name of three letters, 13 bytes: 8 MB a date.
    const heavy = dates.map((date) => [date, "ann", 1]);
    server.define({
      name: "raw.heavy",
      columns,
      partition,
      rows: heavy,
      weight: Math.floor((8 * megabyte) / 13),
    });
    const made = surveyor(server, {
      heavy: { table: table("raw.heavy"), expect: { notNull: [{ column: "player", maxRatio: 0 }] } },
    });
    const budgetBytes = 27 * megabyte;
    const first = await made.survey({ budgetBytes });
    expect(Object.keys(rowsOf(first, "heavy"))).toEqual(["2024-01-03", "2024-01-04"]);
    expect(unseenOf(first, "heavy")).toEqual({
      days: 2,
      message:
        "the budget of 27 MB for one look does not reach: it takes up to 25 MB to look at all that changed or was not seen yet, and 17 MB were left",
    });
    expect(first.scanBytes).toBeLessThanOrEqual(budgetBytes);
    const second = await made.survey({ budgetBytes });
    expect(unseenOf(second, "heavy").days).toBe(0);
    expectSame(second, await made.all());
    expect((await made.survey({ budgetBytes })).scanBytes).toBe(0);
  });

  test("holds where a dry run does not list all tables of a statement", async () => {
    const names = Array.from(
      { length: 26 },
      (_, index) => [`many.own_${index}`, `many.log_${index}`] as const,
    );
    for (const name of names.flat()) server.define({ name, columns, partition, rows: rows.slice(0, 1) });
    const made = surveyor(
      server,
      Object.fromEntries(
        names.map(([own, log], index) => [
          `p${index}`,
          {
            table: table(own),
            expect: {
              rows: {
                completionLog: { table: table(log), ...datedBy("game_date"), where: null, rowsColumn: null },
              },
            },
          },
        ]),
      ),
    );
    // The metadata of the dataset, and one table less than there are.
    const budgetBytes = 520 * megabyte;
    const found = await made.survey({ budgetBytes });
    expect(found.scanBytes).toBeGreaterThan(0);
    expect(found.scanBytes).toBeLessThanOrEqual(budgetBytes);
  });

  test("that reaches for few tables goes round, and never tells what it did not see", async () => {
    const made = surveyor(server, sketches);
    const open = async (budgetBytes: number) => {
      const found = await made.survey({ budgetBytes });
      expect(found.scanBytes).toBeLessThanOrEqual(budgetBytes);
      expectSame(found, await made.all());
      return Object.keys(sketches).filter((name) => unseenOf(found, name).days > 0);
    };
    expect(await open(0)).toEqual(["games", "lines", "scores", "teams"]);
    // The partitions of both datasets, and one table.
    expect(await open(30 * megabyte)).toEqual(["lines", "scores", "teams"]);
    expect(await open(20 * megabyte)).toEqual(["teams"]);
    expect(await open(20 * megabyte)).toEqual([]);
    server.insert("raw.games", [["2024-01-20", "ann", 1]]);
    expect(await open(5 * megabyte)).toEqual(["games"]);
    expect(await open(20 * megabyte)).toEqual([]);
  });
});

describe("what fails", () => {
  test("at one table for a reason of its own leaves the others alone", async () => {
    const made = surveyor(server, sketches);
    const message = "BigQuery API has not been used in project raw before or it is disabled";
    server.faults.add({ call: "tables.get", fault: { kind: "error", reason: "invalid", message } });
    const found = await made.survey();
    expect(found.processors.get("games")).toMatchObject({
      kind: "failed",
      failure: { code: "query_failed", message },
    });
    expect(unseenOf(found, "lines").days).toBe(0);
    expectSame(await made.survey(), await made.all());
  });

  test("at the metadata of a dataset has its tables asked in full", async () => {
    const denied = { kind: "error", reason: "accessDenied" } as const;
    const made = surveyor(server, sketches);
    server.faults.add({ call: "jobs.insert", sql: /`stats`\.INFORMATION_SCHEMA/, times: 9, fault: denied });
    expectSame(await made.survey(), await made.all());
    expect((await made.survey()).scanBytes).toBe(0);
    server.stats.clear();
    server.insert("stats.teams", [["2024-01-20", "ann", 1]]);
    expectSame(await made.survey(), await made.all());
    expect(billed(server)).toMatchObject({ profile: 10 + 40 });
  });

  test("at the metadata because BigQuery is away leaves what changed unknown, and no more", async () => {
    const made = await settled(surveyor(server, sketches));
    const away = { kind: "error", reason: "quotaExceeded" } as const;
    server.faults.add({ call: "jobs.insert", sql: /INFORMATION_SCHEMA/, fault: away });
    server.insert("stats.teams", [["2024-01-20", "ann", 1]]);
    const found = await made.survey();
    expect(found.processors.get("teams")).toMatchObject({
      kind: "failed",
      failure: { code: "query_failed" },
    });
    expect(rowsOf(found, "scores")).toEqual({ "2024-01-02": 2, "2024-01-03": 2, "2024-01-04": 2 });
    expectSame(await made.survey(), await made.all());
  });

  test("at everything at once is an error, not a grid of unknown cells", async () => {
    const away = { kind: "error", reason: "quotaExceeded" } as const;
    const made = surveyor(server, sketches);
    server.faults.add({ call: "jobs.insert", times: 99, fault: away });
    await expect(made.survey()).rejects.toMatchObject({ code: "warehouse_quota" });
    server.faults.clear();
    expectSame(await made.survey(), await made.all());
  });

  test("at the dry runs of a budget leaves unknown what was to be asked", async () => {
    const made = await settled(surveyor(server, sketches));
    server.insert("stats.teams", [["2024-01-20", "ann", 1]]);
    const away = { kind: "error", reason: "quotaExceeded" } as const;
    server.faults.add({
      call: "jobs.insert",
      sql: /union all|from `test-project`\.`stats`\.`teams`/,
      fault: away,
    });
    const found = await made.survey({ budgetBytes: 100 * megabyte });
    expect(unseenOf(found, "teams").days).toBe(1);
    expect(unseenOf(found, "scores").days).toBe(0);
    expectSame(found, await made.all());
  });

  test("one arm of many, in a dry run too, is left to itself", async () => {
    const made = surveyor(server, { ...sketches, odd: { table: table("raw.games"), where: "nobody = 1" } });
    const found = await made.survey({ budgetBytes: 200 * megabyte });
    expect(found.processors.get("odd")).toMatchObject({ kind: "failed", failure: { code: "query_failed" } });
    expectSame(found, await made.all());
    for (const name of Object.keys(sketches)) expect(unseenOf(found, name).days).toBe(0);
  });

  test("because it is called off changes nothing of what is known", async () => {
    const made = await settled(surveyor(server, sketches));
    server.insert("stats.teams", [["2024-01-20", "ann", 1]]);
    server.faults.add({ call: "jobs.getQueryResults", fault: { kind: "hang" } });
    const questions = () => server.stats.calls.filter((call) => call === "jobs.getQueryResults").length;
    const [before, off] = [questions(), new AbortController()];
    const surveying = made.survey({ signal: off.signal });
    await expect.poll(questions).toBeGreaterThan(before);
    off.abort();
    await expect(surveying).rejects.toMatchObject({ code: "interrupted" });
    expectSame(await made.survey(), await made.all());
  });

  test("at the profile leaves the dates that were asked unseen, with the reason", async () => {
    const checks = [{ name: "number", sql: "cast(player as int64) > 0" }];
    server.define({ name: "raw.lines", columns, partition, rows: dates.map((date) => [date, "1", 1]) });
    const made = await settled(
      surveyor(server, {
        lines: { table: table("raw.lines"), expect: { checks } },
        games: { table: table("raw.games") },
      }),
    );
    server.insert("raw.lines", [["2024-01-20", "ann", 1]]);
    server.insert("raw.games", [["2024-01-20", "ann", 1]]);
    const found = await made.survey();
    expect(unseenOf(found, "lines")).toMatchObject({ days: 1, message: expect.stringContaining("ann") });
    expect(rowsOf(found, "lines")).toEqual({ "2024-01-02": 1, "2024-01-03": 1, "2024-01-04": 1 });
    expect(rowsOf(found, "games")["2024-01-20"]).toBe(1);
    await server.run("delete from raw.lines where game_date = '2024-01-20'");
    expectSame(await made.survey(), await made.all());
  });

  test("because the right to read is gone is told, not remembered", async () => {
    const made = await settled(surveyor(server, sketches));
    server.deny("stats.teams");
    const found = await made.survey();
    expect(found.processors.get("teams")).toMatchObject({ kind: "failed", failure: { code: "permission" } });
    expect(unseenOf(found, "scores").days).toBe(0);
    server.deny("stats.teams", false);
    expect((await made.survey()).scanBytes).toBe(0);
  });
});

test("surveys that run beside each other see what one alone sees", async () => {
  const made = await settled(surveyor(server, sketches));
  server.insert("stats.teams", [["2024-01-20", "ann", 1]]);
  const all = await made.all();
  for (const found of await Promise.all([made.survey(), made.survey()])) expectSame(found, all);
  expect((await made.survey()).scanBytes).toBe(0);
});

test("all dates are asked anew within a week, each processor's at its own time, as far as the budget goes", async () => {
  let now = noonOf("2024-01-31");
  const made = surveyor(server, sketches, { clock: () => now });
  await made.survey();
  const hours: number[] = [];
  for (let hour = 0; hour < 7 * 24; hour += 6) {
    now += 6 * 3_600_000;
    const { scanBytes } = await made.survey();
    if (scanBytes > 0) hours.push(hour);
  }
  expect(hours).toHaveLength(4);
  now += 7 * 24 * 3_600_000;
  const found = await made.survey({ budgetBytes: 20 * megabyte });
  expect(found.scanBytes).toBe(20 * megabyte);
  expectSame(found, await made.all());
  expect((await made.survey()).scanBytes).toBe(20 * megabyte);
  expect((await made.survey()).scanBytes).toBe(0);
});
