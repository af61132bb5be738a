// Method: a real ledger that holds a start whose deadline passed, and a session that settles it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromDay } from "../../src/core/iso-date.ts";
import type { RepairEnd } from "../../src/core/ledger-records.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { Warehouse } from "../../src/reconcile/ports.ts";
import { lookAndSettleLost, settleLost } from "../../src/reconcile/lost-starts.ts";
import { lostEnd } from "../../src/reconcile/upkeep.ts";
import { Session } from "../../src/reconcile/session.ts";
import { withTempWarehouse } from "../support/duckdb.ts";
import { repairStart } from "../support/ledger.ts";
import { composeShop } from "../support/shop-pipeline.ts";

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-05' as day",
  "create table shop.orders as select day from shop.days where false",
];

/** A session that has looked at a ledger which holds one start, whose deadline passed. */
async function withLost(
  processors: readonly string[],
  dates: readonly string[],
  work: (context: ReconcileContext, session: Session) => Promise<void>,
): Promise<void> {
  await withTempWarehouse(statements, async ({ folder }) => {
    await writeFile(
      join(folder, "orders.sql"),
      "select day from shop.days where day between $start_date and $end_date",
    );
    const app = await composeShop(
      folder,
      `processors:
  orders: { table: shop.orders, date_column: day, repair: { sql_file: orders.sql } }
  days: { table: shop.days, date_column: day }`,
    );
    const { context } = app;
    await context.ledger.create();
    const lost = { startedAt: Date.now() - 60_000, deadlineAt: Date.now() - 1, worker: "elsewhere/1/1" };
    await context.ledger.recordStart({ ...repairStart("orders", dates, lost), processors });
    const selection = { processors: null, startDate: null, endDate: null };
    const session = new Session(context, { selection, asOf: null, maxAgeMs: null, horizon: "moving" });
    await session.refresh();
    await work(context, session);
    await app.close();
  });
}

test("a lost run that a cycle and a plan find at the same time is told of once", async () => {
  await withLost(["orders"], ["2024-01-05"], async (context, session) => {
    const told: RepairEnd[] = [];
    const onEnded = (end: RepairEnd) => void told.push(end);
    await Promise.all([
      settleLost(context, session, onEnded),
      settleLost(context, session, onEnded),
      lookAndSettleLost(context, session, onEnded),
    ]);
    expect(told.map(({ outcome }) => outcome)).toEqual(["lost"]);
    expect(session.records.attempts).toHaveLength(1);
  });
}, 60_000);

test("what a lost run has left open is ended before it counts, and where that fails its record says so", async () => {
  await withLost(["orders"], ["2024-01-05"], async (context, session) => {
    const asked: unknown[] = [];
    const endAbandoned: Warehouse["endAbandoned"] = (repairId, processors) => {
      asked.push([repairId, processors.map(({ name }) => name)]);
      return Promise.reject(new ReconcilerError("warehouse_permission", "no right to it"));
    };
    const { warehouse } = context;
    const [start] = session.lostStarts();
    await settleLost({ ...context, warehouse: { ...warehouse, endAbandoned } }, session, () => undefined);
    expect(asked).toEqual([[start?.repairId, ["orders"]]]);
    const { recentEnds } = await context.ledger.read(Date.now());
    expect(recentEnds).toMatchObject([{ message: expect.stringContaining("no right to it") }]);
  });
}, 60_000);

test("a lost run of a processor that only another version's config has proves nothing", async () => {
  await withLost(["days_before"], ["2024-01-05"], async (context, session) => {
    const told: RepairEnd[] = [];
    await settleLost(context, session, (end) => void told.push(end));
    expect(told).toMatchObject([{ outcome: "lost", cells: [] }]);
  });
}, 60_000);

test("a lost run of a date that is looked at no more is proven by no other processor's date", async () => {
  await withLost(["orders"], ["2024-01-05"], (_, session) => {
    const assessment = session.assess();
    const { axis } = assessment.grid;
    // Behind the last date of one processor stands the first one of the next, which is complete.
    const beyond = fromDay(axis.first + axis.length);
    expect(lostEnd(assessment, repairStart("orders", [beyond]))).toMatchObject({
      outcome: "lost",
      cells: [{ outcome: "lost", stateAfter: "unscheduled" }],
    });
    return Promise.resolve();
  });
}, 60_000);
