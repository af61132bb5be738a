import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkDatabaseFile } from "./adapters/duckdb/database.ts";
import { createExecutors } from "./adapters/executors/index.ts";
import { createInlineCellLock } from "./adapters/inline/cell-lock.ts";
import { createInlinePlanningLease } from "./adapters/inline/planning-lease.ts";
import { createInlineRepairEvents } from "./adapters/inline/repair-events.ts";
import { createInlineRepairQueue } from "./adapters/inline/repair-queue.ts";
import { createCronTicks } from "./adapters/inline/cron-ticks.ts";
import { acquireRunGuard, isWorkerDead, workerIdentity } from "./adapters/inline/run-guard.ts";
import { systemClock } from "./adapters/inline/system-clock.ts";
import type { Config } from "./config/config.ts";
import { type Assessment, compilePipeline } from "./core/assessment.ts";
import type { PlannedStep } from "./core/cascade.ts";
import { hashOf } from "./core/hash.ts";
import type { Pipeline } from "./core/pipeline.ts";
import { plan } from "./core/plan.ts";
import { assertNever } from "./errors.ts";
import { createLogger, type LoggingOptions } from "./observability/logging.ts";
import { runLog } from "./observability/run-log.ts";
import type { ReconcileContext } from "./reconcile/context.ts";
import { reconcileAlways } from "./reconcile/daemon.ts";
import { forecastSteps } from "./reconcile/forecast.ts";
import { type OnceOptions, type OnceResult, reconcileOnce, type RunListener } from "./reconcile/once.ts";
import type { Ledger, Warehouse } from "./reconcile/ports.ts";
import { Session, type SessionOptions } from "./reconcile/session.ts";

/** Somebody may read the ledger by hand while a run goes on: that must not end the run. */
const ledgerLockWaitMs = 60_000;

/** Beyond a command's own time limit: stopping it, and the looks and writes that wait with this one. */
const turnGraceMs = 600_000;
/** What the process before may take to end, beyond its grace. */
const restartMs = 60_000;
/** Daemons that were started together do not ask in step. */
const jitterMs = 5_000;
/** A Node timer that is set to more fires at once. */
const timerMaxMs = 2 ** 31 - 1;

/** One pass that writes nothing. */
export interface Look {
  readonly assessment: Assessment;
  /** The whole cascade that a run would go through if every repair worked. */
  readonly steps: () => readonly PlannedStep[];
  /** The bytes that steps are expected to be billed for, by step id; empty where nothing is billed. */
  readonly forecast: (steps: readonly PlannedStep[]) => Promise<ReadonlyMap<string, number>>;
  /** What this look was billed for. */
  readonly scanBytes: number;
}

/** A pipeline with its warehouse, its ledger and its executors, ready to be asked and to be reconciled. */
export interface App {
  readonly config: Config;
  readonly context: ReconcileContext;
  /** Looks at everything and plans; writes nothing, the ledger included. */
  look(options: Omit<SessionOptions, "maxAgeMs" | "horizon">): Promise<Look>;
  /**
   * Repairs until converged or until nothing more can be done. One at a time per ledger, across processes: `onLocked` is
   * told once if another run has to be waited for.
   */
  once(options: OnceOptions, onLocked: (message: string) => void): Promise<OnceResult>;
  /** Cycles and repairs as the config's `daemon` says, until the signal aborts; guarded as `once` is. */
  daemon(options: Omit<GuardWait, "waitMs">): Promise<void>;
  close(): Promise<void>;
}

interface GuardWait {
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Told once if another run has to be waited for. */
  readonly onLocked: (message: string) => void;
}

export interface ComposeOptions {
  readonly logging: Omit<LoggingOptions, "secrets">;
}

/** The one place that wires things. Opens nothing by itself: files are opened when they are used. */
export async function compose(config: Config, options: ComposeOptions): Promise<App> {
  const { pipeline } = config;
  const clock = systemClock;
  const log = runLog(createLogger({ ...options.logging, secrets: config.secrets }));
  let cycleId: string | null = null;
  const { warehouse, ledger, guardPath } = await openStorage(config, () => cycleId);
  const context: ReconcileContext = {
    compiled: compilePipeline(pipeline),
    warehouse,
    ledger,
    lock: createInlineCellLock(),
    executor: createExecutors({ warehouse, secrets: config.secrets, clock }),
    clock,
    worker: workerIdentity(),
    enterCycle: (id) => {
      cycleId = id;
    },
    isWorkerDead,
  };
  /** Runs what repairs, one at a time per ledger, across processes. */
  const guarded = async <T>(wait: GuardWait, work: () => Promise<T>): Promise<T> => {
    // Before the lock file is made, so that a wrong path leaves nothing behind.
    if (config.storage.type === "duckdb") checkDatabaseFile(config.storage.path);
    const { waitMs, signal, onLocked } = wait;
    const onWait = (message: string) => {
      log.onLocked(message);
      onLocked(message);
    };
    const guard = await acquireRunGuard({ path: guardPath, waitMs, signal, onWait });
    try {
      return await work();
    } finally {
      await guard.release();
    }
  };
  return {
    config,
    context,
    async look(options) {
      const session = new Session(context, { ...options, maxAgeMs: null, horizon: "fixed" });
      await session.refresh();
      const assessment = session.assess();
      const { jobsMax, cellsPerCycleMax } = pipeline.limits;
      plan(assessment, { jobsMax, cellsMax: cellsPerCycleMax, recentSlots: 0, slots: true });
      return {
        assessment,
        steps: () => session.cascade(),
        forecast: (steps) => forecastSteps(context, steps, options.signal),
        scanBytes: session.scanBytesInAll,
      };
    },
    once: (options, onLocked) =>
      guarded({ waitMs: options.maxWaitMs, signal: options.signal, onLocked }, async () => {
        await warehouse.connect();
        return reconcileOnce(context, { ...options, listener: both(options.listener, log) });
      }),
    daemon: ({ signal, onLocked }) =>
      guarded({ waitMs: config.daemon.shutdownGraceMs + restartMs, signal, onLocked }, () =>
        reconcileAlways(context, {
          ...config.daemon,
          role: "all",
          maxAgeMs: pipeline.safety.autoRepairMaxAgeMs,
          coordination: {
            queue: createInlineRepairQueue({ jobsMax: pipeline.limits.jobsMax }),
            events: createInlineRepairEvents(),
            lease: createInlinePlanningLease(),
          },
          ticks: createCronTicks({ cron: config.daemon.cron, timezone: pipeline.timezone, jitterMs }),
          listener: log,
          signal,
        }),
      ),
    async close() {
      await warehouse.close();
      await context.ledger.close();
    },
  };
}

interface OpenStorage {
  readonly warehouse: Warehouse;
  readonly ledger: Ledger;
  /** The lock file that lets one run at a time repair. */
  readonly guardPath: string;
}

/** What a config does not name is not loaded: it would cost every command a part of a second. */
async function openStorage(
  { pipeline, target, storage }: Config,
  cycle: () => string | null,
): Promise<OpenStorage> {
  switch (storage.type) {
    case "duckdb": {
      const { createDuckDbWarehouse } = await import("./adapters/duckdb/warehouse.ts");
      const { createDuckDbLedger } = await import("./adapters/duckdb/ledger.ts");
      return {
        warehouse: createDuckDbWarehouse({
          path: storage.path,
          timezone: pipeline.timezone,
          processors: pipeline.processors,
          schedules: pipeline.schedules,
          queryTimeoutMs: storage.queryTimeoutMs,
          turnWaitMs: turnWaitMs(pipeline),
        }),
        ledger: createDuckDbLedger({ path: storage.ledgerPath, lockWaitMs: ledgerLockWaitMs }),
        guardPath: `${storage.ledgerPath}.lock`,
      };
    }
    case "bigquery": {
      const { createBigQueryWarehouse } = await import("./adapters/bigquery/warehouse.ts");
      const { createBigQueryLedger } = await import("./adapters/bigquery/ledger.ts");
      const { project, location, labels, apiEndpoint, ledgerDataset } = storage;
      const access = {
        project,
        location,
        labels,
        pipeline: pipeline.name,
        target,
        ...(apiEndpoint === null ? {} : { apiEndpoint }),
      };
      const ledger = createBigQueryLedger({ ...access, dataset: ledgerDataset });
      return {
        warehouse: createBigQueryWarehouse({
          ...access,
          timezone: pipeline.timezone,
          processors: pipeline.processors,
          schedules: pipeline.schedules,
          maximumBytesBilled: storage.maximumBytesBilled,
          queryTimeoutMs: storage.queryTimeoutMs,
          memory: ledger.memory,
          fullProfileEveryMs: storage.fullProfileEveryMs,
          cycle,
        }),
        ledger,
        // Nothing of this machine is beside the data: this keeps two runs on it apart, and locks and tokens all others.
        guardPath: join(tmpdir(), `gap-reconciler-${hashOf([project, ledgerDataset])}.lock`),
      };
    }
    default:
      return assertNever(storage, "storage");
  }
}

/** A look waits while a command has the file, as long as the longest of them may. */
function turnWaitMs({ repairUnits }: Pipeline): number {
  const commandMs = repairUnits
    .filter(({ action }) => action.kind === "command")
    .map((unit) => unit.timeoutMs + unit.timeoutPerDateMs * unit.maxDatesPerJob);
  return Math.min(Math.max(...commandMs, 0) + turnGraceMs, timerMaxMs);
}

function both(first: RunListener, second: RunListener): RunListener {
  return {
    onCycle: (...of) => [first, second].forEach((listener) => listener.onCycle(...of)),
    onPlanned: (...of) => [first, second].forEach((listener) => listener.onPlanned(...of)),
    onStarted: (...of) => [first, second].forEach((listener) => listener.onStarted(...of)),
    onEnded: (...of) => [first, second].forEach((listener) => listener.onEnded(...of)),
    onWaiting: (...of) => [first, second].forEach((listener) => listener.onWaiting(...of)),
  };
}
