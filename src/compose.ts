import { createExecutors } from "./adapters/executors/index.ts";
import { createCronTicks } from "./adapters/inline/cron-ticks.ts";
import { systemClock } from "./adapters/inline/system-clock.ts";
import { isWorkerDead, workerIdentity } from "./adapters/inline/worker-identity.ts";
import {
  type CoordinationListener,
  openCoordination,
  type OpenCoordination,
} from "./compose/coordination.ts";
import { firstAnswer } from "./compose/first-answer.ts";
import { showOverHttp } from "./compose/http.ts";
import { tellAll } from "./compose/listeners.ts";
import { openMetrics, withMetricsFile } from "./compose/metrics.ts";
import { openNews } from "./compose/news.ts";
import { checkWarehouseFile, guardRun, openStorage } from "./compose/storage.ts";
import type { Config } from "./config/config.ts";
import { type Assessment, compilePipeline } from "./core/assessment.ts";
import type { PlannedStep } from "./core/cascade.ts";
import type { DecisionRequest } from "./core/decide.ts";
import type { IsoDate } from "./core/iso-date.ts";
import type { Decision } from "./core/ledger-records.ts";
import type { Processor } from "./core/pipeline.ts";
import type { ResultDocument } from "./core/result-document.ts";
import { plan } from "./core/plan.ts";
import { createLogger, type LoggingOptions } from "./observability/logging.ts";
import type { Metrics } from "./observability/metrics/metrics.ts";
import { type RunLog, runLog } from "./observability/run-log.ts";
import type { ReconcileContext } from "./reconcile/context.ts";
import { reconcileAlways } from "./reconcile/daemon.ts";
import type { DaemonRole } from "./reconcile/daemon-options.ts";
import { type ExplainedCellFully, explainFully } from "./reconcile/explain-cell.ts";
import { nameKeys } from "./reconcile/name-keys.ts";
import { forecastSteps } from "./reconcile/forecast.ts";
import { reconcileOnce } from "./reconcile/once.ts";
import type { OnceOptions, OnceResult, RunListener } from "./reconcile/once-options.ts";
import { runLimits } from "./reconcile/plan-limits.ts";
import type { CellLock } from "./reconcile/ports.ts";
import { recordDecision } from "./reconcile/record-decision.ts";
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
  /** Of `daemon`; without one there is nothing to tell but what is built. */
  readonly metrics: Pick<Metrics, "render">;
  /** As `explainFully` does. */
  explain(assessment: Assessment, processor: Processor, date: IsoDate): Promise<ExplainedCellFully>;
  /** As `nameKeys` does. */
  nameKeys(document: ResultDocument): Promise<ResultDocument>;
  /** Puts into the log how far a run is. */
  readonly logProgress: RunLog["onProgress"];
  /** As `recordDecision` does. */
  record(request: DecisionRequest, id: string): Promise<Decision>;
  close(): Promise<void>;
}

interface AppOnceOptions extends Omit<OnceOptions, "coordination" | "listener"> {
  readonly listener: Partial<RunListener>;
  /** Where the metrics are written when the run is over, for a textfile collector; without it none are. */
  readonly metricsFile?: string;
}

interface GuardWait {
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Told once if another run has to be waited for. */
  readonly onLocked: (message: string) => void;
}

export interface ComposeOptions {
  readonly logging: Omit<LoggingOptions, "secrets">;
  /** Of the source that this was built from, for metrics. */
  readonly revision?: string;
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
  const repairing = async <T>(
    wait: GuardWait,
    listener: CoordinationListener,
    work: (parts: OpenCoordination) => Promise<T>,
  ): Promise<T> => {
    // Before the lock file is made, so that a wrong path leaves nothing behind.
    if (config.storage.type === "duckdb") await checkWarehouseFile(config.storage.path);
    const { waitMs, signal, onLocked } = wait;
    const onWait = (message: string) => {
      log.onLocked(message);
      onLocked(message);
    };
    const isAlone = config.redis === null;
    const guard = isAlone ? await guardRun({ path: guardPath, waitMs, signal, onWait }) : null;
    const parts = await openCoordination(config, listener);
    try {
      return await work(parts);
    } finally {
      await parts.close();
      await guard?.release();
    }
  };
  const measured = (isDaemon: boolean) =>
    openMetrics({ pipeline, clock, revision: options.revision ?? "", isDaemon });
  let ofDaemon: Promise<Metrics> | null = null;
  const daemonMetrics = () => (ofDaemon ??= measured(true));
  return {
    config,
    context,
    logProgress: log.onProgress,
    metrics: { render: async () => (await daemonMetrics()).render() },
    async look(options) {
      const session = new Session(context, { ...options, maxAgeMs: null, horizon: "fixed" });
      await session.refresh();
      const assessment = session.assess();
      plan(assessment, runLimits(pipeline));
      return {
        assessment,
        steps: () => session.cascade(),
        forecast: (steps) => forecastSteps(context, steps, options.signal),
        scanBytes: session.bill.inAll,
      };
    },
    async once({ metricsFile, ...run }, onLocked) {
      const metrics = metricsFile === undefined ? null : await measured(false);
      const listener = tellAll([run.listener, log, metrics?.listener ?? {}]);
      const wait = { waitMs: run.maxWaitMs, signal: run.signal, onLocked };
      const once = () =>
        repairing(wait, listener, async (parts) => {
          await parts.check();
          // A run has somebody who waits for it: it does not outwait a Redis that is away.
          await firstAnswer(() => parts.lease.currentEpoch(), clock, run.signal);
          await warehouse.connect();
          const whole = { ...context, lock: parts.lock };
          const coordination = config.redis === null ? null : parts;
          return reconcileOnce(metrics?.measure(whole) ?? whole, { ...run, coordination, listener });
        });
      return metrics === null || metricsFile === undefined
        ? once()
        : withMetricsFile(metricsFile, metrics, once);
    },
    async daemon({ role, signal, onLocked }) {
      const metrics = await daemonMetrics();
      const listener = tellAll([log, metrics.listener]);
      await repairing(
        { waitMs: config.daemon.shutdownGraceMs + restartMs, signal, onLocked },
        listener,
        async (coordination) => {
          await coordination.check();
          metrics.watchQueue(() => coordination.queue.depth());
          const news = await openNews(config, { ledger, clock, listener });
          const partlyAway = () => coordination.lockServerFailures();
          const show = showOverHttp(config, { context, metrics, listener: log, partlyAway });
          try {
            await reconcileAlways(metrics.measure({ ...context, lock: coordination.lock }), {
              ...config.daemon,
              role,
              maxAgeMs: pipeline.safety.autoRepairMaxAgeMs,
              coordination,
              ticks: createCronTicks({ cron: config.daemon.cron, timezone: pipeline.timezone, jitterMs }),
              listener: news.listener,
              ...(show === null ? {} : { show }),
              signal,
            });
          } finally {
            await news.close();
          }
        },
      );
    },
    explain: (assessment, processor, date) =>
      explainFully(context, assessment, processor, date, { target: config.target, secrets: config.secrets }),
    nameKeys: (document) => nameKeys(context, document),
    record: (request, id) => recordDecision(context, request, id),
    async close() {
      await warehouse.close();
      await context.ledger.close();
    },
  };
}
