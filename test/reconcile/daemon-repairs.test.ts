// What becomes of the repairs of a daemon: at its stop, where a job is lost, done elsewhere or handed out twice, and where people
// decide. Method: a real DuckDB warehouse and ledger, ticks by hand, and a hurried clock where something would be waited for.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createInlineRepairEvents } from "../../src/adapters/inline/repair-events.ts";
import { createInlineRepairQueue } from "../../src/adapters/inline/repair-queue.ts";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { tellAll } from "../../src/compose/listeners.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { Coordination } from "../../src/reconcile/daemon-options.ts";
import type { RepairQueue } from "../../src/reconcile/ports/repair-queue.ts";
import { encodeReport } from "../../src/reconcile/repair-report.ts";
import { decision } from "../support/ledger.ts";
import {
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
  recordStartElsewhere,
  startDaemon,
} from "../support/running-daemon.ts";
import { testClock, wokenClock } from "../support/test-clocks.ts";

const orders = ordersOfEachTest();

/** A repair that goes on until it is released. */
const untilReleased = `command: [node, -e, "setInterval(() => require('fs').existsSync('released') && process.exit(), 20)", "{{start_date}}"], max_attempts: 1`;
const release = () => writeFile(join(orders.warehouse.folder, "released"), "");

test("a stop lets a repair that runs end by itself", async () => {
  const daemon = await startDaemon(orders.warehouse, untilReleased);
  await daemon.told("started");
  const stopped = daemon.stop();
  await daemon.told("stopping 1");
  await release();
  await stopped;
  expect(daemon.events.slice(-3)).toEqual(["ticks stopped", "stopping 1", "ended ineffective"]);
});

test("whoever is stopped says that it plans no more while its repair goes on: another does by then", async () => {
  const told: string[] = [];
  const [started, resigned] = [event(), event()];
  const daemon = await startDaemon(orders.warehouse, untilReleased, {
    listener: tellAll([
      {
        onStarted: () => started.happens(),
        onStopping: () => told.push("stopping"),
        onLeading(isLeading) {
          told.push(`leading ${isLeading}`);
          if (!isLeading) resigned.happens();
        },
        onEnded: () => told.push("ended"),
      },
    ]),
  });
  await started.happened;
  const stopped = daemon.stop();
  await resigned.happened;
  await release();
  await stopped;
  expect(told).toEqual(["leading true", "stopping", "leading false", "ended"]);
}, 60_000);

test("a stop that comes while the loop turns is not slept through", async () => {
  const end = new AbortController();
  const coordination = inlineCoordination();
  const { queue } = coordination;
  const daemon = await startDaemon(orders.warehouse, fill, {
    signal: end.signal,
    // A repair would wake it when it ends.
    mode: "observe",
    coordination: {
      ...coordination,
      queue: queueBut(queue, {
        outstanding() {
          end.abort();
          return queue.outstanding();
        },
      }),
    },
    around: (context) => ({ ...context, clock: wokenClock }),
  });
  await daemon.told("ticks stopped");
  await daemon.stop();
  expect(daemon.events.slice(-2)).toEqual(["ticks stopped", "stopping 0"]);
}, 60_000);

test("a repair that goes on beyond the grace is cancelled, on record, and charged to nobody", async () => {
  const daemon = await startDaemon(orders.warehouse, longCommand, {
    shutdownGraceMs: 50,
    // The last answers have their time, however slow the machine is.
    around: (context) => ({
      ...context,
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms * 10, signal) },
    }),
  });
  await daemon.told("started");
  await daemon.stop();
  const { unfinished, attempts } = await daemon.context.ledger.read(Date.now());
  expect(unfinished).toEqual([]);
  expect(attempts.filter(({ charged }) => charged)).toEqual([]);
});

test("a stop while a worker looks for the first time ends it at once, and nothing is begun", async () => {
  const coordination = inlineCoordination();
  const looking = event();
  const daemon = await startDaemon(orders.warehouse, fill, {
    role: "worker",
    coordination,
    around: (context) => ({
      ...context,
      warehouse: {
        ...context.warehouse,
        survey: async ({ signal }) => {
          looking.happens();
          await systemClock.sleep(300_000, signal);
          throw new ReconcilerError("interrupted", "stopped");
        },
      },
    }),
  });
  await coordination.queue.enqueue([ordersJob], 1);
  await looking.happened;
  await daemon.stop();
  expect(daemon.events).toEqual(["ticks stopped", "stopping 0"]);
});

/** After whatever was begun, by a hurried clock too. */
const ofNow = (kind: "cancel" | "pause") =>
  decision(kind, { at: new Date(Date.now() + 3_600_000).toISOString(), processors: ["orders"] });

test("a job that is handed out again while it runs leaves the first run to be cancelled by a person", async () => {
  const coordination = inlineCoordination();
  const { queue } = coordination;
  const daemon = await startDaemon(orders.warehouse, longCommand, {
    coordination: {
      ...coordination,
      queue: queueBut(queue, {
        consume: (handle, options) =>
          queue.consume(async (job, signal) => {
            await Promise.all([handle(job, signal), handle(job, signal)]);
          }, options),
      }),
    },
    around: hurried,
  });
  await daemon.told("started");
  await daemon.context.ledger.recordDecision(ofNow("cancel"));
  await daemon.told("ended failed");
  await daemon.stop();
  expect(daemon.events.filter((event) => event === "started")).toHaveLength(1);
});

test("a pause that is read while a look goes on holds when it has ended", async () => {
  const own = testClock();
  const coordination = inlineCoordination();
  const [looking, read, released] = [event(), event(), event()];
  let surveys = 0;
  const daemon = await startDaemon(orders.warehouse, fill, {
    coordination,
    around: ({ warehouse: port, ledger, ...rest }) => ({
      ...rest,
      clock: own.clock,
      warehouse: {
        ...port,
        survey: async (request) => {
          if (++surveys === 2) {
            looking.happens();
            await released.happened;
          }
          return port.survey(request);
        },
      },
      ledger: {
        ...ledger,
        decisions: async () => {
          const decisions = await ledger.decisions();
          if (decisions.length > 0) read.happens();
          return decisions;
        },
      },
    }),
  });
  await daemon.told("ended repaired");
  await orders.warehouse.write(["delete from shop.orders where day = date '2024-01-02'"]);
  daemon.tick();
  await looking.happened;
  await daemon.context.ledger.recordDecision(ofNow("pause"));
  own.skipMs += 5000;
  await read.happened;
  await own.nextWaits(1);
  released.happens();
  await daemon.told("gaps", 2);
  await own.nextWaits(3);
  expect(await coordination.queue.outstanding()).toEqual([]);
  await daemon.stop();
  expect(daemon.events.filter((told) => told === "started")).toHaveLength(1);
});

test("a job that somebody else has done meanwhile keeps no slot from the next one", async () => {
  await orders.warehouse.write(["delete from shop.orders where day = date '2024-01-08'"]);
  let isFirst = true;
  const daemon = await startDaemon(orders.warehouse, `${fill}, concurrency: 1`, {
    around: ({ warehouse: port, ...rest }) => ({
      ...rest,
      // It plans again because of what it is told, and never because of the time.
      clock: wokenClock,
      warehouse: {
        ...port,
        profile: async (request) => {
          if (isFirst) {
            isFirst = false;
            await orders.warehouse.write([`insert into shop.orders values ('${request.range.start}', 'o')`]);
          }
          return port.profile(request);
        },
      },
    }),
  });
  await daemon.told("ended repaired");
  await daemon.stop();
  expect(daemon.events.filter((told) => told === "started")).toHaveLength(1);
  expect(await orders.warehouse.read("select count(*) from shop.orders")).toEqual([["10"]]);
}, 60_000);

/** A queue that counts what it is asked. */
function countingQueue(): {
  readonly queue: RepairQueue;
  readonly enqueued: readonly string[];
  readonly asked: () => number;
} {
  const queue = createInlineRepairQueue({ jobsMax: 100 });
  const enqueued: string[] = [];
  let asked = 0;
  const counting = queueBut(queue, {
    enqueue(jobs, epoch) {
      enqueued.push(...jobs.map(({ id }) => id));
      return queue.enqueue(jobs, epoch);
    },
    outstanding() {
      asked += 1;
      return queue.outstanding();
    },
  });
  return { queue: counting, enqueued, asked: () => asked };
}

test("a failure of which nobody told the planner backs off all the same, by the ledger", async () => {
  const { queue, enqueued, asked } = countingQueue();
  const events = { ...createInlineRepairEvents(), publish: () => Promise.resolve() };
  const coordination: Coordination = { ...inlineCoordination(), queue, events };
  const planner = await startDaemon(orders.warehouse, failing, {
    role: "planner",
    coordination,
    around: hurried,
  });
  const worker = await startDaemon(orders.warehouse, failing, {
    role: "worker",
    coordination,
    around: (context) => ({ ...context, worker: elsewhere }),
  });
  await worker.told("ended failed");
  const before = asked();
  // It looks at the queue every few seconds while it waits for a job.
  await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(before);
  await Promise.all([planner.stop(), worker.stop()]);
  expect(enqueued).toHaveLength(1);
});

test("cells that are locked are left to whoever has begun a run of them, also beyond its lock", async () => {
  const { queue, enqueued, asked } = countingQueue();
  const coordination: Coordination = { ...inlineCoordination(), queue };
  const planner = await startDaemon(orders.warehouse, fill, {
    role: "planner",
    coordination,
    around: hurried,
  });
  let before = Infinity;
  const consumer = queue.consume(
    async (job) => {
      // Of a worker that took it before and stands still.
      await recordStartElsewhere(planner.context, job, `${job.repair}-1`);
      const body = encodeReport({
        result: "locked",
        ends: [],
        seen: new Map(),
        from: 0,
        to: 0,
        scanBytes: 0,
      });
      before = Math.min(before, asked());
      await coordination.events.publish({ kind: "ended", jobId: job.id, body });
    },
    { slots: 1 },
  );
  await expect.poll(() => enqueued, { timeout: 20_000 }).toHaveLength(1);
  // Locked cells are left alone for two seconds, and then thought of anew.
  await expect.poll(() => asked() - before, { timeout: 20_000 }).toBeGreaterThan(1);
  await planner.stop();
  await consumer.close({ graceMs: 0 });
  expect(enqueued).toHaveLength(1);
});

test("a job that kills whoever takes it is charged with each death, also between two cycles", async () => {
  const coordination: Coordination = inlineCoordination();
  const planner = await startDaemon(
    orders.warehouse,
    "sql_file: orders.sql, backoff: [0s], max_attempts: 2",
    {
      role: "planner",
      coordination,
      around: (context) => ({ ...hurried(context), isWorkerDead: (worker) => worker === elsewhere }),
    },
  );
  const attempts: number[] = [];
  const consumer = coordination.queue.consume(
    async (job) => {
      attempts.push(job.attempt);
      await recordStartElsewhere(planner.context, job, `${job.repair}-${job.attempt}-${attempts.length}`);
    },
    { slots: 1 },
  );
  await planner.told("ended lost", 2);
  await planner.stop();
  await consumer.close({ graceMs: 0 });
  expect(attempts).toEqual([1, 2]);
});

test("a worker that gets no lock tells nothing of the cells: what it knows of them is as old as its last full look", async () => {
  const coordination = inlineCoordination();
  const bodies: unknown[] = [];
  coordination.events.subscribe((told) => void (told.kind === "ended" && bodies.push(told.body)));
  const daemon = await startDaemon(orders.warehouse, fill, {
    coordination,
    around: (context) => ({ ...context, lock: { acquire: () => Promise.resolve(null) } }),
  });
  await expect.poll(() => bodies.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await daemon.stop();
  expect(bodies[0]).toMatchObject({ result: "locked", seen: [] });
}, 60_000);
