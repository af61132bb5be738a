// Method: a real DuckDB warehouse and ledger, SQL and command repairs, ticks by hand.
import { expect, test } from "vitest";
import { tellAll } from "../../src/compose/listeners.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { RepairJob } from "../../src/reconcile/ports/repair-queue.ts";
import {
  codeOf,
  elsewhere,
  event,
  failing,
  fill,
  hurried,
  inlineCoordination,
  longCommand,
  ordersJob,
  ordersOfEachTest,
  queueBut,
  startDaemon,
} from "../support/running-daemon.ts";
import { type TestClock, testClock, wokenClock } from "../support/test-clocks.ts";

const orders = ordersOfEachTest();

test("what is lost behind its back is found by the next tick and repaired", async () => {
  const daemon = await startDaemon(orders.warehouse, fill);
  await daemon.told("ended repaired");
  daemon.tick();
  await daemon.told("converged");
  await orders.warehouse.write(["delete from shop.orders where day = date '2024-01-02'"]);
  daemon.tick();
  await daemon.told("ended repaired", 2);
  await daemon.stop();
  expect(daemon.events).toEqual([
    "gaps",
    "started",
    "ended repaired",
    "converged",
    "gaps",
    "started",
    "ended repaired",
    "ticks stopped",
    "stopping 0",
  ]);
  expect(await orders.warehouse.read("select count(*) from shop.orders")).toEqual([["10"]]);
});

test("after a cycle that failed nothing is begun until one has worked", async () => {
  await orders.warehouse.write(["alter table shop.days rename to hidden"]);
  const daemon = await startDaemon(orders.warehouse, fill);
  await daemon.told("cycle failed: schedule_failed");
  await orders.warehouse.write(["alter table shop.hidden rename to days"]);
  daemon.tick();
  await daemon.told("ended repaired");
  await daemon.stop();
  expect(daemon.events.slice(0, 4)).toEqual([
    "cycle failed: schedule_failed",
    "gaps",
    "started",
    "ended repaired",
  ]);
});

test("what a cycle learnt and could not keep is told, and the cycle counts all the same", async () => {
  const full = () => Promise.reject(new ReconcilerError("ledger_unavailable", "no space left"));
  const daemon = await startDaemon(orders.warehouse, fill, {
    around: (context) => ({ ...context, warehouse: { ...context.warehouse, keepSurveys: full } }),
  });
  await daemon.told("surveys not kept: ledger_unavailable");
  await daemon.told("ended repaired");
  await daemon.stop();
  expect(daemon.events.filter((event) => event.startsWith("cycle failed"))).toEqual([]);
});

test("a cycle that takes too long is given up and told", async () => {
  const daemon = await startDaemon(orders.warehouse, fill, { cycleTimeoutMs: 1 });
  await daemon.told("cycle failed: cycle_timeout");
  await daemon.stop();
  expect(daemon.events).not.toContain("started");
});

/** How long the loop waits, each time, once the time has come for a cycle that cannot be made. */
async function waitsBeyondItsTime(own: TestClock): Promise<readonly number[]> {
  own.skipMs = 120_000;
  await own.nextWaits(1);
  return own.nextWaits(5);
}

test("a worker that could not record a repair does not spin when it would be time for a cycle", async () => {
  const own = testClock();
  const coordination = inlineCoordination();
  const daemon = await startDaemon(orders.warehouse, fill, {
    role: "worker",
    coordination,
    around: (context) => ({
      ...context,
      clock: own.clock,
      ledger: {
        ...context.ledger,
        recordStart: () => Promise.reject(new ReconcilerError("ledger_unavailable", "away")),
      },
    }),
  });
  await coordination.queue.enqueue([ordersJob], 1);
  await daemon.told("repair failed: ledger_unavailable");
  const waits = await waitsBeyondItsTime(own);
  await daemon.stop();
  expect(Math.min(...waits)).toBeGreaterThan(1000);
});

test("a planner that lost its lease while jobs were outstanding does not spin", async () => {
  const own = testClock();
  const lost = new AbortController();
  let terms = 0;
  const daemon = await startDaemon(orders.warehouse, longCommand, {
    shutdownGraceMs: 50,
    coordination: {
      ...inlineCoordination(),
      lease: {
        acquire: () =>
          Promise.resolve(
            terms++ === 0 ? { epoch: 1, signal: lost.signal, release: () => Promise.resolve() } : null,
          ),
        currentEpoch: () => Promise.resolve(1),
      },
    },
    around: (context) => ({ ...context, clock: own.clock }),
  });
  await daemon.told("started");
  lost.abort();
  const waits = await waitsBeyondItsTime(own);
  await daemon.stop();
  expect(Math.min(...waits)).toBeGreaterThan(1000);
});

test("what a verified repair unblocks waits neither for the record of its end nor for people's decisions", async () => {
  await orders.warehouse.write(["create table shop.copies as from shop.orders"]);
  const recorded = event();
  let ends = 0;
  const daemon = await startDaemon(orders.warehouse, fill, {
    downstream: `  copies: { table: shop.copies, date_column: day, depends_on: [orders], repair: { ${fill} } }`,
    around: ({ ledger, ...rest }) => ({
      ...rest,
      // It looks at nothing again because of the time: only what it is told has it plan.
      clock: wokenClock,
      ledger: {
        ...ledger,
        recordEnd: async (end) => {
          if (++ends === 1) await recorded.happened;
          await ledger.recordEnd(end);
        },
        decisions: async () => {
          await recorded.happened;
          return ledger.decisions();
        },
      },
    }),
  });
  await daemon.told("started", 2);
  recorded.happens();
  await daemon.told("ended repaired", 2);
  await daemon.stop();
  expect(await orders.warehouse.read("select count(*) from shop.copies")).toEqual([["10"]]);
});

test("a worker without a job finds out that what keeps the processes together is away, and that it is back", async () => {
  const coordination = inlineCoordination();
  let isAway = true;
  const told: unknown[] = [];
  const [degraded, recovered] = [event(), event()];
  const daemon = await startDaemon(orders.warehouse, fill, {
    role: "worker",
    around: hurried,
    coordination: {
      ...coordination,
      lease: {
        acquire: () => coordination.lease.acquire(),
        currentEpoch: () =>
          isAway ? Promise.reject(new ReconcilerError("redis_unavailable", "away")) : Promise.resolve(1),
      },
    },
    listener: tellAll([
      {
        onDegraded(thrown) {
          told.push(thrown === null ? null : codeOf(thrown));
          (thrown === null ? recovered : degraded).happens();
        },
      },
    ]),
  });
  await degraded.happened;
  isAway = false;
  await recovered.happened;
  await daemon.stop();
  expect(told).toEqual(["redis_unavailable", null]);
}, 60_000);

test.each(["decisions", "read"] as const)(
  "a ledger that never answers to %s does not keep a daemon that is stopped",
  async (question) => {
    const coordination = inlineCoordination();
    const [looked, asked] = [event(), event()];
    const never = () => {
      asked.happens();
      return new Promise<never>(() => undefined);
    };
    const daemon = await startDaemon(orders.warehouse, fill, {
      // The jobs are taken by nobody, and vanish: whoever plans asks the ledger for what became of them.
      role: "planner",
      coordination: { ...coordination, queue: queueBut(coordination.queue, { enqueue: dropped }) },
      around: (context) => {
        const { ledger } = context;
        let isWell = true;
        void looked.happened.then(() => (isWell = false));
        return {
          ...hurried(context),
          ledger: {
            ...ledger,
            decisions: () => (isWell || question !== "decisions" ? ledger.decisions() : never()),
            read: (now) => (isWell || question !== "read" ? ledger.read(now) : never()),
          },
        };
      },
    });
    await daemon.told("gaps");
    looked.happens();
    await asked.happened;
    await daemon.stop();
    expect(daemon.events).toContain("stopping 0");
  },
  60_000,
);

/** As a queue does that is wiped at once. */
function dropped(jobs: readonly RepairJob[]): Promise<readonly string[]> {
  return Promise.resolve(jobs.map(({ id }) => id));
}

test("a ledger that is away while it plans is told as that, and not as what keeps the processes together", async () => {
  const coordination = inlineCoordination();
  const time = testClock();
  const told: string[] = [];
  let isAway = false;
  const [enqueued, failed] = [event(), event()];
  const planner = await startDaemon(orders.warehouse, fill, {
    role: "planner",
    coordination,
    listener: tellAll([
      {
        onPlanned: (_, jobs) => (jobs.length > 0 ? enqueued.happens() : undefined),
        onDegraded: (thrown) => {
          told.push(`degraded: ${codeOf(thrown)}`);
          failed.happens();
        },
        onRepairFailed: (thrown) => {
          told.push(`failed: ${codeOf(thrown)}`);
          failed.happens();
        },
      },
    ]),
    around: (context) => ({
      ...context,
      clock: time.clock,
      ledger: {
        ...context.ledger,
        read: (now) =>
          isAway
            ? Promise.reject(new ReconcilerError("ledger_unavailable", "away"))
            : context.ledger.read(now),
      },
    }),
  });
  await enqueued.happened;
  // The job is lost, of which only the ledger could tell more.
  isAway = true;
  const lost = await coordination.queue.outstanding();
  await coordination.queue.remove(lost.map(({ id }) => id));
  time.skipMs += 10_000;
  await failed.happened;
  await planner.stop();
  expect(told[0]).toBe("failed: ledger_unavailable");
}, 60_000);

test("a failure whose end could not be recorded is charged by the next cycle, and not tried again at once", async () => {
  let isAway = true;
  const daemon = await startDaemon(orders.warehouse, failing, {
    around: (context) => ({
      ...context,
      ledger: {
        ...context.ledger,
        recordEnd: (end) =>
          isAway
            ? Promise.reject(new ReconcilerError("ledger_unavailable", "away"))
            : context.ledger.recordEnd(end),
      },
    }),
  });
  await daemon.told("repair failed: ledger_unavailable");
  isAway = false;
  daemon.tick();
  await daemon.told("gaps", 2);
  daemon.tick();
  await daemon.told("gaps", 3);
  await daemon.stop();
  expect(daemon.events.filter((event) => event === "started" || event.startsWith("ended"))).toEqual([
    "started",
    "ended lost",
  ]);
}, 60_000);

test("a daemon that only observes lets one that repairs plan in its place", async () => {
  const coordination = inlineCoordination();
  const observer = await startDaemon(orders.warehouse, fill, {
    mode: "observe",
    coordination,
    around: hurried,
  });
  await observer.told("gaps");
  const repairer = await startDaemon(orders.warehouse, fill, {
    coordination,
    around: (context) => ({ ...hurried(context), worker: elsewhere }),
  });
  await repairer.told("ended repaired");
  expect(observer.events).not.toContain("started");
  await Promise.all([observer.stop(), repairer.stop()]);
});
