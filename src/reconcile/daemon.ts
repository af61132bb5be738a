import type { Assessment } from "../core/assessment.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { plan, type PlanLimits, type PlannedJob } from "../core/plan.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { nextCycleId, runCycle } from "./cycle.ts";
import { nextReadyAt } from "./next-ready.ts";
import type { Ticks } from "./ports.ts";
import { RunningJobs } from "./running-jobs.ts";
import { Session } from "./session.ts";

export interface DaemonOptions {
  /** `observe` looks and records what opens and closes, and repairs nothing. */
  readonly mode: "observe" | "repair";
  /** Older cells are left alone; null leaves none. */
  readonly maxAgeMs: number | null;
  /** Of one cycle; it counts as failed then, and the next one begins anew. */
  readonly cycleTimeoutMs: number;
  /** For running repairs to end by themselves after a stop; then they are cancelled. */
  readonly shutdownGraceMs: number;
  readonly ticks: Ticks;
  readonly listener: DaemonListener;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/** What logs and metrics want to see of a daemon. */
export interface DaemonListener {
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  readonly onCycleFailed: (thrown: unknown, cycleId: string) => void;
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  /** A repair could not be recorded: nothing is begun until a cycle has worked. */
  readonly onRepairFailed: (thrown: unknown) => void;
  readonly onStopping: (running: number) => void;
}

/** How often people's decisions are asked for. */
const decisionPollMs = 2_000;
/** After a cycle that failed the next one does not wait for its tick, but for this. */
const retryMs = 60_000;

/**
 * Cycles when they are due, and repairs all the time, until it is stopped: what a repair unblocked is assessed from that
 * repair's own look and started at once. A cycle that fails is told, and nothing is begun until one has worked.
 * Never rejects for what a cycle or a repair failed with.
 */
export async function reconcileAlways(context: ReconcileContext, options: DaemonOptions): Promise<void> {
  await new DaemonRun(context, options).untilStopped();
}

class DaemonRun {
  readonly #context: ReconcileContext;
  readonly #options: DaemonOptions;
  readonly #session: Session;
  readonly #jobs: RunningJobs;
  /** Cancels what still runs when the grace is over. */
  readonly #cancel = new AbortController();
  #cycle: Promise<void> | null = null;
  #cycles = 0;
  #cycleId = "";
  #isCycleDue = true;
  /** When, on the monotonic clock, a failed cycle is tried again. */
  #retryAt = Infinity;
  /** Whether the last cycle worked, so that what is known may be acted on. */
  #isTrusted = false;
  /** Whether something changed since the last plan. */
  #isChanged = false;
  /** When, on the monotonic clock, something becomes ready by itself. */
  #readyAt = Infinity;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: DaemonOptions) {
    this.#context = context;
    this.#options = options;
    const { listener, maxAgeMs } = options;
    const selection = { processors: null, startDate: null, endDate: null };
    this.#session = new Session(context, { selection, asOf: null, maxAgeMs, horizon: "moving" });
    this.#jobs = new RunningJobs(context, this.#session, {
      events: { started: listener.onStarted, ended: listener.onEnded },
      signal: this.#cancel.signal,
      onResult: () => undefined,
      onFailure: (thrown) => {
        this.#distrust();
        listener.onRepairFailed(thrown);
      },
      onEnd: () => {
        this.#isChanged = true;
        this.#wake();
      },
    });
  }

  async untilStopped(): Promise<void> {
    const { ticks, signal } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    const ticking = ticks.start(() => {
      this.#isCycleDue = true;
      this.#wake();
    });
    try {
      while (!signal.aborted) {
        if (this.#monotonic() >= this.#retryAt) this.#isCycleDue = true;
        if (this.#isCycleDue && this.#cycle === null) this.#beginCycle();
        if (this.#monotonic() >= this.#readyAt) this.#isChanged = true;
        if (this.#isChanged && this.#isTrusted) this.#plan();
        await this.#sleep();
      }
    } finally {
      ticking.stop();
      signal.removeEventListener("abort", stop);
      await this.#finish();
    }
  }

  #beginCycle(): void {
    const { cycleTimeoutMs, listener, signal } = this.#options;
    const cycleId = nextCycleId(this.#context, ++this.#cycles);
    this.#isCycleDue = false;
    this.#retryAt = Infinity;
    const timeout = AbortSignal.timeout(cycleTimeoutMs);
    this.#cycle = runCycle(this.#context, this.#session, {
      cycleId,
      isFirst: !this.#isTrusted,
      limits: this.#limits(),
      onEnded: listener.onEnded,
      signal: AbortSignal.any([timeout, signal]),
    })
      .then(
        (assessment) => {
          this.#cycleId = cycleId;
          this.#isTrusted = true;
          this.#isChanged = true;
          listener.onCycle(assessment, cycleId);
        },
        (thrown: unknown) => {
          if (signal.aborted) return;
          this.#distrust();
          listener.onCycleFailed(timeout.aborted ? tookTooLong(cycleTimeoutMs, thrown) : thrown, cycleId);
        },
      )
      .finally(() => {
        this.#cycle = null;
        this.#wake();
      });
  }

  #distrust(): void {
    this.#isTrusted = false;
    this.#retryAt = Math.min(this.#retryAt, this.#monotonic() + retryMs);
  }

  #plan(): void {
    const { mode, listener } = this.#options;
    const session = this.#session;
    this.#isChanged = false;
    const assessment = session.assess();
    const jobs = mode === "repair" ? plan(assessment, this.#limits()) : [];
    for (const job of jobs) this.#jobs.start(job, this.#cycleId);
    listener.onPlanned(assessment, jobs);
    const readyAt = nextReadyAt(assessment, null);
    this.#readyAt = readyAt === null ? Infinity : this.#monotonic() + Math.max(1, readyAt - session.now());
  }

  /** Until something happens, and no longer than people may wait for what they decided. */
  async #sleep(): Promise<void> {
    const { clock } = this.#context;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const next = Math.min(this.#readyAt, this.#retryAt) - this.#monotonic();
    await clock.sleep(Math.max(1, Math.min(decisionPollMs, next)), woken.signal);
    if (!woken.signal.aborted && this.#isTrusted) await this.#heedDecisions();
  }

  async #heedDecisions(): Promise<void> {
    const known = this.#session.records.decisions.length;
    try {
      await this.#jobs.heedDecisions();
    } catch (thrown) {
      if (!(thrown instanceof ReconcilerError)) throw thrown;
      this.#distrust();
      this.#options.listener.onRepairFailed(thrown);
    }
    if (this.#session.records.decisions.length !== known) this.#isChanged = true;
  }

  /** Nothing new begins; what runs ends by itself within the grace, or is cancelled, and is on record either way. */
  async #finish(): Promise<void> {
    const { listener, shutdownGraceMs } = this.#options;
    listener.onStopping(this.#jobs.size);
    const ended = new AbortController();
    const jobs = this.#jobs.allEnded().then(() => ended.abort());
    await this.#context.clock.sleep(shutdownGraceMs, ended.signal);
    if (!ended.signal.aborted) this.#cancel.abort();
    await jobs;
    await this.#cycle;
  }

  #limits(): PlanLimits {
    const { jobsMax, cellsPerCycleMax } = this.#context.compiled.pipeline.limits;
    // A long backlog must not keep today waiting.
    const recentSlots = Math.floor(jobsMax / 4);
    return { jobsMax, cellsMax: cellsPerCycleMax, recentSlots, slots: true };
  }

  #monotonic(): number {
    return this.#context.clock.monotonic();
  }
}

function tookTooLong(cycleTimeoutMs: number, cause: unknown): ReconcilerError {
  return new ReconcilerError(
    "cycle_timeout",
    `the cycle took longer than daemon.cycle_timeout, ${cycleTimeoutMs / 1000} s`,
    {
      cause,
      hint: "raise daemon.cycle_timeout, or find the table that is slow: reconcile status asks the same",
    },
  );
}
