import { cancelAfter } from "../core/decisions.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import type { RepairStart } from "../core/ledger-records.ts";
import type { ReconcileContext } from "./context.ts";
import { RepairCancelled } from "./proof.ts";
import { type JobEvents, type JobResult, runJob } from "./repair.ts";
import type { Session } from "./session.ts";
import { withdrawStart } from "./withdraw-start.ts";

/** How long cells that somebody else has locked are left alone. */
const lockedDeferMs = 2000;

interface RunningJob {
  readonly run: InFlight;
  readonly cancel: AbortController;
  readonly ended: Promise<JobResult | null>;
  readonly since: EpochMs;
}

/** A job as planning counts it. */
export function inFlightOf(
  { repairUnits }: Pipeline,
  { repairUnit, days }: Pick<PlannedJob, "repairUnit" | "days">,
  state: InFlight["state"],
): InFlight {
  return { repairUnit, state, processors: repairUnits[repairUnit]?.processors ?? [], days };
}

export interface RunningJobsOptions {
  readonly events: Omit<JobEvents, "verified" | "unconfirmed">;
  /** Nothing more is begun, neither a job nor a further run of one. */
  readonly stop: AbortSignal;
  /** Ends every job. */
  readonly cancel: AbortSignal;
  /** A job ended in order. Told before it counts as ended. */
  readonly onResult: (result: JobResult) => void;
  /** A job could not be recorded, and may not have been begun. */
  readonly onFailure: (thrown: unknown) => void;
  /** So many run now. */
  readonly onRunning: (jobs: number) => void;
  /** After each end. */
  readonly onEnd: () => void;
}

export interface JobOptions extends Pick<JobEvents, "verified"> {
  /** Ends this job alone, beside the signal that ends all. */
  readonly cancel?: AbortSignal;
}

/** The jobs that this process runs at a moment. */
export class RunningJobs {
  readonly #context: ReconcileContext;
  readonly #session: Session;
  readonly #options: RunningJobsOptions;
  readonly #running = new Map<string, RunningJob>();

  constructor(context: ReconcileContext, session: Session, options: RunningJobsOptions) {
    this.#context = context;
    this.#session = session;
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  has(jobId: string): boolean {
    return this.#running.has(jobId);
  }

  /** Begins a job that does not run yet. Never rejects; resolves when it has ended, with what became of it, or null where it failed. */
  start(job: PlannedJob, cycleId: string, options: JobOptions): Promise<JobResult | null> {
    const session = this.#session;
    const { stop, cancel: all, onResult, onFailure, onRunning, onEnd } = this.#options;
    const { verified, cancel: only } = options;
    const unconfirmed: RepairStart[] = [];
    const events = {
      ...this.#options.events,
      verified,
      unconfirmed: (start: RepairStart) => void unconfirmed.push(start),
    };
    const run = inFlightOf(this.#context.compiled.pipeline, job, "running");
    session.begun(job.id, run);
    const cancel = new AbortController();
    const cancelled = AbortSignal.any([all, cancel.signal, ...(only === undefined ? [] : [only])]);
    const ended = runJob(this.#context, session, job, cycleId, events, { stop, cancel: cancelled })
      .then((result) => {
        if (result.kind === "locked") session.defer(run, lockedDeferMs);
        onResult(result);
        return result;
      })
      .catch((thrown: unknown) => {
        onFailure(thrown);
        return null;
      })
      .then(async (result) => {
        // Until then the job counts as running: nobody here takes its start for lost, and charges it.
        const over = AbortSignal.any([stop, cancelled]);
        for (const start of unconfirmed) await withdrawStart(this.#context, session, start, over);
        return result;
      })
      .finally(() => {
        session.settled(job.id);
        this.#running.delete(job.id);
        onRunning(this.#running.size);
        onEnd();
      });
    this.#running.set(job.id, { run, cancel, ended, since: session.now() });
    onRunning(this.#running.size);
    return ended;
  }

  /** Decisions bind a run that goes on: a pause holds what has not begun, a cancel ends what runs. */
  async heedDecisions(): Promise<void> {
    const decisions = await this.#context.ledger.decisions();
    this.#session.decided(decisions);
    const { processors } = this.#context.compiled.pipeline;
    for (const { run, cancel, since } of this.#running.values()) {
      const names = run.processors.flatMap((index) => processors[index]?.name ?? []);
      const decision = cancelAfter(decisions, since, names, run.days);
      if (decision !== null)
        cancel.abort(new RepairCancelled(`cancelled by ${decision.actor}: ${decision.reason}`));
    }
  }

  /** Resolves when all that run now have ended; never rejects. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }
}
