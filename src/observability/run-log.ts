import type { Logger } from "pino";
import { Disposition, State } from "../core/grid.ts";
import { formatInstant } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { DaemonListener } from "../reconcile/daemon-options.ts";
import type { RunListener, RunProgress } from "../reconcile/once-options.ts";
import type { DeliveryListener } from "../reconcile/ports/notifier.ts";

/** What a log says nothing of: others want to see it. */
type Unlogged = "onCycleStarted" | "onRecorded" | "onRunning";

export interface RunLog extends Omit<RunListener & DaemonListener, Unlogged>, DeliveryListener {
  readonly onLocked: (message: string) => void;
  readonly onProgress: (progress: RunProgress) => void;
  readonly onListening: (url: string) => void;
  readonly onRequestFailed: (thrown: unknown, request: string) => void;
  readonly onUnreadable: (jobId: string, message: string) => void;
  readonly onStalled: (stall: { readonly waiting: number; readonly stalledMs: number }) => void;
  readonly onLockServer: (news: {
    readonly name: string;
    readonly failure: unknown;
    readonly failing: number;
  }) => void;
  readonly onWiped: () => void;
  readonly onNewsFailed: (thrown: unknown) => void;
  readonly onListenerFailed: (thrown: unknown) => void;
}

/** Tells the events of a run or a daemon as log lines: constant messages with fields, nothing per cell. */
export function runLog(logger: Logger): RunLog {
  return {
    onCycle(assessment, cycleId) {
      const { grid } = assessment;
      const count = (codes: Uint8Array, test: (code: number) => boolean) =>
        codes.reduce((sum, code) => sum + (test(code) ? 1 : 0), 0);
      logger.info(
        {
          cycle_id: cycleId,
          gaps: count(grid.dispositions, (code) => code !== Disposition.none),
          quarantined: count(grid.dispositions, (code) => code === Disposition.quarantined),
          unknown: count(grid.states, (code) => code === State.unknown),
        },
        "cycle observed",
      );
      const unread = assessment.sight.runHistory?.failure ?? null;
      if (unread !== null) {
        logger.warn({ cycle_id: cycleId, code: unread.code, error: unread.message }, "run history not read");
      }
      const stale = assessment.elsewhere.stale.length;
      if (stale > 0) logger.warn({ cycle_id: cycleId, runs: stale }, "stale runs in the run history");
      for (const observed of grid.pipeline.processors) {
        const failure = assessment.sight.observed[observed.index]?.failure ?? null;
        if (failure !== null) {
          logger.error(
            { cycle_id: cycleId, processor: observed.name, code: failure.code, error: failure.message },
            "table not observed",
          );
        }
      }
    },
    onPlanned(_assessment, jobs) {
      if (jobs.length > 0) logger.debug({ jobs: jobs.length }, "jobs enqueued");
    },
    onStarted(start) {
      logger.info(
        {
          cycle_id: start.cycleId,
          repair_id: start.repairId,
          repair: start.repair,
          start_date: start.dates[0],
          end_date: start.dates.at(-1),
          dates: start.dates.length,
          attempt: start.attempt,
          ...(start.externalHandle === null ? {} : { external_handle: start.externalHandle }),
        },
        "repair started",
      );
    },
    onEnded(end) {
      const fields = {
        repair_id: end.repairId,
        repair: end.repair,
        start_date: end.dates[0],
        end_date: end.dates.at(-1),
        dates: end.dates.length,
        outcome: end.outcome,
        seconds: (end.endedAt - end.startedAt) / 1000,
        code: end.errorCode,
        error: end.message,
      };
      if (end.outcome === "repaired") logger.info(fields, "repair ended");
      else logger.warn(fields, "repair ended");
    },
    onCycleFailed(thrown, cycleId) {
      logger.error({ cycle_id: cycleId, ...fieldsOf(thrown) }, "cycle failed");
    },
    onRepairFailed(thrown) {
      logger.error(fieldsOf(thrown), "repairs wait: warehouse or ledger failed");
    },
    onLeading(isLeading) {
      logger.info({ leading: isLeading }, "planning lease");
    },
    onDegraded(thrown) {
      if (thrown === null) logger.info("coordination is back");
      else logger.error(fieldsOf(thrown), "coordination is away: nothing new is enqueued");
    },
    onUnreadable(jobId, message) {
      logger.error({ job_id: jobId, error: message }, "job dropped: nobody can read it");
    },
    onStalled({ waiting, stalledMs }) {
      logger.error(
        { waiting, seconds: stalledMs / 1000 },
        "jobs wait and none is taken: the worker is started anew",
      );
    },
    onDelivery({ receiver, kinds, outcome, message }) {
      if (outcome === "sent") logger.info({ receiver, events: kinds }, "people notified");
      else logger.error({ receiver, events: kinds, outcome, error: message }, "people not notified");
    },
    onNewsFailed(thrown) {
      logger.warn(fieldsOf(thrown), "news not found out: the next cycle tells them");
    },
    onListenerFailed(thrown) {
      logger.error(fieldsOf(thrown), "an event was not told to all: metrics or notifications may lack it");
    },
    onSurveysNotKept(thrown) {
      logger.warn(fieldsOf(thrown), "surveys not kept: the next process is billed for them once more");
    },
    onLockServer({ name, failure, failing }) {
      const fields = { server: name, failing };
      if (failure === null) logger.info(fields, "a lock server counts again");
      else logger.error({ ...fields, ...fieldsOf(failure) }, "a lock server does not count");
    },
    onWiped() {
      logger.warn(
        "redis has forgotten everything: what waited is enqueued again, and no lock is granted for 15 s",
      );
    },
    onStopping(running) {
      logger.info({ running }, "stopping");
    },
    onListening(url) {
      logger.info({ url }, "http server listens");
    },
    onRequestFailed(thrown, request) {
      logger.error({ request, ...fieldsOf(thrown) }, "http request failed");
    },
    onProgress({ repaired, total, running, failures, secondsLeft }) {
      const left = secondsLeft === null ? {} : { seconds_left: Math.ceil(secondsLeft) };
      logger.info({ repaired, cells: total, running, failures, ...left }, "progress");
    },
    onLocked(message) {
      logger.info({ reason: message }, "waiting for another run");
    },
    onAsking() {
      logger.info("another process plans, or may: it is asked for these repairs, and its workers do them");
    },
    onWaiting(until) {
      const what =
        until === null ? { for: "runs elsewhere" } : { for: "backoff", until: formatInstant(until) };
      logger.info(what, "waiting");
    },
  };
}

function fieldsOf(thrown: unknown): object {
  if (!(thrown instanceof ReconcilerError)) return { err: thrown };
  const { code, message, hint, path } = thrown;
  return { code, error: message, ...(hint === null ? {} : { hint }), ...(path === null ? {} : { path }) };
}
