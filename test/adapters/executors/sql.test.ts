import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import type { SqlAction } from "../../../src/core/repair-action.ts";
import { type ErrorCode, ReconcilerError } from "../../../src/errors.ts";
import type { Warehouse } from "../../../src/reconcile/ports.ts";
import { queryFile } from "../../support/duckdb.ts";
import { idleWarehouse, processorNamed, realClock, requestFor } from "./fixtures.ts";

const scores = processorNamed("scores");
let folder: string;
let path: string;
let warehouse: Warehouse;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sql-"));
  path = join(folder, "warehouse.duckdb");
  await query("create table scores (d date not null, n integer)");
  warehouse = createDuckDbWarehouse({ path, timezone: "UTC", processors: [scores], schedules: [] });
});
afterEach(async () => {
  await warehouse.close();
  rmSync(folder, { recursive: true, force: true });
});

const query = (statement: string) => queryFile(path, statement);

function action(sql: string): SqlAction {
  return { kind: "sql", file: "repairs/scores.sql", sql, publish: "if_better", leaveNull: [] };
}

const fill = action(
  "select d::date as d, 7 as n from unnest([$start_date::date, $end_date::date]) as dates(d)",
);

function runOn(target: Pick<Warehouse, "released" | "replaceDates">, what: SqlAction, token = 10) {
  const executors = createExecutors({ warehouse: target, secrets: [], clock: realClock });
  return executors.run(requestFor(what, { processors: [scores], token }));
}

describe("the sql executor", () => {
  it("replaces the dates and says how many rows it deleted and inserted", async () => {
    await query("insert into scores values ('2024-01-30', 1), ('2024-01-31', 1)");
    expect(await runOn(warehouse, fill)).toEqual({
      kind: "succeeded",
      logTail: "1 rows deleted, 2 rows inserted",
      refused: [],
    });
    expect(await query("select d::varchar, n from scores order by d")).toEqual([
      ["2024-01-30", 7],
      ["2024-01-31", 1],
      ["2024-02-01", 7],
    ]);
  });

  it("says in its log which dates it left as they were, and why, without secrets", async () => {
    const refused = [{ date: parseIsoDate("2024-01-30"), reason: "it has hush rows" }];
    const audited = {
      ...idleWarehouse,
      replaceDates: () => Promise.resolve({ rowsDeleted: 3, rowsInserted: 4, refused }),
    };
    const executors = createExecutors({ warehouse: audited, secrets: ["hush"], clock: realClock });
    const told = [{ date: "2024-01-30", reason: expect.stringMatching(/^it has (?!hush)\S+ rows$/) }];
    const result = await executors.run(requestFor(fill, { processors: [scores] }));
    expect(result).toMatchObject({ kind: "succeeded", refused: told });
    expect(result.logTail).toMatch(
      /^2024-01-30 not published: it has (?!hush)\S+ rows\n3 rows deleted, 4 rows inserted$/,
    );
  });

  it("is fenced off by a larger token, and writes nothing", async () => {
    await runOn(warehouse, action("select $start_date as d, 1 as n"), 20);
    expect(await runOn(warehouse, fill, 19)).toMatchObject({
      kind: "failed",
      classification: "fenced",
      errorCode: "fence_refused",
    });
    expect(await query("select n from scores")).toEqual([[1]]);
  });

  it.each([
    ["select from where", "a syntax error"],
    ["select nothing as d", "a column that does not exist"],
    ["select * from no_such_table", "a table that does not exist"],
    ["select date '1999-01-01' as d, 1 as n", "rows of other dates"],
  ])("reads %s as permanent: %s", async (sql) => {
    expect(await runOn(warehouse, action(sql))).toMatchObject({
      kind: "failed",
      classification: "permanent",
    });
  });

  it.each<[ErrorCode, string]>([
    ["warehouse_locked", "retryable"],
    ["write_failed", "retryable"],
    ["repair_contract", "permanent"],
    ["write_conflict", "fenced"],
    ["warehouse_credentials", "systemic"],
    ["warehouse_quota", "systemic"],
    ["warehouse_unavailable", "systemic"],
  ])("reads %s of the warehouse as %s", async (code, classification) => {
    const error = new ReconcilerError(code, "it did not work");
    const broken = { ...idleWarehouse, replaceDates: () => Promise.reject(error) };
    expect(await runOn(broken, fill)).toMatchObject({
      kind: "failed",
      classification,
      errorCode: code,
      message: "repairs/scores.sql: it did not work",
    });
  });

  it("does not wait for ever for a warehouse that cannot stop a statement", async () => {
    const deaf = { ...idleWarehouse, replaceDates: () => new Promise<never>(() => {}) };
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const running = runOn(deaf, fill);
    await vi.advanceTimersByTimeAsync(25_000);
    expect((await running).kind).toBe("timed_out");
  });
});
