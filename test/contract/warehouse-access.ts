import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import {
  type OpenWarehouse,
  profileAll,
  profileOne,
  table,
  type TableFixture,
  type WarehouseTraits,
} from "./warehouse-fixture.ts";

const points: TableFixture = {
  name: "stats.scores",
  columns: { game_date: "date", player: "string", points: "int" },
  rows: [
    ["2024-01-02", "ann", 10],
    ["2024-01-02", "ann", 200],
  ],
};
const sketch = {
  tables: [points],
  processors: {
    points: {
      table: table("stats.scores"),
      expect: { uniqueKeys: [["player"]], checks: [{ name: "few", sql: "points < 100" }] },
    },
  },
};

export function describeAccess(open: OpenWarehouse, { isFile }: WarehouseTraits): void {
  describe("the SELECT of a repair", () => {
    test.each([
      ["select game_date, player from stats.scores where game_date between $start_date and $end_date", null],
      ["select $start_date as game_date, 1 as points", null],
      ["select player from stats.scores", "game_date"],
      ["select game_date, rebounds from stats.scores", "rebounds"],
      ["select game_date, 1 as assists from stats.scores", "assists"],
      ["select game_date from stats.scores where player = $who", "$who"],
      ["select game_date from stats.scores; select 2", "second statement"],
    ])("is checked without being run: %s", async (sql, problem) => {
      const fixture = await open(sketch);
      const found = await fixture.warehouse.checkRepair({
        processor: fixture.processor("points"),
        sql,
        leaveNull: ["player", "points"],
      });
      if (problem === null) expect(found).toBeNull();
      else expect(found?.message).toContain(problem);
      expect(await fixture.read("select count(*) from stats.scores")).toEqual([["2"]]);
    });
  });

  describe("preconditions", () => {
    test("are met by true alone; each of the others says why not", async () => {
      const { warehouse } = await open(sketch);
      const results = await warehouse.checkPreconditions([
        "select count(*) = 2 from stats.scores;",
        "select count(*) = 3 from stats.scores",
        "select points > 0 from stats.scores where player = 'nobody'",
        "select points > 0 from stats.scores",
        "select cast(null as boolean)",
        "select 1",
        "select true from stats.at_all",
        "select true; select true",
      ]);
      expect(results.map(({ met }) => met)).toEqual([true, false, false, false, false, false, false, false]);
      expect(results.slice(1).map(({ message }) => message)).toEqual([
        "expected true, found false",
        "expected one row, found none",
        "expected one row, found several",
        "expected true, found NULL",
        "expected true, found 1",
        expect.stringContaining("at_all"),
        expect.stringContaining("second statement"),
      ]);
      expect(results[0]?.message).toBeNull();
    });
  });

  describe("the SQL of one cell", () => {
    test("runs as it is and gives what the profile saw", async () => {
      const fixture = await open(sketch);
      const sql = await fixture.warehouse.describeProfile(
        fixture.processor("points"),
        parseIsoDate("2024-01-02"),
      );
      const profile = await profileOne(fixture);
      const [row] = await fixture.read(sql);
      const numbers = row?.map((value) => (value === null ? Number.NaN : Number(value)));
      expect(numbers?.slice(-6)).toEqual([
        ...[profile.rows, profile.entities, profile.firstWriteMs, profile.lastWriteMs].map(
          (column) => column[0],
        ),
        ...profile.metrics.map((metric) => metric[0]),
      ]);
      expect(numbers?.slice(-2)).toEqual([1, 1]);
    });
  });

  describe("looking around", () => {
    test("gives the columns of what is there and a near name for what is not", async () => {
      const { warehouse } = await open(sketch);
      const [there, typo, far] = await warehouse.inspect({
        tables: [table("stats.scores"), table("stats.score"), table("nothing.like_it_at_all")],
      });
      expect([...(there?.columns?.keys() ?? [])]).toEqual(["game_date", "player", "points"]);
      expect(there?.columns?.get("game_date")).toBe("DATE");
      expect(typo).toMatchObject({ columns: null, nearest: "stats.scores", message: expect.any(String) });
      expect(far).toMatchObject({ columns: null, nearest: null });
    });

    test("the warehouse is reached and tells the time", async () => {
      const { warehouse } = await open(sketch);
      await warehouse.connect();
      expect(Math.abs((await warehouse.now()) - Date.now())).toBeLessThan(60_000);
    });
  });

  describe("many tasks at once", () => {
    test("scans, repairs and released work all end, and see whole states only", async () => {
      const fixture = await open(sketch);
      const { warehouse } = fixture;
      let released = 0;
      let most = 0;
      const releasedWork = () =>
        warehouse.released(async () => {
          released += 1;
          most = Math.max(most, released);
          await new Promise((resolve) => setTimeout(resolve, 5));
          released -= 1;
          return "done";
        });
      const repair = (token: number) =>
        warehouse.replaceDates({
          processor: fixture.processor("points"),
          sql: "select $start_date as game_date, 'x' as player, 1 as points union all select $end_date, 'y', 1",
          leaveNull: [],
          audit: null,
          dates: [parseIsoDate("2024-01-02")],
          token,
          repairId: `r${token}`,
          timeoutMs: 100_000,
          signal: new AbortController().signal,
        });
      const rows: number[] = [];
      const scan = async () => {
        for (const observation of (await profileAll(fixture)).values()) {
          if (observation.kind === "observed") rows.push(...observation.profile.rows);
        }
      };
      const tasks = Array.from({ length: 5 }, (_, index) => [
        scan(),
        releasedWork(),
        repair(index + 1),
        scan(),
      ]).flat();
      await Promise.all(tasks);
      expect(released).toBe(0);
      if (isFile) expect(most).toBe(1);
      expect(rows).toEqual(Array.from({ length: 10 }, () => 2));
    });

    test("released work that fails gives the warehouse back", async () => {
      const fixture = await open(sketch);
      const failing = fixture.warehouse.released(() => Promise.reject(new Error("the command failed")));
      await expect(failing).rejects.toThrow("the command failed");
      expect([...(await profileOne(fixture)).rows]).toEqual([2]);
    });

    test("a scan that was called off ends so, and the next one works", async () => {
      const fixture = await open(sketch);
      const { warehouse, processors } = fixture;
      const range = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-31") };
      const scan = warehouse.profile({ processors, range, signal: AbortSignal.abort() });
      await expect(scan).rejects.toMatchObject({ code: "interrupted" });
      expect([...(await profileOne(fixture)).rows]).toEqual([2]);
    });
  });
}
