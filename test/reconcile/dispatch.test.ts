// Method: a real look at a DuckDB warehouse, and reports as workers publish them, one of them with another config.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createInlineRepairQueue } from "../../src/adapters/inline/repair-queue.ts";
import { compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { Dispatch } from "../../src/reconcile/dispatch.ts";
import { encodeReport } from "../../src/reconcile/repair-report.ts";
import { Session } from "../../src/reconcile/session.ts";
import { withTempWarehouse } from "../support/duckdb.ts";

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-01' + i::integer as day from range(3) as r (i)",
  "create table shop.orders as select day, 'o' as id from shop.days where day <> date '2024-01-02'",
];

test("what a worker saw counts as far as it was seen by the same expectation and is whole", async () => {
  await withTempWarehouse(statements, async ({ folder }) => {
    const file = join(folder, "pipeline.yaml");
    await writeFile(
      file,
      `version: 1
pipeline: shop
timezone: UTC
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { table: shop.days, date_column: day }
processors: { orders: { table: shop.orders, date_column: day, expect: { not_null: [id] } } }
`,
    );
    const config = await loadConfig({ file, target: null, env: {} });
    const app = await compose(config, { logging: { level: "silent", pretty: false } });
    const { context } = app;
    const selection = { processors: null, startDate: null, endDate: null };
    const session = new Session(context, { selection, asOf: null, maxAgeMs: null, horizon: "moving" });
    await session.refresh();
    const dispatch = new Dispatch(context, session, {
      queue: createInlineRepairQueue({ jobsMax: 1 }),
      limits: { jobsMax: 1, cellsMax: 1, recentSlots: 0, slots: true },
      mode: "repair",
      runsHere: () => false,
      onLost: () => undefined,
    });
    const day = toDay(parseIsoDate("2024-01-02"));
    const hear = (expectationHash: string, metrics: readonly Float64Array[]) => {
      const one = Float64Array.of(1);
      const profile = {
        days: Int32Array.of(day),
        rows: one,
        entities: one,
        firstWriteMs: one,
        lastWriteMs: one,
        metrics,
      };
      const seen = new Map([["orders", { expectationHash, profile }]]);
      const body = encodeReport({ result: "ran", ends: [], seen, from: day, to: day, scanBytes: 0 });
      dispatch.heard({ kind: "verified", jobId: "orders/2024-01-02..2024-01-02/1", body }, true);
      const observed = session.observations.processors.get("orders");
      if (observed?.kind !== "observed") throw new Error("expected orders to be observed");
      return { rows: observed.profile.rows.length, metrics: observed.profile.metrics.map((of) => of.length) };
    };
    const own = context.compiled.byName.get("orders")?.expect.hash ?? "";
    expect(hear("another", [])).toEqual({ rows: 2, metrics: [2] });
    expect(hear(own, [Float64Array.of()])).toEqual({ rows: 2, metrics: [2] });
    expect(hear(own, [Float64Array.of(0)])).toEqual({ rows: 3, metrics: [3] });
    await app.close();
  });
}, 60_000);
