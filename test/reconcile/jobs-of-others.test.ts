// Method: a real DuckDB warehouse and ledger, and a session that looked before another process wrote to the ledger.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createInlineCellLock } from "../../src/adapters/inline/cell-lock.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { RepairEnd, RepairStart } from "../../src/core/ledger-records.ts";
import { plan } from "../../src/core/plan.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { runJob } from "../../src/reconcile/repair.ts";
import { everything, type SelectionSpec } from "../../src/reconcile/selection.ts";
import { Session } from "../../src/reconcile/session.ts";
import { withTempWarehouse } from "../support/duckdb.ts";
import { repairStart } from "../support/ledger.ts";
import { elsewhere } from "../support/running-daemon.ts";
import { composeShop } from "../support/shop-pipeline.ts";

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-04' + i::integer as day from range(2) as r (i)",
  "create table shop.orders as select day from shop.days where day <> date '2024-01-05'",
];

/**
 * Plans the one job that there is, has another process do something, and runs the job with what was known before, in a process of
 * the selection.
 */
async function runAfter(
  meanwhile: (context: ReconcileContext) => Promise<void>,
  selection: SelectionSpec = everything,
) {
  return withTempWarehouse(statements, async ({ folder }) => {
    await writeFile(
      join(folder, "orders.sql"),
      "select day from shop.days where day between $start_date and $end_date",
    );
    const app = await composeShop(
      folder,
      "processors: { orders: { table: shop.orders, date_column: day, repair: { sql_file: orders.sql } } }\n",
    );
    const context = { ...app.context, lock: createInlineCellLock() };
    await context.ledger.create();
    const policy = { asOf: null, maxAgeMs: null, sharesJobs: true, horizon: "moving" } as const;
    const planner = new Session(context, { ...policy, selection: everything });
    const session = new Session(context, { ...policy, selection });
    await planner.refresh();
    await session.refresh();
    const limits = { jobsMax: 1, cellsMax: 1, recentSlots: 0, slots: true };
    const [job] = plan(planner.assess(), limits);
    if (job === undefined) throw new Error("expected a job");
    await meanwhile(context);
    const started: RepairStart[] = [];
    const events = {
      started: (start: RepairStart) => void started.push(start),
      verified: () => undefined,
      ended: () => undefined,
      unconfirmed: () => undefined,
    };
    const never = new AbortController().signal;
    const result = await runJob(context, session, job, "cycle-1", events, { stop: never, cancel: never });
    await app.close();
    return { result, started };
  });
}

function startElsewhere(token: number): RepairStart {
  const now = Date.now();
  return repairStart("orders", [parseIsoDate("2024-01-05")], {
    token,
    startedAt: now,
    deadlineAt: now + 3_600_000,
    worker: elsewhere,
  });
}

test("a run that another process began since the last look, and that may go on beyond its lock, is not begun a second time", async () => {
  const { result, started } = await runAfter(({ ledger }) => ledger.recordStart(startElsewhere(1)));
  expect(result.kind).toBe("skipped");
  expect(started).toEqual([]);
}, 60_000);

test("the token is larger than that of a run since the last look, also where the lock servers forgot it and their clock is behind", async () => {
  const token = Date.now() * 1000 + 3_600_000_000;
  const { started } = await runAfter(async ({ ledger }) => {
    const start = startElsewhere(token);
    await ledger.recordStart(start);
    const { repairId, repair, processors, dates, attempt, startedAt } = start;
    const end: RepairEnd = {
      repairId,
      repair,
      processors,
      dates,
      attempt,
      startedAt,
      endedAt: startedAt,
      outcome: "failed",
      systemic: null,
      errorCode: null,
      message: null,
      logTail: null,
      cells: [],
    };
    await ledger.recordEnd(end);
  });
  expect(started.map((start) => start.token)).toEqual([token + 1]);
}, 60_000);

test("a job of another process is run whatever this one was asked for", async () => {
  const before = { ...everything, endDate: parseIsoDate("2024-01-04") };
  const { result } = await runAfter(() => Promise.resolve(), before);
  expect(result.kind).toBe("ran");
}, 60_000);
