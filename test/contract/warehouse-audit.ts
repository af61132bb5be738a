import { describe, expect, test } from "vitest";
import type { StagedAudit } from "../../src/core/audit.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { Profile } from "../../src/core/observation.ts";
import type { ReplaceRequest } from "../../src/reconcile/ports.ts";
import type { ExpectationSketch } from "../support/pipeline.ts";
import {
  type CellValue,
  type OpenFixture,
  type OpenWarehouse,
  profileOf,
  table,
  type TableFixture,
} from "./warehouse-fixture.ts";

const dates = ["2024-01-01", "2024-01-02", "2024-01-03"];
/** Of the second date one row is twice, one has no points and one fails the check. */
const raw: TableFixture = {
  name: "raw.scores",
  columns: { d: "date", player: "string", points: "int", quality: "float" },
  rows: [
    ...dates.flatMap((date): CellValue[][] => [
      [date, "ann", 10, 95],
      [date, "bob", 20, 60],
    ]),
    ["2024-01-02", "bob", 20, 60],
    ["2024-01-02", "cid", null, 95],
    ["2024-01-02", "dan", -1, 95],
  ],
};
const target: TableFixture = {
  name: "stats.scores",
  columns: { game_date: "date", player: "string", points: "int", quality: "float" },
  rows: dates.map((date): CellValue[] => [date, "old", 1, 50]),
};
const rosters: TableFixture = {
  name: "raw.rosters",
  columns: { game_date: "date", player: "string" },
  rows: dates.flatMap((date) => ["ann", "bob", "eve"].map((player): CellValue[] => [date, player])),
};
const log: TableFixture = {
  name: "ops.log",
  columns: { data_date: "date" },
  rows: [["2024-01-03"], ["2024-01-04"]],
};

const select =
  "select d as game_date, player, points, quality from raw.scores where d >= $start_date and d < $end_date_exclusive";

const everything: ExpectationSketch = {
  rows: {
    perEntity: { of: "rosters", key: "player", min: 1 },
    completionLog: {
      table: table("ops.log"),
      dateColumn: "data_date",
      dateFormat: null,
      columnTimezone: null,
      where: null,
      rowsColumn: null,
    },
  },
  coverage: {
    of: { kind: "processor", name: "rosters" },
    key: "player",
    ofKey: "player",
    min: 0.9,
    excusedBy: null,
    extra: null,
  },
  uniqueKeys: [["game_date", "player"]],
  notNull: [{ column: "points", maxRatio: 0 }],
  checks: [{ name: "positive", sql: "points > 0" }],
  measures: [{ name: "mean", sql: "sum(points) / count(*)", min: 1, max: null }],
  quality: { column: "quality", good: 90, ok: 70, degraded: 50, minGoodShare: 0.8, afterDays: 0 },
};

async function fixtureOf(
  open: OpenWarehouse,
  {
    expect: expectation = everything,
    where = null,
  }: { expect?: ExpectationSketch; where?: string | null } = {},
): Promise<OpenFixture> {
  return open({
    tables: [raw, target, rosters, log],
    processors: {
      scores: { table: table("stats.scores"), expect: expectation, where },
      rosters: { table: table("raw.rosters") },
    },
  });
}

function requestOf(fixture: OpenFixture, overrides: Partial<ReplaceRequest> = {}): ReplaceRequest {
  return {
    processor: fixture.processor("scores"),
    sql: select,
    leaveNull: [],
    audit: null,
    dates: dates.map(parseIsoDate),
    token: 10,
    repairId: "r1",
    timeoutMs: 100_000,
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** Refuses some dates, and keeps what it was shown. */
function auditOf(...refused: readonly string[]): { audit: StagedAudit; seen: Profile[] } {
  const seen: Profile[] = [];
  const audit: StagedAudit = (staged) => {
    seen.push(staged);
    return refused.map((date) => ({ date: parseIsoDate(date), reason: "it would be worse" }));
  };
  return { audit, seen };
}

async function rowsByDate({ read }: OpenFixture): Promise<readonly (readonly (string | null)[])[]> {
  return read("select game_date, count(*) from stats.scores group by 1 order by 1");
}

export function describeAudit(open: OpenWarehouse): void {
  describe("the audit of a repair", () => {
    test("sees the numbers of the staged rows that the profile has of them once they are written", async () => {
      const fixture = await fixtureOf(open);
      const { audit, seen } = auditOf();
      await fixture.warehouse.replaceDates(requestOf(fixture, { audit }));
      const range = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-03") };
      const profiled = await fixture.warehouse.profile({ processors: [fixture.processor("scores")], range });
      expect(seen).toEqual([profileOf(profiled.processors.get("scores"))]);
      const [staged] = seen;
      expect(staged?.rows).toEqual(Float64Array.of(2, 5, 2));
      expect(staged?.entities).toEqual(Float64Array.of(2, 4, 2));
    });

    test("leaves the dates that it refuses as they are, writes the others, and fences all of them", async () => {
      const fixture = await fixtureOf(open);
      const { audit } = auditOf("2024-01-02");
      expect(await fixture.warehouse.replaceDates(requestOf(fixture, { audit }))).toEqual({
        rowsDeleted: 2,
        rowsInserted: 4,
        refused: [{ date: "2024-01-02", reason: "it would be worse" }],
      });
      expect(await rowsByDate(fixture)).toEqual([
        ["2024-01-01", "2"],
        ["2024-01-02", "1"],
        ["2024-01-03", "2"],
      ]);
      expect(
        await fixture.read("select player from stats.scores where game_date = date '2024-01-02'"),
      ).toEqual([["old"]]);
      const cell = { processor: "scores", date: parseIsoDate("2024-01-02") };
      expect(await fixture.warehouse.lastFence([cell])).toBe(10);
    });

    test("that refuses every date writes none, and fences them", async () => {
      const fixture = await fixtureOf(open);
      const { audit } = auditOf(...dates);
      expect(await fixture.warehouse.replaceDates(requestOf(fixture, { audit }))).toMatchObject({
        rowsDeleted: 0,
        rowsInserted: 0,
      });
      expect(await fixture.read("select distinct player from stats.scores")).toEqual([["old"]]);
      expect(
        await fixture.warehouse.lastFence([{ processor: "scores", date: parseIsoDate("2024-01-01") }]),
      ).toBe(10);
    });

    test("sees no date for which the SELECT returned nothing", async () => {
      const fixture = await fixtureOf(open, { expect: {} });
      const { audit, seen } = auditOf();
      const sql = `${select} and d <> date '2024-01-02'`;
      await fixture.warehouse.replaceDates(requestOf(fixture, { sql, audit }));
      expect(seen[0]?.days).toHaveLength(2);
      expect(await rowsByDate(fixture)).toHaveLength(2);
    });

    test("sees NULL in columns that are left out", async () => {
      const notNull = ["points", "quality"].map((column) => ({ column, maxRatio: 0 }));
      const fixture = await fixtureOf(open, { expect: { notNull } });
      const { audit, seen } = auditOf();
      const sql = select.replace(", quality", "");
      await fixture.warehouse.replaceDates(requestOf(fixture, { sql, audit, leaveNull: ["quality"] }));
      expect(seen[0]?.metrics).toEqual([Float64Array.of(0, 1, 0), Float64Array.of(2, 5, 2)]);
    });

    test("does not see rows that the processor would not own: they are refused before", async () => {
      const fixture = await fixtureOf(open, { expect: {}, where: "player <> 'dan'" });
      const { audit, seen } = auditOf();
      await expect(fixture.warehouse.replaceDates(requestOf(fixture, { audit }))).rejects.toMatchObject({
        code: "repair_contract",
        message: expect.stringMatching(/player <> 'dan'.*found 1 that do not/),
      });
      expect(seen).toEqual([]);
    });
  });

  describe("a SELECT that leaves out columns", () => {
    const short = "select d as game_date, player from raw.scores where d between $start_date and $end_date";

    test("is refused before anything is written, and names each of them and both remedies", async () => {
      const fixture = await fixtureOf(open, { expect: {} });
      const request = requestOf(fixture, { sql: short });
      const refusal = {
        message: expect.stringMatching(/without points, quality; nothing was written$/),
        hint: expect.stringMatching(/add them to the SELECT.*leave_null: \[points, quality\]/),
      };
      await expect(fixture.warehouse.replaceDates(request)).rejects.toMatchObject({
        code: "repair_contract",
        ...refusal,
      });
      expect(await fixture.read("select distinct player from stats.scores")).toEqual([["old"]]);
      expect(await fixture.warehouse.checkRepair(request)).toMatchObject(refusal);
    });

    test("may leave out those that are named, whatever their case, and no others", async () => {
      const fixture = await fixtureOf(open, { expect: {} });
      const one = requestOf(fixture, { sql: short, leaveNull: ["POINTS"] });
      expect(await fixture.warehouse.checkRepair(one)).toMatchObject({
        message: expect.stringContaining("without quality"),
      });
      const both = { ...one, leaveNull: ["points", "Quality"] };
      expect(await fixture.warehouse.checkRepair(both)).toBeNull();
      expect(await fixture.warehouse.replaceDates(both)).toMatchObject({ rowsDeleted: 3, rowsInserted: 9 });
      expect(await fixture.read("select distinct points, quality from stats.scores")).toEqual([[null, null]]);
    });

    test("is refused where it names a column that the table does not have", async () => {
      const fixture = await fixtureOf(open, { expect: {} });
      const request = requestOf(fixture, { leaveNull: ["note"] });
      await expect(fixture.warehouse.replaceDates(request)).rejects.toMatchObject({
        code: "repair_contract",
        message: expect.stringMatching(/in leave_null, found note/),
      });
      expect(await fixture.warehouse.checkRepair(request)).not.toBeNull();
    });
  });
}
