import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { ScheduleSpec } from "../../src/core/pipeline.ts";
import { datedBy, tableSchedule } from "../support/pipeline.ts";
import {
  byDate,
  type OpenWarehouse,
  profileAll,
  profileOf,
  profileOne,
  table,
  type TableFixture,
} from "./warehouse-fixture.ts";

const players: TableFixture = {
  name: "stats.players",
  columns: { day: "date", player: "string", kind: "string" },
  rows: [
    ["2024-01-02", "ann", "pro"],
    ["2024-01-02", "ann", "pro"],
    ["2024-01-02", "bob", "pro"],
    ["2024-01-02", "cid", "pro"],
    ["2024-01-02", "dan", "amateur"],
    ["2024-01-02", null, "pro"],
    ["2024-01-05", "ann", "pro"],
  ],
};
const features: TableFixture = {
  name: "stats.features",
  columns: { game_date: "date", player_lookup: "string", version: "int" },
  rows: [
    ["2024-01-02", "ann", 1],
    ["2024-01-02", "ann", 1],
    ["2024-01-02", "eve", 1],
    ["2024-01-02", "bob", 0],
    ["2024-01-02", null, 1],
    ["2024-01-03", "ann", 1],
  ],
};
const failures: TableFixture = {
  name: "stats.failures",
  columns: { failed_on: "date", who: "string", reason: "string" },
  rows: [
    ["2024-01-02", "cid", "history"],
    ["2024-01-02", "ann", "history"],
    ["2024-01-02", "bob", "crash"],
    ["2024-01-02", "eve", "crash"],
    ["2024-01-03", "bob", "history"],
  ],
};
const excusedBy = {
  table: table("stats.failures"),
  ...datedBy("failed_on"),
  key: "who",
  where: "reason = 'history'",
};
const coverage = {
  of: { kind: "processor", name: "players" },
  key: "player_lookup",
  ofKey: "player",
  min: 0.9,
  extra: null,
  excusedBy: null,
} as const;

const sketch = {
  tables: [players, features, failures],
  processors: {
    players: { table: table("stats.players"), dateColumn: "day", where: "kind = 'pro'" },
    plain: { table: table("stats.features"), where: "version = 1", expect: { coverage } },
    excused: {
      table: table("stats.features"),
      where: "version = 1",
      expect: { coverage: { ...coverage, excusedBy } },
    },
    without_extra: {
      table: table("stats.features"),
      where: "version = 1",
      expect: { coverage: { ...coverage, extra: "gap" as const } },
    },
    excused_extra: {
      table: table("stats.features"),
      expect: {
        coverage: { ...coverage, extra: "gap" as const, excusedBy: { ...excusedBy, where: null } },
      },
    },
    ignored_extra: {
      table: table("stats.features"),
      expect: { coverage: { ...coverage, extra: "ignore" as const } },
    },
    per_player: {
      table: table("stats.features"),
      expect: { rows: { perEntity: { of: "players", key: "player", min: 1 } } },
    },
    per_row: {
      table: table("stats.features"),
      expect: { rows: { perEntity: { of: "players", key: null, min: 1 } } },
    },
  },
};

const games: TableFixture = {
  name: "raw.games",
  columns: { game_date: "date", game_id: "string", season: "string", status: "int" },
  rows: [
    ["2024-01-02", "g1", "2023-24", 3],
    ["2024-01-02", "g2", "2023-24", 3],
    ["2024-01-02", "g3", "2023-24", 1],
  ],
};
const boxes: TableFixture = {
  name: "raw.boxes",
  columns: { game_date: "date", game: "string" },
  rows: [
    ["2024-01-02", "g1"],
    ["2024-01-02", "g1"],
  ],
};

const runs: TableFixture = {
  name: "stats.runs",
  columns: { run_date: "date", written: "int" },
  rows: [
    ["2024-01-02", 0],
    ["2024-01-02", 7],
    ["2024-01-04", 0],
    ["2024-01-04", null],
    ["2024-01-06", null],
  ],
};

export function describeCoverage(open: OpenWarehouse): void {
  describe("with rows.min 0", () => {
    const zero = { min: 0, perEntity: { of: "players", key: "player", min: 1 } };
    const processors = {
      players: { table: table("stats.players"), dateColumn: "day", where: "kind = 'pro'" },
      counted: {
        table: table("stats.features"),
        where: "version = 1",
        expect: { rows: zero, checks: [{ name: "any", sql: "version > 0" }] },
      },
      covered: { table: table("stats.features"), expect: { rows: { min: 0 }, coverage } },
      all: {
        table: table("stats.features"),
        expect: {
          rows: {
            ...zero,
            completionLog: {
              table: table("stats.runs"),
              ...datedBy("run_date"),
              where: null,
              rowsColumn: "written",
            },
          },
          coverage,
        },
      },
    };
    const profiles = async () => {
      const found = await profileAll(await open({ tables: [players, features, runs], processors }));
      return (name: string) => profileOf(found.get(name));
    };

    test("a date without rows is there where another table of the expectation has some", async () => {
      const profile = (await profiles())("counted");
      expect(byDate(profile, profile.rows)).toEqual({ "2024-01-02": 4, "2024-01-03": 1, "2024-01-05": 0 });
      const [entities, violations] = profile.metrics.map((metric) => byDate(profile, metric));
      expect(entities).toEqual({ "2024-01-02": 3, "2024-01-03": 0, "2024-01-05": 1 });
      expect(violations).toEqual({ "2024-01-02": 0, "2024-01-03": 0, "2024-01-05": 0 });
    });

    test("so it is for the keys of a coverage", async () => {
      const profile = (await profiles())("covered");
      expect(byDate(profile, profile.rows)).toEqual({ "2024-01-02": 5, "2024-01-03": 1, "2024-01-05": 0 });
      const [of, absent, present] = profile.metrics.map((metric) => byDate(profile, metric));
      expect(of).toEqual({ "2024-01-02": 3, "2024-01-03": 0, "2024-01-05": 1 });
      expect(absent?.["2024-01-05"]).toBe(1);
      expect(present?.["2024-01-05"]).toBe(0);
      expect(byDate(profile, profile.entities)["2024-01-05"]).toBe(0);
    });

    test("each date is there once, whichever tables have it, with the most rows that the log speaks of", async () => {
      const profile = (await profiles())("all");
      expect(byDate(profile, profile.rows)).toEqual({
        "2024-01-02": 5,
        "2024-01-03": 1,
        "2024-01-04": 0,
        "2024-01-05": 0,
        "2024-01-06": 0,
      });
      const [entities, logged, written, of] = profile.metrics.map((metric) => byDate(profile, metric));
      expect(entities).toMatchObject({ "2024-01-04": 0, "2024-01-05": 1, "2024-01-06": 0 });
      expect(logged).toMatchObject({ "2024-01-02": 2, "2024-01-04": 2, "2024-01-05": 0, "2024-01-06": 1 });
      expect(written).toMatchObject({ "2024-01-02": 7, "2024-01-04": 0 });
      expect([written?.["2024-01-05"], written?.["2024-01-06"]]).toEqual([Number.NaN, Number.NaN]);
      expect(of).toMatchObject({ "2024-01-04": 0, "2024-01-05": 1, "2024-01-06": 0 });
    });
  });

  describe("coverage", () => {
    test("counts the distinct entities of the other processor's own rows, absent and present", async () => {
      const profile = profileOf((await profileAll(await open(sketch))).get("plain"));
      expect(byDate(profile, profile.entities)).toEqual({ "2024-01-02": 2, "2024-01-03": 1 });
      const [of, absent, present] = profile.metrics.map((metric) => byDate(profile, metric));
      expect(of).toEqual({ "2024-01-02": 3, "2024-01-03": 0 });
      expect(absent).toEqual({ "2024-01-02": 2, "2024-01-03": 0 });
      expect(present).toEqual({ "2024-01-02": 1, "2024-01-03": 0 });
    });

    test("counts the distinct keys here that the other side lacks, all of them where it has none, and their rows", async () => {
      const found = await profileAll(await open(sketch));
      const counted = (name: string) => {
        const profile = profileOf(found.get(name));
        return profile.metrics.slice(3).map((metric) => byDate(profile, metric));
      };
      expect(counted("without_extra")).toEqual([
        { "2024-01-02": 1, "2024-01-03": 1 },
        { "2024-01-02": 1, "2024-01-03": 1 },
      ]);
      // Reported, so without their rows; and ignored.
      expect(counted("plain")).toEqual([{ "2024-01-02": 1, "2024-01-03": 1 }]);
      expect(counted("ignored_extra")).toEqual([]);
    });

    test("names the absent and the extra keys of the dates that are asked for, the first in order with the number of all", async () => {
      const { warehouse, processors } = await open(sketch);
      const named = async (name: string, dates: readonly string[], limit: number) => {
        const processor = processors.find((candidate) => candidate.name === name);
        if (processor === undefined) throw new RangeError(`there is no ${name}`);
        const found = await warehouse.coverageKeys({ processor, dates: dates.map(parseIsoDate), limit });
        return Object.fromEntries(found);
      };
      const none = { count: 0, keys: [] };
      expect(await named("plain", ["2024-01-02", "2024-01-03", "2024-01-05", "2024-01-09"], 20)).toEqual({
        "2024-01-02": { absent: { count: 2, keys: ["bob", "cid"] }, extra: { count: 1, keys: ["eve"] } },
        "2024-01-03": { absent: none, extra: { count: 1, keys: ["ann"] } },
        "2024-01-05": { absent: { count: 1, keys: ["ann"] }, extra: none },
      });
      expect(await named("plain", ["2024-01-02"], 1)).toMatchObject({
        "2024-01-02": { absent: { count: 2, keys: ["bob"] } },
      });
      expect(await named("excused", ["2024-01-02"], 20)).toMatchObject({
        "2024-01-02": { absent: { count: 1, keys: ["bob"] } },
      });
      expect(await named("ignored_extra", ["2024-01-03"], 20)).toEqual({
        "2024-01-03": { absent: none, extra: null },
      });
      expect(await named("players", ["2024-01-02"], 20)).toEqual({});
    });

    test("names keys that are numbers in the order of numbers", async () => {
      const { warehouse, processors } = await open({
        tables: [
          {
            name: "raw.numbered",
            columns: { game_date: "date", game: "int" },
            rows: [10, 9, 100].map((game) => ["2024-01-02", game]),
          },
          { name: "raw.none", columns: { game_date: "date", game: "int" }, rows: [["2024-01-01", 1]] },
        ],
        processors: {
          other: { table: table("raw.none") },
          numbered: {
            table: table("raw.numbered"),
            expect: {
              coverage: { ...coverage, of: { kind: "processor", name: "other" }, key: "game", ofKey: "game" },
            },
          },
        },
      });
      const [, processor] = processors;
      if (processor === undefined) throw new RangeError("no processor");
      const date = parseIsoDate("2024-01-02");
      const found = await warehouse.coverageKeys({ processor, dates: [date], limit: 2 });
      expect(found.get(date)?.extra).toEqual({ count: 3, keys: ["9", "10"] });
    });

    test("does not count as extra what is excused on the date, nor rows without a key", async () => {
      const profile = profileOf((await profileAll(await open(sketch))).get("excused_extra"));
      const [extra, rows] = profile.metrics.slice(3).map((metric) => byDate(profile, metric));
      expect({ extra, rows }).toEqual({
        extra: { "2024-01-02": 0, "2024-01-03": 1 },
        rows: { "2024-01-02": 0, "2024-01-03": 1 },
      });
    });

    test("excuses the entities named on the same date, by the filter given for them", async () => {
      const profile = profileOf((await profileAll(await open(sketch))).get("excused"));
      const [of, absent, present] = profile.metrics.map((metric) => byDate(profile, metric)["2024-01-02"]);
      expect({ of, absent, present }).toEqual({ of: 3, absent: 1, present: 1 });
    });

    test("rows per entity count the other processor's distinct entities, or its rows", async () => {
      const found = await profileAll(await open(sketch));
      const counted = (name: string) => {
        const profile = profileOf(found.get(name));
        return byDate(profile, profile.metrics[0]);
      };
      expect(counted("per_player")).toEqual({ "2024-01-02": 3, "2024-01-03": 0 });
      expect(counted("per_row")).toEqual({ "2024-01-02": 5, "2024-01-03": 0 });
    });

    const stored = tableSchedule("default");
    const tableSpec: ScheduleSpec = {
      ...stored,
      source: {
        kind: "table",
        table: table("raw.games"),
        ...datedBy("game_date"),
        unitColumn: "game_id",
        seasonColumn: "season",
        where: "status = 3",
      },
    };
    const querySpec: ScheduleSpec = {
      ...stored,
      source: {
        kind: "query",
        file: "games.sql",
        sql: "select game_date, game_id from raw.games where status = 3; -- final only",
        ...datedBy("game_date"),
        unitColumn: "game_id",
        seasonColumn: null,
        where: null,
      },
    };

    test.each([
      ["a table with its filter", tableSpec],
      ["a query", querySpec],
    ])("of a schedule from %s sees its entities", async (_, spec) => {
      const fixture = await open({
        tables: [games, boxes],
        schedules: [spec],
        processors: {
          boxes: {
            table: table("raw.boxes"),
            expect: {
              coverage: {
                of: { kind: "schedule" },
                key: "game",
                ofKey: "game_id",
                min: 1,
                extra: null,
                excusedBy: null,
              },
            },
          },
        },
      });
      const profile = await profileOne(fixture);
      expect(profile.metrics.map((metric) => metric[0])).toEqual([2, 1, 1, 0]);
    });

    test("of a calendar, which names no entity, fails alone", async () => {
      const fixture = await open({
        tables: [boxes],
        processors: {
          covered: {
            table: table("raw.boxes"),
            expect: {
              coverage: {
                of: { kind: "schedule" },
                key: "game",
                ofKey: "game_id",
                min: 1,
                extra: null,
                excusedBy: null,
              },
            },
          },
          plain: { table: table("raw.boxes") },
        },
      });
      const found = await profileAll(fixture);
      expect(found.get("covered")).toMatchObject({ kind: "failed", failure: { code: "query_failed" } });
      expect(found.get("plain")?.kind).toBe("observed");
    });
  });
}
