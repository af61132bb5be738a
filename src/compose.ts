import { createExecutors } from "./adapters/executors/index.ts";
import { createCronTicks } from "./adapters/inline/cron-ticks.ts";
import { systemClock } from "./adapters/inline/system-clock.ts";
import { isWorkerDead, workerIdentity } from "./adapters/inline/worker-identity.ts";
import { openCoordination, type OpenCoordination } from "./compose/coordination.ts";
import { tellAll } from "./compose/listeners.ts";
import { openNews } from "./compose/news.ts";
import { checkWarehouseFile, guardRun, openStorage } from "./compose/storage.ts";
import type { Config } from "./config/config.ts";
import { type Assessment, compilePipeline } from "./core/assessment.ts";
import type { PlannedStep } from "./core/cascade.ts";
import { plan } from "./core/plan.ts";
import { createLogger, type LoggingOptions } from "./observability/logging.ts";
import { runLog } from "./observability/run-log.ts";
import type { ReconcileContext } from "./reconcile/context.ts";
import { reconcileAlways } from "./reconcile/daemon.ts";
import type { DaemonRole } from "./reconcile/daemon-options.ts";
import { forecastSteps } from "./reconcile/forecast.ts";
import { type OnceOptions, type OnceResult, reconcileOnce, type RunListener } from "./reconcile/once.ts";
import type { CellLock } from "./reconcile/ports.ts";
import { Session, type SessionOptions } from "./reconcile/session.ts";

/** What the process before may take to end, beyond its grace. */
const restartMs = 60_000;
/** Daemons that were started together do not ask in step. */
const jitterMs = 5_000;

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
  once(options: AppOnceOptions, onLocked: (message: string) => void): Promise<OnceResult>;
  /** Cycles and repairs as the config's `daemon` says, until the signal aborts; guarded as `once` is. */
  daemon(options: Omit<GuardWait, "waitMs"> & { readonly role: DaemonRole }): Promise<void>;
  close(): Promise<void>;
}

interface AppOnceOptions extends Omit<OnceOptions, "listener"> {
  readonly listener: Partial<RunListener>;
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

/** Who only looks locks nothing. */
const noLock: CellLock = { acquire: () => Promise.resolve(null) };

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
    lock: noLock,
    executor: createExecutors({ warehouse, secrets: config.secrets, clock }),
    clock,
    worker: workerIdentity(),
    enterCycle: (id) => {
      cycleId = id;
    },
    isWorkerDead,
  };
  /** What repairs, together with the other processes of the pipeline, or alone and one at a time per ledger. */
  const repairing = async <T>(wait: GuardWait, work: (parts: OpenCoordination) => Promise<T>): Promise<T> => {
    // Before the lock file is made, so that a wrong path leaves nothing behind.
    if (config.storage.type === "duckdb") await checkWarehouseFile(config.storage.path);
    const { waitMs, signal, onLocked } = wait;
    const onWait = (message: string) => {
      log.onLocked(message);
      onLocked(message);
    };
    const isAlone = config.redis === null;
    const guard = isAlone ? await guardRun({ path: guardPath, waitMs, signal, onWait }) : null;
    const parts = await openCoordination(config, tellAll([log]));
    try {
      return await work(parts);
    } finally {
      await parts.close();
      await guard?.release();
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
      repairing({ waitMs: options.maxWaitMs, signal: options.signal, onLocked }, async (parts) => {
        await parts.check();
        // A run has somebody who waits for it: it does not outwait a Redis that is away.
        await parts.lease.currentEpoch();
        await warehouse.connect();
        return reconcileOnce(
          { ...context, lock: parts.lock },
          { ...options, listener: tellAll([options.listener, log]) },
        );
      }),
    daemon: ({ role, signal, onLocked }) =>
      repairing(
        { waitMs: config.daemon.shutdownGraceMs + restartMs, signal, onLocked },
        async (coordination) => {
          await coordination.check();
          const news = await openNews(config, { ledger, clock, listener: tellAll([log]) });
          try {
            await reconcileAlways(
              { ...context, lock: coordination.lock },
              {
                ...config.daemon,
                role,
                maxAgeMs: pipeline.safety.autoRepairMaxAgeMs,
                coordination,
                ticks: createCronTicks({ cron: config.daemon.cron, timezone: pipeline.timezone, jitterMs }),
                listener: news.listener,
                signal,
              },
            );
          } finally {
            await news.close();
          }
        },
      ),
    async close() {
      await warehouse.close();
      await context.ledger.close();
    },
  };
}
