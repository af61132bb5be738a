// Goal: a process that alone can reach neither warehouse nor ledger keeps nobody from working. Method: two daemons over one DuckDB
// warehouse and ledger, with one lease, one queue and the same events; the way of one to both can be cut.
import { expect, test } from "vitest";
import { ReconcilerError } from "../../src/errors.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { FullLooks } from "../../src/reconcile/full-looks.ts";
import { daemonLimits } from "../../src/reconcile/plan-limits.ts";
import { everything } from "../../src/reconcile/selection.ts";
import { Session } from "../../src/reconcile/session.ts";
import {
  fill,
  hurried,
  inlineCoordination,
  ordersJob,
  ordersOfEachTest,
  startDaemon,
} from "../support/running-daemon.ts";

const orders = ordersOfEachTest();

/** One process's way to warehouse and ledger. */
class Way {
  isCut = false;
  /** How often something was asked for in vain. */
  failures = 0;

  around(context: ReconcileContext): ReconcileContext {
    const { warehouse: there, ledger } = context;
    return {
      ...hurried(context),
      warehouse: { ...there, now: () => this.#reach(() => there.now()) },
      ledger: { ...ledger, decisions: () => this.#reach(() => ledger.decisions()) },
    };
  }

  #reach<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.isCut) return ask();
    this.failures += 1;
    return Promise.reject(new ReconcilerError("warehouse_unavailable", "BigQuery does not answer"));
  }
}

test("a planner that sees nothing any more leaves the lease to a process that does", async () => {
  const coordination = inlineCoordination();
  const way = new Way();
  const other = await startDaemon(orders.warehouse, fill, { coordination, around: hurried });
  await other.told("ended repaired");
  await other.stop();
  const planner = await startDaemon(orders.warehouse, fill, {
    coordination,
    around: () => way.around(other.context),
  });
  await planner.told("converged");
  const follower = await startDaemon(orders.warehouse, fill, { coordination, around: () => other.context });
  way.isCut = true;
  await planner.told("repair failed: warehouse_unavailable");
  await orders.warehouse.write(["delete from shop.orders where day = date '2024-01-02'"]);
  await follower.told("ended repaired");
  await Promise.all([planner.stop(), follower.stop()]);
  expect(await orders.warehouse.read("select count(*) from shop.orders")).toEqual([["10"]]);
}, 60_000);

test("a worker that sees nothing takes no job from one that does, and takes jobs again once it sees", async () => {
  const coordination = inlineCoordination();
  const way = new Way();
  const worker = await startDaemon(orders.warehouse, fill, {
    role: "worker",
    coordination,
    around: (context) => way.around(context),
  });
  await worker.context.ledger.create();
  way.isCut = true;
  await coordination.queue.enqueue([ordersJob], 1);
  await worker.told("repair failed: warehouse_unavailable");
  // To begin the same another time is another job.
  const again = { ...ordersJob, id: `${ordersJob.id}-again` };
  await coordination.queue.enqueue([again], 1);
  expect((await coordination.queue.depth()).waiting).toBe(1);
  way.isCut = false;
  await worker.told("ended repaired");
  await worker.stop();
}, 60_000);

test("a look that fails has failed for all jobs that wait for one", async () => {
  const way = new Way();
  const worker = await startDaemon(orders.warehouse, fill, { role: "worker" });
  await worker.stop();
  const context = way.around(worker.context);
  await context.ledger.create();
  const [sharesJobs, asOf, maxAgeMs, horizon] = [true, null, null, "moving"] as const;
  const session = new Session(context, { selection: everything, sharesJobs, asOf, maxAgeMs, horizon });
  const looks = new FullLooks(context, session, {
    timeoutMs: null,
    limits: daemonLimits(context.compiled.pipeline),
    listener: {
      onCycleStarted: () => undefined,
      onEnded: () => undefined,
      onRecorded: () => undefined,
      onSurveysNotKept: () => undefined,
    },
    signal: new AbortController().signal,
  });
  const noJobs = () => Promise.resolve([]);
  way.isCut = true;
  const failed = await Promise.allSettled(["1", "2", "3"].map((cycleId) => looks.freshFor(cycleId, noJobs)));
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(way.failures).toBe(1);
  way.isCut = false;
  await looks.freshFor("3", noJobs);
}, 60_000);
