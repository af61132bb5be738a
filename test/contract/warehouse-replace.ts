import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { ReplaceRequest } from "../../src/reconcile/ports.ts";
import { type OpenFixture, type OpenWarehouse, table, type TableFixture } from "./warehouse-fixture.ts";

const raw: TableFixture = {
  name: "raw.scores",
  columns: { d: "date", player: "string", points: "int" },
  rows: ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"].flatMap((date) => [
    [date, "ann", 10],
    [date, "bob", 20],
  ]),
};
const target: TableFixture = {
  name: "stats.scores",
  columns: { game_date: "date", player: "string", points: "int", note: "string" },
  rows: [
    ["2024-01-02", "old", 1, "kept by nobody"],
    ["2024-01-03", "old", 1, "kept"],
    ["2024-01-05", "other", 1, "kept"],
  ],
};
const select =
  "select points, d as game_date, player from raw.scores where d between $start_date and $end_date";
const all = "select game_date, player, points, note from stats.scores order by 1, 2";

function codeOf(error: unknown): string {
  return error instanceof ReconcilerError ? error.code : String(error);
}

async function fixtureOf(open: OpenWarehouse, where: string | null = null): Promise<OpenFixture> {
  return open({
    tables: [raw, target],
    processors: { points: { table: table("stats.scores"), where } },
  });
}

function requestOf(
  fixture: OpenFixture,
  overrides: Partial<Omit<ReplaceRequest, "dates">> & { dates?: string[] } = {},
) {
  const { dates = ["2024-01-01", "2024-01-02"], ...rest } = overrides;
  return {
    processor: fixture.processor("points"),
    sql: select,
    leaveNull: ["player", "points", "note"],
    audit: null,
    token: 10,
    repairId: "r1",
    timeoutMs: 100_000,
    signal: new AbortController().signal,
    ...rest,
    dates: dates.map(parseIsoDate),
  };
}

const untouched = [
  ["2024-01-02", "old", "1", "kept by nobody"],
  ["2024-01-03", "old", "1", "kept"],
  ["2024-01-05", "other", "1", "kept"],
];

export function describeReplacement(open: OpenWarehouse): void {
  describe("replacing dates", () => {
    test("puts the SELECT's rows by name in place of what the dates held, and nothing else", async () => {
      const fixture = await fixtureOf(open);
      const result = await fixture.warehouse.replaceDates(requestOf(fixture));
      expect(result).toEqual({ rowsDeleted: 1, rowsInserted: 4, refused: [] });
      expect(await fixture.read(all)).toEqual([
        ["2024-01-01", "ann", "10", null],
        ["2024-01-01", "bob", "20", null],
        ["2024-01-02", "ann", "10", null],
        ["2024-01-02", "bob", "20", null],
        ["2024-01-03", "old", "1", "kept"],
        ["2024-01-05", "other", "1", "kept"],
      ]);
    });

    test("leaves the dates inside its range that were not asked for as they are", async () => {
      const fixture = await fixtureOf(open);
      const request = requestOf(fixture, { dates: ["2024-01-02", "2024-01-04"] });
      expect(await fixture.warehouse.replaceDates(request)).toEqual({
        rowsDeleted: 1,
        rowsInserted: 4,
        refused: [],
      });
      expect(
        await fixture.read("select player from stats.scores where game_date = date '2024-01-03'"),
      ).toEqual([["old"]]);
    });

    test("reads the table as it was before, and done twice gives the same", async () => {
      const fixture = await fixtureOf(open);
      const sql =
        "select distinct game_date, player, points, note from stats.scores where game_date <= $end_date";
      for (const repairId of ["r1", "r2"]) {
        const token = repairId === "r1" ? 10 : 11;
        const request = requestOf(fixture, { sql, dates: ["2024-01-02"], repairId, token });
        expect(await fixture.warehouse.replaceDates(request)).toEqual({
          rowsDeleted: 1,
          rowsInserted: 1,
          refused: [],
        });
      }
      expect(await fixture.read(all)).toEqual(untouched);
    });

    test("of a shared table touches only the rows of the processor's where", async () => {
      const fixture = await fixtureOf(open, "player <> 'old'");
      expect(await fixture.warehouse.replaceDates(requestOf(fixture))).toEqual({
        rowsDeleted: 0,
        rowsInserted: 4,
        refused: [],
      });
      const onDate = await fixture.read(
        "select player from stats.scores where game_date = date '2024-01-02' order by 1",
      );
      expect(onDate).toEqual([["ann"], ["bob"], ["old"]]);
    });

    test.each([
      ["a column that the table has not", "select d as game_date, points as score from raw.scores", "score"],
      [
        "a column twice",
        "select d as game_date, points, points from raw.scores where d <= $end_date",
        "points",
      ],
      ["no date column", "select player from raw.scores", "game_date"],
      ["rows outside the range", "select d as game_date, player from raw.scores", "2024-01-04"],
      ["a row without a date", "select cast(null as date) as game_date, 'x' as player", "NULL"],
      ["two statements", `${select}; delete from raw.scores`, "second statement"],
      ["a parameter of its own", "select d as game_date from raw.scores where d = $day", "$day"],
    ])("refuses a SELECT with %s and writes nothing", async (_, sql, says) => {
      const fixture = await fixtureOf(open);
      const replacing = fixture.warehouse.replaceDates(requestOf(fixture, { sql }));
      await expect(replacing).rejects.toMatchObject({ code: "repair_contract", hint: expect.any(String) });
      await expect(replacing).rejects.toThrow(says);
      expect(await fixture.read(all)).toEqual(untouched);
      expect(await fixture.read("select count(*) from raw.scores")).toEqual([["8"]]);
      const cells = [{ processor: "points", date: parseIsoDate("2024-01-01") }];
      expect(await fixture.warehouse.lastFence(cells)).toBe(0);
    });

    test("refuses rows that the processor would not own", async () => {
      const fixture = await fixtureOf(open, "player <> 'bob'");
      const replacing = fixture.warehouse.replaceDates(requestOf(fixture));
      await expect(replacing).rejects.toMatchObject({ code: "repair_contract" });
      expect(await fixture.read(all)).toEqual(untouched);
    });

    test("refuses a table that does not exist", async () => {
      const fixture = await open({ tables: [raw], processors: { points: { table: table("stats.scores") } } });
      const replacing = fixture.warehouse.replaceDates(requestOf(fixture));
      await expect(replacing).rejects.toMatchObject({ code: "repair_contract" });
    });

    test("writes nothing where the SELECT fails", async () => {
      const fixture = await fixtureOf(open);
      const sql = "select cast(player as date) as game_date from raw.scores where d <= $end_date";
      const replacing = fixture.warehouse.replaceDates(requestOf(fixture, { sql }));
      await expect(replacing).rejects.toMatchObject({ code: "warehouse_query_failed" });
      expect(await fixture.read(all)).toEqual(untouched);
    });

    test("writes nothing for one who was called off before", async () => {
      const fixture = await fixtureOf(open);
      const replacing = fixture.warehouse.replaceDates(requestOf(fixture, { signal: AbortSignal.abort() }));
      await expect(replacing).rejects.toMatchObject({ code: "interrupted" });
      expect(await fixture.read(all)).toEqual(untouched);
    });
  });

  describe("the fence", () => {
    const cell = (date: string) => ({ processor: "points", date: parseIsoDate(date) });

    test("is 0 before the first repair, then the largest token of any of the cells", async () => {
      const fixture = await fixtureOf(open);
      expect(await fixture.warehouse.lastFence([cell("2024-01-01")])).toBe(0);
      await fixture.warehouse.replaceDates(requestOf(fixture, { token: 1_700_000_000_123_456 }));
      await fixture.warehouse.replaceDates(requestOf(fixture, { dates: ["2024-01-03"], token: 7 }));
      expect(await fixture.warehouse.lastFence([cell("2024-01-03"), cell("2024-01-04")])).toBe(7);
      const both = [cell("2024-01-02"), cell("2024-01-03")];
      expect(await fixture.warehouse.lastFence(both)).toBe(1_700_000_000_123_456);
      expect(await fixture.warehouse.lastFence([{ ...cell("2024-01-02"), processor: "other" }])).toBe(0);
    });

    test("refuses a late token of any of its cells, and then none of them is written", async () => {
      const fixture = await fixtureOf(open);
      await fixture.warehouse.replaceDates(requestOf(fixture, { dates: ["2024-01-02"], token: 20 }));
      const before = await fixture.read(all);
      const late = requestOf(fixture, { dates: ["2024-01-01", "2024-01-02"], token: 19, repairId: "late" });
      await expect(fixture.warehouse.replaceDates(late)).rejects.toMatchObject({
        code: "fence_refused",
        message: expect.stringContaining("20"),
      });
      expect(await fixture.read(all)).toEqual(before);
      expect(await fixture.warehouse.lastFence([cell("2024-01-01")])).toBe(0);
    });

    test("lets the same repair try again with its token, and no other", async () => {
      const fixture = await fixtureOf(open);
      await fixture.warehouse.replaceDates(requestOf(fixture));
      await fixture.warehouse.replaceDates(requestOf(fixture));
      const twin = requestOf(fixture, { repairId: "twin" });
      await expect(fixture.warehouse.replaceDates(twin)).rejects.toMatchObject({ code: "fence_refused" });
    });

    test("of repairs that run at once the largest token wins, once, and nothing is doubled", async () => {
      const fixture = await fixtureOf(open);
      const tokens = [3, 8, 1, 6, 2, 7, 5, 4];
      const runs = tokens.map((token) =>
        fixture.warehouse.replaceDates(
          requestOf(fixture, {
            token,
            repairId: `r${token}`,
            sql: `select d as game_date, player, ${token} as points from raw.scores where d between $start_date and $end_date`,
          }),
        ),
      );
      const ends = await Promise.allSettled(runs);
      const codes = ends.map((end) => (end.status === "fulfilled" ? "written" : codeOf(end.reason)));
      expect(codes.filter((code) => code !== "written" && code !== "fence_refused")).toEqual([]);
      expect(codes[1]).toBe("written");
      const written = await fixture.read(
        "select points, count(*) from stats.scores where game_date < date '2024-01-03' group by 1",
      );
      expect(written).toEqual([["8", "4"]]);
    });

    test("lets repairs of different dates of one table run at once", async () => {
      const fixture = await fixtureOf(open);
      const dates = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"];
      await Promise.all(
        dates.map((date) =>
          fixture.warehouse.replaceDates(requestOf(fixture, { dates: [date], repairId: date })),
        ),
      );
      const written = await fixture.read("select count(*), count(distinct player) from stats.scores");
      expect(written).toEqual([["9", "3"]]);
    });
  });
}
