import { isConverged } from "../core/assess.ts";
import type { Assessment } from "../core/assessment.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { plan, type PlanLimits, type PlannedJob } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { type CycleListener, nextCycleId, runCycle } from "./cycle.ts";
import { lookAndSettleLost } from "./lost-starts.ts";
import { nextReadyAt } from "./next-ready.ts";
import { RunningJobs } from "./running-jobs.ts";
import { Session, type SessionOptions } from "./session.ts";

export interface OnceOptions extends Omit<SessionOptions, "horizon"> {
  /** One cycle: what becomes ready by its repairs is left for the next run. */
  readonly singlePass: boolean;
  /** How long, in all, to wait for backoff and for runs elsewhere. */
  readonly maxWaitMs: number;
  readonly listener: RunListener;
  readonly signal: AbortSignal;
}

/** What a person or a log may want to see of a run while it goes on. */
export interface RunListener extends CycleListener {
  /** After each full look at the warehouse. */
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  /** After each assessment; `jobs` were just enqueued. */
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  /** So many jobs run now. */
  readonly onRunning: (jobs: number) => void;
  readonly onWaiting: (until: EpochMs, now: EpochMs) => void;
  /** It was told to stop while so many repairs run. */
  readonly onStopping: (running: number) => void;
}

export interface OnceResult {
  readonly assessment: Assessment;
  /** In the order in which they ended. */
  readonly repairs: readonly RepairEnd[];
  readonly converged: boolean;
  readonly stopped: boolean;
  /** Billed for all its looks. */
  readonly scanBytes: number;
}

/** How often a run asks what people decided meanwhile. */
const decisionPollMs = 2000;
/** How often runs elsewhere are looked at. */
const elsewherePollMs = 2000;

/**
 * Cycles until converged, or until nothing more can be done. Every repair's own look at the warehouse is taken into
 * account at once, so that what it unblocked goes on without waiting for the next full look.
 * @throws ReconcilerError where the warehouse, a schedule or the ledger fails
 */
export async function reconcileOnce(context: ReconcileContext, options: OnceOptions): Promise<OnceResult> {
  const run = new OnceRun(context, options);
  return run.toTheEnd();
}

class OnceRun {
  readonly #context: ReconcileContext;
  readonly #options: OnceOptions;
  readonly #session: Session;
  readonly #repairs: RepairEnd[] = [];
  readonly #jobs: RunningJobs;
  /** Ends every run of this process: the user's signal. */
  readonly #stop = new AbortController();
  #failure: { readonly thrown: unknown } | null = null;
  #cycles = 0;
  #hasLooked = false;
  #cycleId = "";
  /** Whether a repair ended since the last full look. */
  #isStale = false;
  #waitedMs = 0;
  /** When, on the monotonic clock, people's decisions are asked for again. */
  #decisionsAt = -Infinity;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: OnceOptions) {
    this.#context = context;
    this.#options = options;
    this.#session = new Session(context, { ...options, horizon: "fixed" });
    const { listener } = options;
    this.#jobs = new RunningJobs(context, this.#session, {
      events: { started: listener.onStarted, ended: (end) => this.#ended(end) },
      stop: this.#stop.signal,
      cancel: this.#stop.signal,
      onResult: ({ kind }) => {
        if (kind === "ran") this.#isStale = true;
      },
      onFailure: (thrown) => {
        this.#failure ??= { thrown };
      },
      onRunning: listener.onRunning,
      onEnd: () => this.#wake(),
    });
  }

  async toTheEnd(): Promise<OnceResult> {
    const onAbort = () => {
      this.#options.listener.onStopping(this.#jobs.size);
      this.#stop.abort();
    };
    this.#options.signal.addEventListener("abort", onAbort, { once: true });
    if (this.#options.signal.aborted) onAbort();
    try {
      do {
        await this.#cycle();
        await this.#workUntilQuiet();
      } while (this.#isStale && !this.#options.singlePass && !this.#isEnding());
      // What the last jobs did is seen once more in full, so that the verdict rests on one look at everything.
      if (this.#isStale && !this.#isEnding()) await this.#cycle();
    } catch (thrown) {
      if (!this.#wasStoppedLooking(thrown)) throw thrown;
    } finally {
      // A failure enqueues nothing more; what runs already has its own time limit, and is let end and be proven.
      await this.#jobs.allEnded();
      this.#options.signal.removeEventListener("abort", onAbort);
    }
    if (this.#failure !== null) throw this.#failure.thrown;
    const assessment = this.#session.assess();
    plan(assessment, this.#limits());
    return {
      assessment,
      repairs: this.#repairs,
      converged: isConverged(assessment),
      stopped: this.#options.signal.aborted,
      scanBytes: this.#session.scanBytesInAll,
    };
  }

  /** A stop during a later look leaves the result of the one before, with all that was repaired since. */
  #wasStoppedLooking(thrown: unknown): boolean {
    const isStop = this.#options.signal.aborted && thrown instanceof ReconcilerError;
    return isStop && thrown.code === "interrupted" && this.#hasLooked;
  }

  async #cycle(): Promise<void> {
    this.#cycles++;
    this.#cycleId = nextCycleId(this.#context, this.#cycles);
    const assessment = await runCycle(this.#context, this.#session, {
      cycleId: this.#cycleId,
      isFirst: this.#cycles === 1,
      limits: this.#limits(),
      listener: { ...this.#options.listener, onEnded: (end) => this.#ended(end) },
    });
    this.#hasLooked = true;
    this.#isStale = false;
    this.#options.listener.onCycle(assessment, this.#cycleId);
  }

  /** Enqueues what is ready, takes results as they come, waits out backoff; returns when nothing is left to wait for. */
  async #workUntilQuiet(): Promise<void> {
    for (let pass = 1; !this.#isEnding(); pass++) {
      await lookAndSettleLost(this.#context, this.#session, (end) => this.#ended(end));
      const assessment = this.#session.assess();
      const mayEnqueue = pass === 1 || !this.#options.singlePass;
      const jobs = mayEnqueue ? plan(assessment, this.#limits()) : [];
      for (const job of jobs) void this.#jobs.start(job, this.#cycleId, { verified: () => this.#wake() });
      this.#options.listener.onPlanned(assessment, jobs);
      const elsewhereAt = this.#session.nextElsewhereAt(assessment, elsewherePollMs);
      const until = this.#options.singlePass ? null : nextReadyAt(assessment, elsewhereAt);
      if (this.#jobs.size === 0) {
        if (until === null || !this.#mayWait(until)) return;
        this.#options.listener.onWaiting(until, this.#session.now());
      }
      await this.#sleepOrWake(until, elsewhereAt !== null);
    }
  }

  #isEnding(): boolean {
    return this.#stop.signal.aborted || this.#failure !== null;
  }

  #limits(): PlanLimits {
    const { limits } = this.#context.compiled.pipeline;
    return { jobsMax: limits.jobsMax, cellsMax: limits.cellsPerCycleMax, recentSlots: 0, slots: true };
  }

  #ended(end: RepairEnd): void {
    this.#repairs.push(end);
    this.#options.listener.onEnded(end);
  }

  async #heedDecisions(): Promise<void> {
    this.#decisionsAt = this.#context.clock.monotonic() + decisionPollMs;
    await this.#jobs.heedDecisions();
  }

  #mayWait(until: EpochMs): boolean {
    return this.#waitedMs + Math.max(0, until - this.#session.now()) <= this.#options.maxWaitMs;
  }

  async #sleepOrWake(until: EpochMs | null, hasElsewhere: boolean): Promise<void> {
    const { clock } = this.#context;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const idle = this.#jobs.size === 0;
    const before = clock.monotonic();
    // A backoff that ends while jobs run is served at once, and so is what a person decides meanwhile.
    const ms =
      until === null ? decisionPollMs : Math.min(decisionPollMs, Math.max(1, until - this.#session.now()));
    await clock.sleep(ms, AbortSignal.any([woken.signal, this.#stop.signal]));
    // Where jobs end all the time, nobody would ever sleep undisturbed.
    if (clock.monotonic() >= this.#decisionsAt) await this.#heedDecisions();
    if (idle) {
      this.#waitedMs += clock.monotonic() - before;
      // What runs elsewhere shows only in the warehouse and the ledger.
      if (hasElsewhere && !this.#stop.signal.aborted) await this.#session.refresh();
    }
  }
}
