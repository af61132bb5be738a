// Method: a real DuckDB warehouse and ledger, SQL and command repairs, ticks by hand.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDuckDbLedger } from "../../src/adapters/duckdb/ledger.ts";
import { createDuckDbWarehouse } from "../../src/adapters/duckdb/warehouse.ts";
import { createExecutors } from "../../src/adapters/executors/index.ts";
import { createInlineCellLock } from "../../src/adapters/inline/cell-lock.ts";
import { createInlinePlanningLease } from "../../src/adapters/inline/planning-lease.ts";
import { createInlineRepairEvents } from "../../src/adapters/inline/repair-events.ts";
import { createInlineRepairQueue } from "../../src/adapters/inline/repair-queue.ts";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { tellAll } from "../../src/compose/listeners.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { isConverged } from "../../src/core/assess.ts";
import { compilePipeline } from "../../src/core/assessment.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { Decision } from "../../src/core/ledger-records.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { reconcileAlways } from "../../src/reconcile/daemon.ts";
import type { Coordination, DaemonOptions } from "../../src/reconcile/daemon-options.ts";
import type { Clock, Ticks } from "../../src/reconcile/ports.ts";
import type { RepairJob, RepairQueue } from "../../src/reconcile/ports/repair-queue.ts";
import { encodeReport } from "../../src/reconcile/repair-report.ts";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";

let warehouse: TempWarehouse;
beforeEach(async () => {
  warehouse = await makeTempWarehouse([
    "create schema shop",
    "create table shop.days as select date '2024-01-01' + i::integer as day from range(10) as r (i)",
    "create table shop.orders as select day, 'o' as id from shop.days where day <> date '2024-01-05'",
  ]);
});
afterEach(() => warehouse.remove());

/** A daemon with every event that it tells, in words. */
interface Running {
  readonly events: readonly string[];
  /** Resolves once so many events of the kind were told. */
  told(kind: string, count?: number): Promise<void>;
  readonly tick: () => void;
  readonly stop: () => Promise<void>;
  readonly context: ReconcileContext;
}

const fill = "sql_file: orders.sql, backoff: [10ms]";

interface Surroundings extends Partial<DaemonOptions> {
  /** Stands between the daemon and what it works with. */
  readonly around?: (context: ReconcileContext) => ReconcileContext;
  /** Another processor, as a line of the file. */
  readonly downstream?: string;
}

async function startDaemon(
  repair: string,
  { around, downstream = "", ...more }: Surroundings = {},
): Promise<Running> {
  const { folder, path } = warehouse;
  await writeFile(
    join(folder, "orders.sql"),
    "select day, 'o' as id from shop.days where day between $start_date and $end_date",
  );
  const file = join(folder, "pipeline.yaml");
  await writeFile(
    file,
    `version: 1
pipeline: shop
timezone: UTC
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { table: shop.days, date_column: day }
processors:
  orders: { table: shop.orders, date_column: day, repair: { ${repair} } }
${downstream}`,
  );
  const { pipeline } = await loadConfig({ file, target: null, env: {} });
  const { processors, schedules, timezone } = pipeline;
  const port = createDuckDbWarehouse({ path, timezone, processors, schedules });
  const bare: ReconcileContext = {
    compiled: compilePipeline(pipeline),
    warehouse: port,
    ledger: createDuckDbLedger({ path: join(folder, "ledger.duckdb") }),
    lock: createInlineCellLock(),
    executor: createExecutors({ warehouse: port, secrets: [], clock: systemClock }),
    clock: systemClock,
    worker: "host/1/1",
    isWorkerDead: () => false,
    enterCycle: () => undefined,
  };
  const context = around?.(bare) ?? bare;
  const events: string[] = [];
  let listeners: (() => void)[] = [];
  const tell = (event: string) => {
    events.push(event);
    for (const listener of listeners) listener();
  };
  let onTick: () => void = () => undefined;
  const ticks: Ticks = {
    start(listener) {
      onTick = listener;
      return { stop: () => tell("ticks stopped") };
    },
  };
  const end = new AbortController();
  const daemon = reconcileAlways(context, {
    role: "all",
    mode: "repair",
    coordination: inlineCoordination(),
    maxAgeMs: null,
    cycleTimeoutMs: 60_000,
    shutdownGraceMs: 60_000,
    ticks,
    signal: end.signal,
    listener: {
      onCycleStarted: () => undefined,
      onRecorded: () => undefined,
      onSurveysNotKept: (thrown) => tell(`surveys not kept: ${codeOf(thrown)}`),
      onRunning: () => undefined,
      onCycle: (assessment) => tell(isConverged(assessment) ? "converged" : "gaps"),
      onCycleFailed: (thrown) => tell(`cycle failed: ${codeOf(thrown)}`),
      onPlanned: () => undefined,
      onStarted: () => tell("started"),
      onEnded: ({ outcome }) => tell(`ended ${outcome}`),
      onRepairFailed: (thrown) => tell(`repair failed: ${codeOf(thrown)}`),
      onLeading: () => undefined,
      onDegraded: () => undefined,
      onStopping: (running) => tell(`stopping ${running}`),
    },
    ...more,
  });
  const running: Running = {
    events,
    context,
    told: (kind, count = 1) =>
      new Promise((resolve) => {
        const listen = () => {
          if (events.filter((event) => event === kind).length < count) return;
          listeners = listeners.filter((listener) => listener !== listen);
          resolve();
        };
        listeners.push(listen);
        listen();
      }),
    tick: () => onTick(),
    async stop() {
      end.abort();
      await daemon;
    },
  };
  return running;
}

function inlineCoordination(): Coordination {
  return {
    queue: createInlineRepairQueue({ jobsMax: 100 }),
    events: createInlineRepairEvents(),
    lease: createInlinePlanningLease(),
  };
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
}

test("what is lost behind its back is found by the next tick and repaired", async () => {
  const daemon = await startDaemon(fill);
  await daemon.told("ended repaired");
  daemon.tick();
  await daemon.told("converged");
  await warehouse.write(["delete from shop.orders where day = date '2024-01-02'"]);
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
  expect(await warehouse.read("select count(*) from shop.orders")).toEqual([["10"]]);
});

test("after a cycle that failed nothing is begun until one has worked", async () => {
  await warehouse.write(["alter table shop.days rename to hidden"]);
  const daemon = await startDaemon(fill);
  await daemon.told("cycle failed: schedule_failed");
  await warehouse.write(["alter table shop.hidden rename to days"]);
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
  const daemon = await startDaemon(fill, {
    around: (context) => ({ ...context, warehouse: { ...context.warehouse, keepSurveys: full } }),
  });
  await daemon.told("surveys not kept: ledger_unavailable");
  await daemon.told("ended repaired");
  await daemon.stop();
  expect(daemon.events.filter((event) => event.startsWith("cycle failed"))).toEqual([]);
});

test("a cycle that takes too long is given up and told", async () => {
  const daemon = await startDaemon(fill, { cycleTimeoutMs: 1 });
  await daemon.told("cycle failed: cycle_timeout");
  await daemon.stop();
  expect(daemon.events).not.toContain("started");
});

test("a stop lets a repair that runs end by itself", async () => {
  const daemon = await startDaemon(
    `command: [node, -e, "setTimeout(() => {}, 1500)", "{{start_date}}"], max_attempts: 1`,
  );
  await daemon.told("started");
  await daemon.stop();
  expect(daemon.events.slice(-3)).toEqual(["ticks stopped", "stopping 1", "ended ineffective"]);
});

test("whoever is stopped says that it plans no more while its repair goes on: another does by then", async () => {
  const told: string[] = [];
  const started = event();
  const daemon = await startDaemon(
    `command: [node, -e, "setTimeout(() => {}, 1500)", "{{start_date}}"], max_attempts: 1`,
    {
      listener: tellAll([
        {
          onStarted: () => started.happens(),
          onStopping: () => told.push("stopping"),
          onLeading: (isLeading) => told.push(`leading ${isLeading}`),
          onEnded: () => told.push("ended"),
        },
      ]),
    },
  );
  await started.happened;
  await daemon.stop();
  expect(told).toEqual(["leading true", "stopping", "leading false", "ended"]);
}, 60_000);

test("a stop that comes while the loop turns is not slept through", async () => {
  const end = new AbortController();
  const coordination = inlineCoordination();
  const { queue } = coordination;
  const daemon = await startDaemon(fill, {
    signal: end.signal,
    // A repair would wake it when it ends.
    mode: "observe",
    coordination: {
      ...coordination,
      queue: {
        consume: (handle, options) => queue.consume(handle, options),
        enqueue: (jobs, epoch) => queue.enqueue(jobs, epoch),
        remove: (ids) => queue.remove(ids),
        depth: () => queue.depth(),
        close: () => queue.close(),
        outstanding() {
          end.abort();
          return queue.outstanding();
        },
      },
    },
    around: (context) => ({ ...context, clock: { ...systemClock, sleep: untilWoken } }),
  });
  await daemon.told("ticks stopped");
  await daemon.stop();
  expect(daemon.events.slice(-2)).toEqual(["ticks stopped", "stopping 0"]);
}, 60_000);

/** Sleeps for ever unless it is woken. */
function untilWoken(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

test("a repair that goes on beyond the grace is cancelled, on record, and charged to nobody", async () => {
  const daemon = await startDaemon(
    `command: [node, -e, "setTimeout(() => {}, 60000)", "{{start_date}}"], max_attempts: 1`,
    { shutdownGraceMs: 50 },
  );
  await daemon.told("started");
  await daemon.stop();
  const { unfinished, attempts } = await daemon.context.ledger.read(Date.now());
  expect(unfinished).toEqual([]);
  expect(attempts.filter(({ charged }) => charged)).toEqual([]);
});

const longCommand = `command: [node, -e, "setTimeout(() => {}, 60000)", "{{start_date}}"], max_attempts: 1`;

function decision(kind: "cancel" | "pause"): Decision {
  return {
    id: "stop-it",
    at: Date.now() + 1000,
    actor: "ann",
    kind,
    processors: ["orders"],
    startDate: null,
    endDate: null,
    reason: "wrong input",
    waiver: null,
  };
}

/** Something to wait for. */
function event(): { readonly happened: Promise<void>; readonly happens: () => void } {
  let happens: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happened, happens: () => happens() };
}

/** A clock that can be set forward, and that keeps how long it was asked to wait. */
interface TestClock {
  readonly clock: Clock;
  skipMs: number;
  readonly waits: number[];
  /** The next so many waits, each of which ends soon. */
  nextWaits(count: number): Promise<readonly number[]>;
}

function testClock(): TestClock {
  const waits: number[] = [];
  let onWait: () => void = () => undefined;
  const own: TestClock = {
    skipMs: 0,
    waits,
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now() + own.skipMs,
      sleep: async (ms, signal) => {
        waits.push(ms);
        onWait();
        await systemClock.sleep(Math.min(ms, 5), signal);
      },
    },
    nextWaits: (count) =>
      new Promise((resolve) => {
        const from = waits.length;
        onWait = () => {
          if (waits.length === from + count) resolve(waits.slice(from));
        };
      }),
  };
  return own;
}

const ordersJob: RepairJob = {
  id: "orders/2024-01-05..2024-01-05/1",
  repair: "orders",
  dates: [parseIsoDate("2024-01-05")],
  attempt: 1,
  reason: "1 missing",
  cycleId: "of-another-process",
};

test("a worker that could not record a repair does not spin when it would be time for a cycle", async () => {
  const own = testClock();
  const coordination = inlineCoordination();
  const daemon = await startDaemon(fill, {
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
  own.skipMs = 120_000;
  await own.nextWaits(1);
  const waits = await own.nextWaits(5);
  await daemon.stop();
  expect(Math.min(...waits)).toBeGreaterThan(1000);
});

test("a planner that lost its lease while jobs were outstanding does not spin", async () => {
  const own = testClock();
  const lost = new AbortController();
  let terms = 0;
  const daemon = await startDaemon(longCommand, {
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
  own.skipMs = 120_000;
  await own.nextWaits(1);
  const waits = await own.nextWaits(5);
  await daemon.stop();
  expect(Math.min(...waits)).toBeGreaterThan(1000);
});

test("a job that is handed out again while it runs leaves the first run to be cancelled by a person", async () => {
  const coordination = inlineCoordination();
  const daemon = await startDaemon(longCommand, {
    coordination: {
      ...coordination,
      queue: {
        enqueue: (...of) => coordination.queue.enqueue(...of),
        outstanding: () => coordination.queue.outstanding(),
        remove: (ids) => coordination.queue.remove(ids),
        depth: () => coordination.queue.depth(),
        close: () => coordination.queue.close(),
        consume: (handle, options) =>
          coordination.queue.consume(async (job, signal) => {
            await Promise.all([handle(job, signal), handle(job, signal)]);
          }, options),
      },
    },
  });
  await daemon.told("started");
  await daemon.context.ledger.recordDecision(decision("cancel"));
  await daemon.told("ended failed");
  await daemon.stop();
  expect(daemon.events.filter((event) => event === "started")).toHaveLength(1);
});

test("a pause that is read while a look goes on holds when it has ended", async () => {
  const own = testClock();
  const coordination = inlineCoordination();
  const [looking, read, released] = [event(), event(), event()];
  let surveys = 0;
  const daemon = await startDaemon(fill, {
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
  await warehouse.write(["delete from shop.orders where day = date '2024-01-02'"]);
  daemon.tick();
  await looking.happened;
  await daemon.context.ledger.recordDecision(decision("pause"));
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
  await warehouse.write(["delete from shop.orders where day = date '2024-01-08'"]);
  let isFirst = true;
  const daemon = await startDaemon(`${fill}, concurrency: 1`, {
    around: ({ warehouse: port, ...rest }) => ({
      ...rest,
      warehouse: {
        ...port,
        profile: async (request) => {
          if (isFirst) {
            isFirst = false;
            await warehouse.write([`insert into shop.orders values ('${request.range.start}', 'o')`]);
          }
          return port.profile(request);
        },
      },
    }),
  });
  await daemon.told("ended repaired");
  await daemon.stop();
  expect(daemon.events.filter((told) => told === "started")).toHaveLength(1);
  expect(await warehouse.read("select count(*) from shop.orders")).toEqual([["10"]]);
}, 15_000);

test("a stop while a worker looks for the first time ends it at once, and nothing is begun", async () => {
  const coordination = inlineCoordination();
  const looking = event();
  const daemon = await startDaemon(fill, {
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

test("what a verified repair unblocks waits neither for the record of its end nor for people's decisions", async () => {
  await warehouse.write(["create table shop.copies as from shop.orders"]);
  const recorded = event();
  let ends = 0;
  const daemon = await startDaemon(fill, {
    downstream: `  copies: { table: shop.copies, date_column: day, depends_on: [orders], repair: { ${fill} } }`,
    around: ({ ledger, clock, ...rest }) => ({
      ...rest,
      // It looks at nothing again because of the time: only what it is told has it plan.
      clock: { ...clock, sleep: (ms, signal) => clock.sleep(ms === 0 ? 0 : 600_000, signal) },
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
  expect(await warehouse.read("select count(*) from shop.copies")).toEqual([["10"]]);
});

/** A queue that counts what it is asked. */
function countingQueue(): {
  readonly queue: RepairQueue;
  readonly enqueued: readonly string[];
  readonly asked: () => number;
} {
  const queue = createInlineRepairQueue({ jobsMax: 100 });
  const enqueued: string[] = [];
  let asked = 0;
  const counting: RepairQueue = {
    enqueue(jobs, epoch) {
      enqueued.push(...jobs.map(({ id }) => id));
      return queue.enqueue(jobs, epoch);
    },
    outstanding() {
      asked += 1;
      return queue.outstanding();
    },
    consume: (...of) => queue.consume(...of),
    remove: (ids) => queue.remove(ids),
    depth: () => queue.depth(),
    close: () => queue.close(),
  };
  return { queue: counting, enqueued, asked: () => asked };
}

test("a failure of which nobody told the planner backs off all the same, by the ledger", async () => {
  const { queue, enqueued, asked } = countingQueue();
  const events = { ...createInlineRepairEvents(), publish: () => Promise.resolve() };
  const coordination: Coordination = { lease: createInlinePlanningLease(), queue, events };
  const repair = `command: [${JSON.stringify(process.execPath)}, -e, process.exit(1)], backoff: [1h]`;
  const planner = await startDaemon(repair, { role: "planner", coordination });
  const worker = await startDaemon(repair, {
    role: "worker",
    coordination,
    around: (context) => ({ ...context, worker: "host/2/2" }),
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
  const coordination: Coordination = {
    lease: createInlinePlanningLease(),
    queue,
    events: createInlineRepairEvents(),
  };
  const planner = await startDaemon(fill, { role: "planner", coordination });
  const { ledger, compiled } = planner.context;
  const consumer = queue.consume(
    async ({ id, repair, dates, attempt, cycleId }) => {
      const now = Date.now();
      // Of a worker that took it before and stands still.
      await ledger.recordStart({
        repairId: `${repair}-1`,
        repair,
        processors: ["orders"],
        dates,
        attempt,
        token: now,
        startedAt: now,
        deadlineAt: now + 3_600_000,
        worker: "host/2/2",
        externalHandle: null,
        repairHash: compiled.pipeline.repairUnits[0]?.hash ?? "",
        cycleId,
      });
      const body = encodeReport({
        result: "locked",
        ends: [],
        seen: new Map(),
        from: 0,
        to: 0,
        scanBytes: 0,
      });
      await coordination.events.publish({ kind: "ended", jobId: id, body });
    },
    { slots: 1 },
  );
  await expect.poll(() => enqueued, { timeout: 20_000 }).toHaveLength(1);
  const before = asked();
  // Locked cells are left alone for two seconds, and then thought of anew.
  await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(before + 1);
  await planner.stop();
  await consumer.close({ graceMs: 0 });
  expect(enqueued).toHaveLength(1);
});

test("a ledger that is away while it plans is told as that, and not as what keeps the processes together", async () => {
  const coordination = inlineCoordination();
  const time = testClock();
  const told: string[] = [];
  let isAway = false;
  const [enqueued, failed] = [event(), event()];
  const planner = await startDaemon(fill, {
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
  const repair = `command: [${JSON.stringify(process.execPath)}, -e, process.exit(1)], backoff: [1h]`;
  const daemon = await startDaemon(repair, {
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
  const observer = await startDaemon(fill, { mode: "observe", coordination });
  await observer.told("gaps");
  const repairer = await startDaemon(fill, {
    coordination,
    around: (context) => ({ ...context, worker: "host/2/2" }),
  });
  await repairer.told("ended repaired");
  expect(observer.events).not.toContain("started");
  await Promise.all([observer.stop(), repairer.stop()]);
});

test("a job that kills whoever takes it is charged with each death, also between two cycles", async () => {
  const coordination: Coordination = inlineCoordination();
  const planner = await startDaemon("sql_file: orders.sql, backoff: [0s], max_attempts: 2", {
    role: "planner",
    coordination,
    around: (context) => ({ ...context, isWorkerDead: (worker) => worker === "host/2/2" }),
  });
  const attempts: number[] = [];
  const consumer = coordination.queue.consume(
    async ({ repair, dates, attempt, cycleId }) => {
      attempts.push(attempt);
      const now = Date.now();
      await planner.context.ledger.recordStart({
        repairId: `${repair}-${attempt}-${attempts.length}`,
        repair,
        processors: ["orders"],
        dates,
        attempt,
        token: now,
        startedAt: now,
        deadlineAt: now + 3_600_000,
        worker: "host/2/2",
        externalHandle: null,
        repairHash: planner.context.compiled.pipeline.repairUnits[0]?.hash ?? "",
        cycleId,
      });
    },
    { slots: 1 },
  );
  await planner.told("ended lost", 2);
  await planner.stop();
  await consumer.close({ graceMs: 0 });
  expect(attempts).toEqual([1, 2]);
});
