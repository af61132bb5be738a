import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { datedBy } from "../support/pipeline.ts";
import {
  byDate,
  type OpenWarehouse,
  profileAll,
  profileOf,
  profileOne,
  table,
  type TableFixture,
} from "./warehouse-fixture.ts";

const day = (date: string, minutes: number) => Date.parse(`${date}T00:00:00Z`) + minutes * 60_000;

/** Two dates, one of them with faults of every kind. */
const scores: TableFixture = {
  name: "stats.scores",
  columns: { game_date: "date", player: "string", team: "string", score: "float", written: "timestamptz" },
  rows: [
    ["2024-01-02", "ann", "a", 10, "2024-01-03T06:00:00Z"],
    ["2024-01-02", "bob", "a", 90, "2024-01-03T06:05:00Z"],
    ["2024-01-04", "ann", "a", 150, "2024-01-05T06:00:00Z"],
    ["2024-01-04", "ann", "a", 50, "2024-01-05T06:07:00Z"],
    ["2024-01-04", "ann", "b", null, "2024-01-05T06:01:00Z"],
    ["2024-01-04", null, "b", 95, null],
    ["2024-01-04", null, "b", 95, null],
    [null, "cid", "a", 1, "2024-01-09T06:00:00Z"],
    ["2024-02-01", "ann", "a", 1, "2024-02-02T06:00:00Z"],
    ["2023-12-31", "ann", "a", 1, "2024-01-01T06:00:00Z"],
  ],
};

/** Every kind of column that can carry a date, with rows at both ends of a day in New York. */
const timed: TableFixture = {
  name: "stats.timed",
  columns: { local_time: "timestamp", instant: "timestamptz", day: "date", name: "string" },
  rows: [
    ["2024-01-02 00:00:00", "2024-01-02T05:00:00Z", "2024-01-02", "2024-01-02"],
    ["2024-01-02 23:59:59", "2024-01-03T04:59:59Z", "2024-01-02", "2024-01-02"],
    ["2024-01-03 00:00:00", "2024-01-03T05:00:00Z", "2024-01-03", "2024-01-03"],
    ["2024-01-01 23:59:59", "2024-01-02T04:59:59Z", "2024-01-01", "2024-01-01"],
  ],
};

export function describeProfiles(open: OpenWarehouse): void {
  describe("a profile", () => {
    test("counts rows per date of the range, both ends included, and ignores rows without a date", async () => {
      const fixture = await open({
        tables: [scores],
        processors: { scores: { table: table("stats.scores") } },
      });
      const profile = await profileOne(fixture);
      expect(byDate(profile, profile.rows)).toEqual({ "2024-01-02": 2, "2024-01-04": 5 });
      const ends = await profileOne(fixture, {
        start: parseIsoDate("2023-12-31"),
        end: parseIsoDate("2024-02-01"),
      });
      expect(byDate(ends, ends.rows)).toEqual({
        "2023-12-31": 1,
        "2024-01-02": 2,
        "2024-01-04": 5,
        "2024-02-01": 1,
      });
      expect([...profile.entities]).toEqual([Number.NaN, Number.NaN]);
      expect([...profile.firstWriteMs]).toEqual([Number.NaN, Number.NaN]);
    });

    test("of a table without rows in the range is empty, not failed", async () => {
      const fixture = await open({
        tables: [scores],
        processors: { scores: { table: table("stats.scores") } },
      });
      const profile = await profileOne(fixture, {
        start: parseIsoDate("2030-01-01"),
        end: parseIsoDate("2030-12-31"),
      });
      expect(profile.days).toEqual(new Int32Array());
    });

    test("carries each metric in the order of the expectation", async () => {
      const fixture = await open({
        tables: [scores],
        processors: {
          scores: {
            table: table("stats.scores"),
            expect: {
              uniqueKeys: [["game_date", "player", "team"], ["player"], ["game_date"]],
              notNull: [{ column: "score", maxRatio: 0 }],
              checks: [{ name: "in_range", sql: "score between 0 and 100 -- percent" }],
              measures: [
                { name: "mean", sql: "avg(score)", min: null, max: null },
                { name: "never", sql: "max(case when team = 'z' then score end)", min: null, max: null },
              ],
              quality: { column: "score", good: 90, ok: 50, degraded: 10, minGoodShare: 0.5, afterDays: 0 },
            },
          },
        },
      });
      const profile = await profileOne(fixture);
      const onDate = (index: number) => profile.metrics.map((metric) => metric[index]);
      // Excess rows three times, nulls, violations, mean, never, good, ok, degraded.
      expect(onDate(0)).toEqual([0, 0, 1, 0, 0, 50, Number.NaN, 1, 1, 2]);
      expect(onDate(1)).toEqual([2, 3, 4, 1, 1, 97.5, Number.NaN, 3, 4, 4]);
    });

    test("gives the first and last write as epoch milliseconds, for instants, times without a zone (UTC) and dates", async () => {
      const withWrites = (writtenAtColumn: string) => ({
        table: table("stats.timed"),
        dateColumn: "day",
        writtenAtColumn,
      });
      const fixture = await open({
        tables: [scores, timed],
        processors: {
          scores: { table: table("stats.scores"), writtenAtColumn: "written" },
          instant: withWrites("instant"),
          local: withWrites("local_time"),
          date: withWrites("day"),
        },
      });
      const found = await profileAll(fixture);
      const writes = (name: string, date: string) => {
        const profile = profileOf(found.get(name));
        return [byDate(profile, profile.firstWriteMs)[date], byDate(profile, profile.lastWriteMs)[date]];
      };
      expect(writes("scores", "2024-01-04")).toEqual([day("2024-01-05", 360), day("2024-01-05", 367)]);
      const newYork = [day("2024-01-02", 300), day("2024-01-03", 300) - 1000];
      expect(writes("instant", "2024-01-02")).toEqual(newYork);
      expect(writes("local", "2024-01-02")).toEqual([day("2024-01-02", 0), day("2024-01-03", 0) - 1000]);
      expect(writes("date", "2024-01-02")).toEqual([newYork[0], newYork[0]]);
    });

    test("dates an instant in the pipeline's time zone and a local time by itself", async () => {
      const fixture = await open({
        tables: [timed],
        processors: {
          instant: { table: table("stats.timed"), dateColumn: "instant" },
          local: { table: table("stats.timed"), dateColumn: "local_time" },
        },
      });
      const range = { start: parseIsoDate("2024-01-02"), end: parseIsoDate("2024-01-02") };
      for (const observation of (await profileAll(fixture, range)).values()) {
        const profile = profileOf(observation);
        expect(byDate(profile, profile.rows)).toEqual({ "2024-01-02": 2 });
      }
    });

    test("sees only the rows of the processor's where", async () => {
      const fixture = await open({
        tables: [scores],
        processors: {
          scores: {
            table: table("stats.scores"),
            where: "team = 'b' or team = 'z'",
            expect: { checks: [{ name: "any", sql: "score > 100" }] },
          },
        },
      });
      const profile = await profileOne(fixture);
      expect(byDate(profile, profile.rows)).toEqual({ "2024-01-04": 3 });
      expect(byDate(profile, profile.metrics[0])).toEqual({ "2024-01-04": 2 });
    });

    test("names a date that only the completion log has, with no rows", async () => {
      const log: TableFixture = {
        name: "stats.runs",
        columns: { run_date: "date", status: "string" },
        rows: [
          ["2024-01-02", "success"],
          ["2024-01-03", "success"],
          ["2024-01-03", "success"],
          ["2024-01-05", "failed"],
        ],
      };
      const fixture = await open({
        tables: [scores, log],
        processors: {
          scores: {
            table: table("stats.scores"),
            writtenAtColumn: "written",
            expect: {
              rows: {
                completionLog: {
                  table: table("stats.runs"),
                  ...datedBy("run_date"),
                  where: "status = 'success'",
                  rowsColumn: null,
                },
              },
              checks: [{ name: "any", sql: "score < 0" }],
              measures: [{ name: "mean", sql: "avg(score)", min: null, max: null }],
            },
          },
        },
      });
      const profile = await profileOne(fixture);
      expect(byDate(profile, profile.rows)).toEqual({ "2024-01-02": 2, "2024-01-03": 0, "2024-01-04": 5 });
      expect(byDate(profile, profile.metrics[0])).toEqual({
        "2024-01-02": 1,
        "2024-01-03": 2,
        "2024-01-04": 0,
      });
      expect(byDate(profile, profile.metrics[1])).toEqual({
        "2024-01-02": 2,
        "2024-01-03": 0,
        "2024-01-04": 4,
      });
      expect(byDate(profile, profile.metrics[2])["2024-01-03"]).toBeNaN();
      expect(byDate(profile, profile.firstWriteMs)["2024-01-03"]).toBeNaN();
    });
  });

  describe("one processor that cannot be observed", () => {
    const good = { table: table("stats.scores") };
    const withCheck = (sql: string) => ({ ...good, expect: { checks: [{ name: "bad", sql }] } });

    test.each([
      ["a table that does not exist", { table: table("stats.scorse") }, "not_found", "stats.scores"],
      ["a dataset that does not exist", { table: table("nowhere.at_all") }, "not_found", "nowhere.at_all"],
      ["a date column that does not exist", { ...good, dateColumn: "game_dat" }, "not_found", "game_date"],
      [
        "a written_at_column that does not exist",
        { ...good, writtenAtColumn: "wrote" },
        "not_found",
        "wrote",
      ],
      [
        "a key column that does not exist",
        { ...good, expect: { uniqueKeys: [["game_date", "nobody"]] } },
        "not_found",
        "nobody",
      ],
      ["a date column that is text", { ...good, dateColumn: "player" }, "query_failed", "player"],
      ["a check on a column that does not exist", withCheck("nobody > 1"), "query_failed", "nobody"],
      ["a check that leaves its parentheses", withCheck("true) or (true"), "query_failed", "closes nothing"],
      ["a check that opens what it does not close", withCheck("(score > 1"), "query_failed", "`)`"],
      ["a check that opens a comment", withCheck("score > 1 /* why"), "query_failed", "comment"],
      ["a check that opens a quote", withCheck("team = 'a"), "query_failed", "not closed"],
      [
        "a check with a second statement",
        withCheck("true); delete from stats.scores; select (1"),
        "query_failed",
        "",
      ],
      [
        "a where with a second statement",
        { ...good, where: "true; delete from stats.scores" },
        "query_failed",
        ";",
      ],
      [
        "a check that fails on the data",
        withCheck("cast(team as date) > date '2024-01-01'"),
        "query_failed",
        "",
      ],
    ] as const)("with %s, fails alone and says why", async (_, sketch, code, says) => {
      const fixture = await open({
        tables: [scores],
        processors: { before: good, broken: sketch, after: good },
      });
      const found = await profileAll(fixture);
      expect(found.get("broken")).toMatchObject({ kind: "failed", failure: { code } });
      expect(JSON.stringify(found.get("broken"))).toContain(says);
      for (const name of ["before", "after"]) expect([...profileOf(found.get(name)).rows]).toEqual([2, 5]);
      expect(await fixture.read("select count(*) from stats.scores")).toEqual([["10"]]);
    });

    test("is one of two hundred, and three are found among them", async () => {
      const names = Array.from({ length: 200 }, (_, index) => `p${index}`);
      const broken = new Set(["p0", "p77", "p199"]);
      const processors = Object.fromEntries(
        names.map((name) => [
          name,
          broken.has(name) ? withCheck("cast(team as date) > date '2024-01-01'") : good,
        ]),
      );
      const fixture = await open({ tables: [scores], processors });
      const found = await profileAll(fixture);
      expect(names.filter((name) => found.get(name)?.kind === "failed")).toEqual([...broken]);
    });
  });
}
