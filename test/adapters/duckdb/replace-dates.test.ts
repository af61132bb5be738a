import { afterEach, beforeEach, expect, test } from "vitest";
import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import type { ReplaceRequest } from "../../../src/reconcile/ports.ts";
import { makeTempWarehouse, type TempWarehouse } from "../../support/duckdb.ts";
import { expectationOf, pipelineOf, type ProcessorSketch } from "../../support/pipeline.ts";

let file: TempWarehouse;
beforeEach(async () => {
  file = await makeTempWarehouse([
    "create schema stats",
    `create table stats.points (
      game_date date not null, player varchar not null, points int default 7, primary key (game_date, player))`,
    "insert into stats.points values ('2024-01-02', 'ann', 1), ('2024-01-02', 'bob', 1), ('2024-01-03', 'ann', 1)",
  ]);
});
afterEach(() => file.remove());

function replace(sketch: ProcessorSketch, request: Partial<ReplaceRequest>) {
  const { processors } = pipelineOf({
    processors: { points: { table: { parts: ["stats", "points"] }, ...sketch } },
  });
  const [processor] = processors;
  if (processor === undefined) throw new Error("the sketch has one processor");
  const warehouse = createDuckDbWarehouse({
    path: file.path,
    timezone: "America/New_York",
    processors,
    schedules: [],
  });
  return warehouse.replaceDates({
    processor,
    sql: "select $start_date as game_date, 'ann' as player",
    leaveNull: ["points"],
    audit: null,
    dates: [parseIsoDate("2024-01-02")],
    token: 10,
    repairId: "r1",
    timeoutMs: 100_000,
    signal: new AbortController().signal,
    ...request,
  });
}

const all = "select game_date, player, points from stats.points order by all";
const before = [
  ["2024-01-02", "ann", "1"],
  ["2024-01-02", "bob", "1"],
  ["2024-01-03", "ann", "1"],
];

test("a table with a primary key gets the same keys again, and columns left out their defaults", async () => {
  expect(await replace({}, {})).toEqual({ rowsDeleted: 2, rowsInserted: 1, refused: [] });
  expect(await file.read(all)).toEqual([
    ["2024-01-02", "ann", "7"],
    ["2024-01-03", "ann", "1"],
  ]);
});

test.each([
  ["a key twice", "select unnest([$start_date, $start_date]) as game_date, 'ann' as player"],
  ["NULL where it may not be", "select $start_date as game_date, null as player"],
  ["a text where a number belongs", "select $start_date as game_date, 'x' as player, 'many' as points"],
])("rows that the table refuses for %s leave it as it was", async (_, sql) => {
  await expect(replace({}, { sql })).rejects.toMatchObject({
    code: "write_failed",
    message: expect.stringContaining("stats.points"),
  });
  expect(await file.read(all)).toEqual(before);
});

const slow = `select $start_date as game_date, count(*)::varchar as player
  from range(1000000000000) r where md5(r.range::varchar) = ''`;

test("a SELECT that runs too long is stopped and nothing is written", async () => {
  await expect(replace({}, { sql: slow, timeoutMs: 100 })).rejects.toMatchObject({
    code: "warehouse_timeout",
  });
  expect(await file.read(all)).toEqual(before);
});

test("a SELECT that is called off is stopped and nothing is written", async () => {
  // The fence is there from a repair before, however early this one is called off.
  await replace({}, { token: 7, sql: "select * from stats.points where game_date = $start_date" });
  const signal = AbortSignal.timeout(100);
  await expect(replace({}, { sql: slow, signal })).rejects.toMatchObject({ code: "interrupted" });
  expect(await file.read(all)).toEqual(before);
  expect(await file.read("select token from gap_reconciler.fence")).toEqual([["7"]]);
});

test("a table dated by an instant is replaced by the dates of the pipeline's time zone", async () => {
  await file.write([
    "create table stats.events (happened timestamptz, what varchar)",
    `insert into stats.events values
      ('2024-01-02 04:59:59+00', 'day before'), ('2024-01-02 05:00:00+00', 'first'),
      ('2024-01-03 04:59:59+00', 'last'), ('2024-01-03 05:00:00+00', 'day after')`,
  ]);
  const result = await replace(
    { table: { parts: ["stats", "events"] }, dateColumn: "happened" },
    { sql: "select timestamptz '2024-01-03 03:00:00+00' as happened, 'new' as what", leaveNull: [] },
  );
  expect(result).toEqual({ rowsDeleted: 2, rowsInserted: 1, refused: [] });
  expect(await file.read("select what from stats.events order by happened")).toEqual([
    ["day before"],
    ["new"],
    ["day after"],
  ]);
});

test("a view is refused before anything is written, by the check too", async () => {
  await file.write(["create view stats.shown as select * from stats.points"]);
  const shown = { table: { parts: ["stats", "shown"] } };
  await expect(replace(shown, {})).rejects.toMatchObject({
    code: "repair_contract",
    message: expect.stringMatching(/expected stats\.shown to be a table, found a view/),
  });
  expect(await file.read(all)).toEqual(before);
});

test("a column that the table computes needs no value, and the audit sees it and every default", async () => {
  await file.write([
    "create table stats.sums (game_date date, a int, b int default 5, total int as (a + b), made timestamptz default now())",
  ]);
  const seen: unknown[] = [];
  await replace(
    {
      table: { parts: ["stats", "sums"] },
      expect: expectationOf({
        notNull: [{ column: "b", maxRatio: 0 }],
        checks: [{ name: "total", sql: "total = 7" }],
      }),
    },
    {
      sql: "select $start_date as game_date, unnest([1, 2]) as a",
      leaveNull: ["b", "made"],
      audit: ({ metrics }) => {
        seen.push(metrics.map((column) => [...column]));
        return [];
      },
    },
  );
  expect(seen).toEqual([[[0], [1]]]);
  expect(await file.read("select a, b, total from stats.sums order by a")).toEqual([
    ["1", "5", "6"],
    ["2", "5", "7"],
  ]);
});

test("rows that cannot be given the table's types refuse the repair before their audit", async () => {
  const sql = "select $start_date as game_date, 'ann' as player, 'many' as points";
  const audit = () => [];
  const checks = [{ name: "few", sql: "points < 10" }];
  await expect(replace({ expect: expectationOf({ checks }) }, { sql, audit })).rejects.toMatchObject({
    code: "write_failed",
    message: expect.stringMatching(/many.*nothing was written/),
  });
  expect(await file.read(all)).toEqual(before);
});

test("a date given as text is read as a date, and one that is none breaks the contract", async () => {
  expect(await replace({}, { sql: "select '2024-01-02' as game_date, 'x' as player" })).toEqual({
    rowsDeleted: 2,
    rowsInserted: 1,
    refused: [],
  });
  await expect(
    replace({}, { sql: "select 'soon' as game_date, 'x' as player", token: 11 }),
  ).rejects.toMatchObject({ code: "repair_contract" });
});
