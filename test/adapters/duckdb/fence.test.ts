// The rule that this proves: a token is refused also where its transaction began before a newer one was committed, because
// the fence is written and not only read. The steps of two transactions are interleaved by hand.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readCatalog } from "../../../src/adapters/duckdb/catalog.ts";
import { type Database, openDatabase } from "../../../src/adapters/duckdb/database.ts";
import { createFence, FenceConflict, fenceOf, writeFence } from "../../../src/adapters/duckdb/fence.ts";
import { replaceDates } from "../../../src/adapters/duckdb/replace-dates.ts";
import type { Session } from "../../../src/adapters/duckdb/session.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { makeTempWarehouse, type TempWarehouse } from "../../support/duckdb.ts";
import { pipelineOf } from "../../support/pipeline.ts";

const date = parseIsoDate("2024-01-02");
const { processors } = pipelineOf({ processors: { points: { table: { parts: ["stats", "points"] } } } });
const points = processors[0];

let warehouse: TempWarehouse;
let database: Database;
let older: Session;
let newer: Session;
beforeEach(async () => {
  warehouse = await makeTempWarehouse([
    "create schema stats",
    "create table stats.points (game_date date, v int)",
  ]);
  database = await openDatabase({ path: warehouse.path, mode: "read_write", lockWaitMs: 5_000 });
  older = await database.connect();
  newer = await database.connect();
  await createFence(older);
});
afterEach(async () => {
  database.close();
  await warehouse.remove();
});

const claim = (token: number) => ({ processor: "points", dates: [date], token, repairId: `r${token}` });
/** What an audit would profile staged rows with; none is asked for here. */
const replacing = {
  timezone: "UTC",
  contextOf: () => Promise.reject(new Error("expected no audit")),
};
const fence = async (session: Session) => fenceOf(await readCatalog(session));
const replace = (session: Session, token: number) => {
  if (points === undefined) throw new Error("the sketch has one processor");
  return replaceDates(
    session,
    {
      processor: points,
      sql: `select $start_date as game_date, ${token} as v`,
      leaveNull: [],
      audit: null,
      dates: [date],
      token,
      repairId: `r${token}`,
      timeoutMs: 100_000,
      signal: new AbortController().signal,
    },
    replacing,
  );
};

describe("a transaction that began before a newer token was committed", () => {
  test.each([
    ["on a cell that was never written", false],
    ["on a cell that was written before", true],
  ])("cannot write its fence %s, and is refused when it tries again", async (_, writtenBefore) => {
    if (writtenBefore) await replace(newer, 5);
    const table = await fence(older);
    await older.run("begin transaction");
    // The first read fixes what this transaction can see.
    await older.run("select count(*) from stats.points");
    await replace(newer, 20);
    await expect(writeFence(older, table, claim(10), {})).rejects.toBeInstanceOf(FenceConflict);
    await older.run("rollback");
    await expect(replace(older, 10)).rejects.toMatchObject({ code: "fence_refused" });
    expect((await newer.run("select v from stats.points")).numbers(0)).toEqual(Float64Array.of(20));
  });
});

describe("two transactions that write the fence of one cell for the first time", () => {
  test("cannot both be committed, and the newer one need not wait for the older", async () => {
    await older.run("begin transaction");
    await writeFence(older, await fence(older), claim(10), {});
    await older.run("insert into stats.points values (date '2024-01-02', 10)");
    await replace(newer, 20);
    await expect(older.run("commit")).rejects.toMatchObject({ type: "TransactionContext" });
    expect((await newer.run("select v from stats.points")).numbers(0)).toEqual(Float64Array.of(20));
  });
});

describe("two transactions that write the fence of one cell again", () => {
  beforeEach(() => replace(newer, 5));

  test("the newer one waits for the older to end, and then takes over", async () => {
    const table = await fence(older);
    await older.run("begin transaction");
    await writeFence(older, table, claim(10), {});
    const waiting = replace(newer, 20);
    await older.run("update stats.points set v = 10");
    await older.run("commit");
    expect(await waiting).toEqual({ rowsDeleted: 1, rowsInserted: 1, refused: [] });
    expect((await newer.run("select v from stats.points")).numbers(0)).toEqual(Float64Array.of(20));
  });

  test("the older one is refused when the newer wrote first, even uncommitted", async () => {
    const table = await fence(older);
    await newer.run("begin transaction");
    await writeFence(newer, table, claim(20), {});
    const waiting = replace(older, 10);
    await newer.run("update stats.points set v = 20");
    await newer.run("commit");
    await expect(waiting).rejects.toMatchObject({ code: "fence_refused" });
    expect((await newer.run("select v from stats.points")).numbers(0)).toEqual(Float64Array.of(20));
  });

  test("one whose rival never ends gives up at its time limit", async () => {
    const table = await fence(older);
    await older.run("begin transaction");
    await writeFence(older, table, claim(10), {});
    if (points === undefined) throw new Error("the sketch has one processor");
    const waiting = replaceDates(
      newer,
      {
        processor: points,
        sql: "select $start_date as game_date, 1 as v",
        leaveNull: [],
        audit: null,
        dates: [date],
        token: 20,
        repairId: "r20",
        timeoutMs: 150,
        signal: new AbortController().signal,
      },
      replacing,
    );
    await expect(waiting).rejects.toMatchObject({ code: "warehouse_timeout" });
  });
});
