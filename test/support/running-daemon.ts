// A daemon in this process over a real DuckDB shop and ledger, SQL and command repairs, and ticks by hand.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { createDuckDbLedger } from "../../src/adapters/duckdb/ledger.ts";
import { createDuckDbWarehouse } from "../../src/adapters/duckdb/warehouse.ts";
import { createExecutors } from "../../src/adapters/executors/index.ts";
import { createInlineCellLock } from "../../src/adapters/inline/cell-lock.ts";
import { createInlinePlanningLease } from "../../src/adapters/inline/planning-lease.ts";
import { createInlineRepairEvents } from "../../src/adapters/inline/repair-events.ts";
import { createInlineRepairQueue } from "../../src/adapters/inline/repair-queue.ts";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { compilePipeline } from "../../src/core/assessment.ts";
import { isConverged } from "../../src/core/assess.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { reconcileAlways } from "../../src/reconcile/daemon.ts";
import type { Coordination, DaemonOptions } from "../../src/reconcile/daemon-options.ts";
import type { Ticks } from "../../src/reconcile/ports.ts";
import type { RepairJob, RepairQueue } from "../../src/reconcile/ports/repair-queue.ts";
import { makeTempWarehouse, type TempWarehouse } from "./duckdb.ts";
import { repairStart } from "./ledger.ts";
import { loadShop } from "./shop-pipeline.ts";
import { hurriedClock } from "./test-clocks.ts";

/** Ten days of a shop, of which the fifth has no orders; the caller removes it. */
function makeOrders(): Promise<TempWarehouse> {
  return makeTempWarehouse([
    "create schema shop",
    "create table shop.days as select date '2024-01-01' + i::integer as day from range(10) as r (i)",
    "create table shop.orders as select day, 'o' as id from shop.days where day <> date '2024-01-05'",
  ]);
}

/** The same for each test of the file, made before it and removed after it. */
export function ordersOfEachTest(): { readonly warehouse: TempWarehouse } {
  let warehouse: TempWarehouse | null = null;
  beforeEach(async () => {
    warehouse = await makeOrders();
  });
  afterEach(() => warehouse?.remove());
  return {
    get warehouse() {
      if (warehouse === null) throw new Error("there is a warehouse in a test only");
      return warehouse;
    },
  };
}

/** A repair of any table of that shop. */
export const fill = "sql_file: orders.sql, backoff: [10ms]";

/** One that ends only when it is ended. */
export const longCommand = `command: [node, -e, "setTimeout(() => {}, 60000)", "{{start_date}}"], max_attempts: 1`;

/** One that fails, and is not tried again for an hour. */
export const failing = `command: [${JSON.stringify(process.execPath)}, -e, process.exit(1)], backoff: [1h]`;

/** The job of the day that is missing, as a planner elsewhere would make it. */
export const ordersJob: RepairJob = {
  id: "orders/2024-01-05..2024-01-05/1",
  repair: "orders",
  dates: [parseIsoDate("2024-01-05")],
  attempt: 1,
  reason: "1 missing",
  cycleId: "of-another-process",
};

/** A daemon with every event that it tells, in words. */
export interface RunningDaemon {
  readonly events: readonly string[];
  /** Resolves once so many events of the kind were told. */
  told(kind: string, count?: number): Promise<void>;
  readonly tick: () => void;
  readonly stop: () => Promise<void>;
  readonly context: ReconcileContext;
}

export interface Surroundings extends Partial<DaemonOptions> {
  /** Stands between the daemon and what it works with. */
  readonly around?: (context: ReconcileContext) => ReconcileContext;
  /** Another processor, as a line of the file. */
  readonly downstream?: string;
}

/** A daemon over the orders, whose repair is what stands in the file; it plans and works alone unless it is told otherwise. */
export async function startDaemon(
  warehouse: TempWarehouse,
  repair: string,
  { around, downstream = "", ...more }: Surroundings = {},
): Promise<RunningDaemon> {
  const bare = await contextOf(warehouse, repair, downstream);
  const context = around?.(bare) ?? bare;
  const [told, ticks, end] = [new Told(), ticksByHand(), new AbortController()];
  const daemon = reconcileAlways(context, {
    role: "all",
    mode: "repair",
    coordination: inlineCoordination(),
    maxAgeMs: null,
    cycleTimeoutMs: 60_000,
    shutdownGraceMs: 60_000,
    ticks: ticks.of(() => told.tell("ticks stopped")),
    signal: end.signal,
    listener: inWords(told),
    ...more,
  });
  return {
    events: told.events,
    context,
    told: (kind, count = 1) => told.until(kind, count),
    tick: ticks.tick,
    async stop() {
      end.abort();
      await daemon;
    },
  };
}

async function contextOf(
  { folder, path }: TempWarehouse,
  repair: string,
  downstream: string,
): Promise<ReconcileContext> {
  await writeFile(
    join(folder, "orders.sql"),
    "select day, 'o' as id from shop.days where day between $start_date and $end_date",
  );
  const { pipeline } = await loadShop(
    folder,
    `processors:
  orders: { table: shop.orders, date_column: day, repair: { ${repair} } }
${downstream}`,
  );
  const { processors, schedules, timezone } = pipeline;
  const port = createDuckDbWarehouse({ path, timezone, processors, schedules });
  return {
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
}

/** What was told, in its order, and whoever waits for more. */
class Told {
  readonly events: string[] = [];
  #listeners: (() => void)[] = [];

  tell(event: string): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener();
  }

  until(kind: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      const listen = () => {
        if (this.events.filter((event) => event === kind).length < count) return;
        this.#listeners = this.#listeners.filter((listener) => listener !== listen);
        resolve();
      };
      this.#listeners.push(listen);
      listen();
    });
  }
}

function inWords(told: Told): DaemonOptions["listener"] {
  return {
    onCycleStarted: () => undefined,
    onRecorded: () => undefined,
    onSurveysNotKept: (thrown) => told.tell(`surveys not kept: ${codeOf(thrown)}`),
    onRunning: () => undefined,
    onCycle: (assessment) => told.tell(isConverged(assessment) ? "converged" : "gaps"),
    onCycleFailed: (thrown) => told.tell(`cycle failed: ${codeOf(thrown)}`),
    onPlanned: () => undefined,
    onStarted: () => told.tell("started"),
    onEnded: ({ outcome }) => told.tell(`ended ${outcome}`),
    onRepairFailed: (thrown) => told.tell(`repair failed: ${codeOf(thrown)}`),
    onLeading: () => undefined,
    onDegraded: () => undefined,
    onStopping: (running) => told.tell(`stopping ${running}`),
  };
}

function ticksByHand(): { readonly tick: () => void; of(onStopped: () => void): Ticks } {
  let onTick: () => void = () => undefined;
  return {
    tick: () => onTick(),
    of: (onStopped) => ({
      start(listener) {
        onTick = listener;
        return { stop: onStopped };
      },
    }),
  };
}

/** What keeps the processes of one pipeline together, for those of this process. */
export function inlineCoordination(): Coordination {
  return {
    isShared: true,
    queue: createInlineRepairQueue({ jobsMax: 100 }),
    events: createInlineRepairEvents(),
    lease: createInlinePlanningLease(),
  };
}

/** The queue, with some of what it does replaced. */
export function queueBut(queue: RepairQueue, changes: Partial<RepairQueue>): RepairQueue {
  return {
    enqueue: (...of) => queue.enqueue(...of),
    consume: (...of) => queue.consume(...of),
    outstanding: () => queue.outstanding(),
    remove: (ids) => queue.remove(ids),
    depth: () => queue.depth(),
    close: () => queue.close(),
    ...changes,
  };
}

/** Around a daemon that waits for what takes seconds otherwise. */
export function hurried(context: ReconcileContext): ReconcileContext {
  return { ...context, clock: hurriedClock };
}

/** The word for programs of what was thrown. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
}

/** The worker of a process that is not there. */
export const elsewhere = "host/2/2";

/** Puts on record that a run of the job began elsewhere, which may take an hour. */
export async function recordStartElsewhere(
  { ledger, compiled }: ReconcileContext,
  { repair, dates, attempt, cycleId }: RepairJob,
  repairId: string,
): Promise<void> {
  const now = Date.now();
  await ledger.recordStart(
    repairStart(repair, dates, {
      repairId,
      attempt,
      token: now,
      startedAt: now,
      deadlineAt: now + 3_600_000,
      worker: elsewhere,
      repairHash: compiled.pipeline.repairUnits[0]?.hash ?? "",
      cycleId,
    }),
  );
}

/** Something to wait for. */
export function event(): { readonly happened: Promise<void>; readonly happens: () => void } {
  let happens: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happened, happens: () => happens() };
}
