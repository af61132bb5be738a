// Method: a real ledger that holds a start whose deadline passed, and one session that settles it twice at the same time.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { RepairEnd } from "../../src/core/ledger-records.ts";
import { lookAndSettleLost, settleLost } from "../../src/reconcile/lost-starts.ts";
import { Session } from "../../src/reconcile/session.ts";
import { withTempWarehouse } from "../support/duckdb.ts";

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
    const file = join(folder, "pipeline.yaml");
    await writeFile(
      file,
      `version: 1
pipeline: shop
timezone: UTC
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { table: shop.days, date_column: day }
processors: { orders: { table: shop.orders, date_column: day, repair: { sql_file: orders.sql } } }
`,
    );
    const config = await loadConfig({ file, target: null, env: {} });
    const app = await compose(config, { logging: { level: "silent", pretty: false } });
    const { context } = app;
    const { ledger } = context;
    await ledger.create();
    await ledger.recordStart({
      repairId: "orders-20240105-1",
      repair: "orders",
      processors: ["orders"],
      dates: [parseIsoDate("2024-01-05")],
      attempt: 1,
      token: 1,
      startedAt: Date.now() - 60_000,
      deadlineAt: Date.now() - 1,
      worker: "elsewhere/1/1",
      externalHandle: null,
      repairHash: "",
      cycleId: "of-another-process",
    });
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
