// Method: a real look at a DuckDB warehouse and a real ledger; reports as workers publish them, one of them with another config,
// and a queue on a Redis that is wiped.
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { createInlineRepairQueue } from "../../src/adapters/inline/repair-queue.ts";
import { createRedisRepairQueue } from "../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../src/adapters/redis/server.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { Dispatch } from "../../src/reconcile/dispatch.ts";
import type { Clock } from "../../src/reconcile/ports.ts";
import type { RepairQueue } from "../../src/reconcile/ports/repair-queue.ts";
import { encodeReport } from "../../src/reconcile/repair-report.ts";
import { Session } from "../../src/reconcile/session.ts";
import { withTempWarehouse } from "../support/duckdb.ts";
import { repairStart } from "../support/ledger.ts";
import { settings, startRedis } from "../support/redis.ts";
import { composeShop } from "../support/shop-pipeline.ts";
import { testClock } from "../support/test-clocks.ts";

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-01' + i::integer as day from range(3) as r (i)",
  "create table shop.orders as select day, 'o' as id from shop.days where day <> date '2024-01-02'",
  "create table shop.none as select day from shop.days where false",
];

interface Planner {
  readonly context: ReconcileContext;
  readonly session: Session;
  readonly dispatch: Dispatch;
}

/** What plans for a pipeline of the processors, given as the end of a config file; it has looked once. */
async function withPlanner(
  processors: string,
  queue: RepairQueue,
  work: (planner: Planner) => Promise<void> | void,
  clock: Clock = systemClock,
): Promise<void> {
  await withTempWarehouse(statements, async ({ folder }) => {
    const app = await composeShop(folder, processors);
    const context = { ...app.context, clock };
    await context.ledger.create();
    const selection = { processors: null, startDate: null, endDate: null };
    const session = new Session(context, { selection, asOf: null, maxAgeMs: null, horizon: "moving" });
    await session.refresh();
    const dispatch = new Dispatch(context, session, {
      queue,
      limits: { jobsMax: 100, cellsMax: 100, recentSlots: 0, slots: true },
      mode: "repair",
      runsHere: () => false,
      onLost: () => undefined,
    });
    await work({ context, session, dispatch });
    await app.close();
  });
}

test("what a worker saw counts as far as it was seen by the same expectation and is whole", async () => {
  const orders =
    "processors: { orders: { table: shop.orders, date_column: day, expect: { not_null: [id] } } }";
  await withPlanner(orders, createInlineRepairQueue({ jobsMax: 1 }), ({ context, session, dispatch }) => {
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
  });
}, 60_000);

test("a job that ended is over at once, and outstanding again where whoever plans has enqueued it anew", async () => {
  const orders =
    "processors: { orders: { table: shop.orders, date_column: day, repair: { http: { url: http://127.0.0.1:1/ }, batch: single } } }";
  const own = testClock();
  const queue = createInlineRepairQueue({ jobsMax: 100 });
  await withPlanner(
    orders,
    queue,
    async ({ dispatch }) => {
      const { jobs } = await dispatch.plan(1, "cycle-1");
      const ids = jobs.map(({ id }) => id);
      expect(ids).toHaveLength(1);
      const day = toDay(parseIsoDate("2024-01-02"));
      const body = encodeReport({
        result: "stopped",
        ends: [],
        seen: new Map(),
        from: day,
        to: day,
        scanBytes: 0,
      });
      for (const jobId of ids) dispatch.heard({ kind: "ended", jobId, body }, false);
      const outstanding = async () => [...(await dispatch.look()).outstanding.keys()];
      expect(await outstanding()).toEqual([]);
      own.skipMs += 5_000;
      expect(await outstanding()).toEqual(ids);
    },
    own.clock,
  );
}, 60_000);

const repair = (more: string) =>
  `{ table: shop.none, date_column: day, repair: { http: { url: "http://127.0.0.1:1/{{start_date}}" }, batch: single, concurrency: 2${more} } }`;
const capped = `pools: { heavy: { slots: 1 } }
processors:
  orders: ${repair("")}
  refunds: ${repair(", pool: heavy")}
  returns: ${repair(", pool: heavy")}`;

test("a wiped queue has no more run at once than processors and pools have slots for, as what runs is in the ledger", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const queue = createRedisRepairQueue({
    pipeline: "shop",
    server: redisServer(settings(redis.url)),
    jobsMax: 100,
    listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
  });
  onTestFinished(() => queue.close());
  await withPlanner(capped, queue, async ({ context, session, dispatch }) => {
    await dispatch.plan(1, "cycle-1");
    const before = await queue.outstanding();
    const ofOrders = before.filter((job) => job.repair === "orders");
    expect([before.length, ofOrders.length]).toEqual([3, 2]);
    // Another process has begun one of the two of its processor, and the one of the pool.
    const waits = ofOrders.slice(0, 1);
    for (const [index, job] of before.filter(({ id }) => id !== waits[0]?.id).entries()) {
      await context.ledger.recordStart(
        repairStart(job.repair, job.dates, {
          repairId: job.id,
          token: index + 1,
          startedAt: session.now(),
          deadlineAt: session.now() + 600_000,
          worker: "elsewhere/1/1",
        }),
      );
    }
    await redis.command("flushall");
    await dispatch.plan(1, "cycle-1");
    expect(await queue.outstanding()).toMatchObject(waits.map(({ id }) => ({ id, state: "queued" })));
  });
}, 60_000);
