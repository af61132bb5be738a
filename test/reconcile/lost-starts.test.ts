// Method: a real ledger that holds a start whose deadline passed, and one session that settles it twice at the same time.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RepairEnd } from "../../src/core/ledger-records.ts";
import { lookAndSettleLost, settleLost } from "../../src/reconcile/lost-starts.ts";
import { Session } from "../../src/reconcile/session.ts";
import { withTempWarehouse } from "../support/duckdb.ts";
import { repairStart } from "../support/ledger.ts";
import { composeShop } from "../support/shop-pipeline.ts";

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-05' as day",
  "create table shop.orders as select day from shop.days where false",
];

test("a lost run that a cycle and a plan find at the same time is told of once", async () => {
  await withTempWarehouse(statements, async ({ folder }) => {
    await writeFile(
      join(folder, "orders.sql"),
      "select day from shop.days where day between $start_date and $end_date",
    );
    const app = await composeShop(
      folder,
      "processors: { orders: { table: shop.orders, date_column: day, repair: { sql_file: orders.sql } } }",
    );
    const { context } = app;
    const { ledger } = context;
    await ledger.create();
    await ledger.recordStart(
      repairStart("orders", ["2024-01-05"], {
        startedAt: Date.now() - 60_000,
        deadlineAt: Date.now() - 1,
        worker: "elsewhere/1/1",
      }),
    );
    const selection = { processors: null, startDate: null, endDate: null };
    const session = new Session(context, { selection, asOf: null, maxAgeMs: null, horizon: "moving" });
    await session.refresh();
    const told: RepairEnd[] = [];
    const onEnded = (end: RepairEnd) => void told.push(end);
    await Promise.all([
      settleLost(context, session, onEnded),
      settleLost(context, session, onEnded),
      lookAndSettleLost(context, session, onEnded),
    ]);
    expect(told.map(({ outcome }) => outcome)).toEqual(["lost"]);
    expect(session.records.attempts).toHaveLength(1);
    await app.close();
  });
}, 60_000);
