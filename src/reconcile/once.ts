import { isConverged } from "../core/assess.ts";
import type { Assessment } from "../core/assessment.ts";
import { cancelAfter } from "../core/decisions.ts";
import { Disposition } from "../core/grid.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { plan, type PlanLimits, type PlannedJob } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { type JobResult, RepairCancelled, runJob } from "./repair.ts";
import { Session, type SessionOptions } from "./session.ts";
import { lostEnd, upkeepOf } from "./upkeep.ts";

export interface OnceOptions extends SessionOptions {
  /** One cycle: what becomes ready by its repairs is left for the next run. */
  readonly singlePass: boolean;
  /** How long, in all, to wait for backoff and for runs elsewhere. */
  readonly maxWaitMs: number;
  readonly listener: RunListener;
  readonly signal: AbortSignal;
}

/** What a person or a log may want to see of a run while it goes on. */
export interface RunListener {
  /** After each full look at the warehouse. */
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  /** After each assessment; `jobs` were just enqueued. */
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  readonly onWaiting: (until: EpochMs, now: EpochMs) => void;
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
/** How long cells that somebody else has locked are left alone. */
const lockedDeferMs = 2000;

/**
 * Cycles until converged, or until nothing more can be done. Every repair's own look at the warehouse is taken into
 * account at once, so that what it unblocked goes on without waiting for the next full look.
 * @throws ReconcilerError where the warehouse, a schedule or the ledger fails
 */
export async function reconcileOnce(context: ReconcileContext, options: OnceOptions): Promise<OnceResult> {
  const run = new OnceRun(context, options);
  return run.toTheEnd();
}

interface RunningJob {
  readonly run: InFlight;
  readonly cancel: AbortController;
  readonly ended: Promise<void>;
  readonly since: EpochMs;
}

class OnceRun {
  readonly #context: ReconcileContext;
  readonly #options: OnceOptions;
  readonly #session: Session;
  readonly #repairs: RepairEnd[] = [];
  readonly #running = new Map<string, RunningJob>();
  /** Ends every run of this process: the user's signal. */
  readonly #stop = new AbortController();
  #failure: { readonly thrown: unknown } | null = null;
  #cycles = 0;
  #hasLooked = false;
  #cycleId = "";
  /** Whether a repair ended since the last full look. */
  #isStale = false;
  #waitedMs = 0;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: OnceOptions) {
    this.#context = context;
    this.#options = options;
    this.#session = new Session(context, options);
  }

  async toTheEnd(): Promise<OnceResult> {
    const onAbort = () => this.#stop.abort();
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
      await Promise.all([...this.#running.values()].map(({ ended }) => ended));
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

  /** One full look: what was lost is settled, what opened and closed is recorded. */
  async #cycle(): Promise<void> {
    const session = this.#session;
    this.#cycles++;
    const begin = Math.round(this.#context.clock.now());
    this.#cycleId = `${begin.toString(36)}-${this.#cycles}-${this.#context.worker.split("/")[1] ?? "0"}`;
    this.#context.enterCycle(this.#cycleId);
    await session.refresh();
    this.#hasLooked = true;
    this.#isStale = false;
    const startedAt = session.now();
    const lost = session.lostStarts();
    if (lost.length > 0) {
      const seen = session.assess();
      for (const start of lost) await this.#recordEnd(lostEnd(seen, start));
    }
    const assessment = session.assess();
    // Not before: a schedule that is empty or cannot be read leaves nothing behind.
    if (this.#cycles === 1) await this.#context.ledger.create();
    const jobs = plan(assessment, this.#limits());
    const { cycle, events, baselines } = upkeepOf(
      assessment,
      this.#cycleId,
      startedAt,
      jobs,
      session.scanBytes,
    );
    await this.#context.ledger.recordCycle(cycle, events, baselines);
    session.appendCycle(cycle, events, baselines);
    await this.#context.warehouse.keepSurveys();
    this.#options.listener.onCycle(assessment, this.#cycleId);
  }

  /** Enqueues what is ready, takes results as they come, waits out backoff; returns when nothing is left to wait for. */
  async #workUntilQuiet(): Promise<void> {
    for (let pass = 1; !this.#isEnding(); pass++) {
      const assessment = this.#session.assess();
      const mayEnqueue = pass === 1 || !this.#options.singlePass;
      const jobs = mayEnqueue ? plan(assessment, this.#limits()) : [];
      for (const job of jobs) this.#enqueue(job);
      this.#options.listener.onPlanned(assessment, jobs);
      const elsewhereAt = this.#session.nextElsewhereAt(assessment, elsewherePollMs);
      const until = this.#options.singlePass ? null : this.#nextWakeAt(assessment, elsewhereAt);
      if (this.#running.size === 0) {
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

  #enqueue(job: PlannedJob): void {
    const session = this.#session;
    const unit = this.#context.compiled.pipeline.repairUnits[job.repairUnit];
    const run: InFlight = {
      repairUnit: job.repairUnit,
      state: "running",
      processors: unit?.processors ?? [],
      days: job.days,
    };
    session.enqueued(job.id, run);
    const { listener } = this.#options;
    const events = {
      started: listener.onStarted,
      ended: (end: RepairEnd) => {
        this.#repairs.push(end);
        listener.onEnded(end);
      },
    };
    const cancel = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, cancel.signal]);
    const ended = runJob(this.#context, session, job, this.#cycleId, events, signal)
      .then(
        (result) => this.#settle(run, result),
        (thrown: unknown) => {
          this.#failure ??= { thrown };
        },
      )
      .finally(() => {
        session.settled(job.id);
        this.#running.delete(job.id);
        this.#wake();
      });
    this.#running.set(job.id, { run, cancel, ended, since: session.now() });
  }

  #settle(run: InFlight, result: JobResult): void {
    if (result.kind === "locked") this.#session.defer(run, this.#session.now() + lockedDeferMs);
    else if (result.kind === "ran") this.#isStale = true;
  }

  async #recordEnd(end: RepairEnd): Promise<void> {
    await this.#context.ledger.recordEnd(end);
    this.#session.appendEnd(end);
    this.#repairs.push(end);
    this.#options.listener.onEnded(end);
  }

  /** When something may become ready by itself: a backoff ends, or a run elsewhere is to be looked at. */
  #nextWakeAt({ grid, facts }: Assessment, elsewhereAt: EpochMs | null): EpochMs | null {
    let earliest = elsewhereAt ?? Infinity;
    for (let cell = 0; cell < grid.dispositions.length; cell++) {
      if (grid.dispositions[cell] !== Disposition.backingOff) continue;
      const processor = Math.floor(cell / grid.axis.length);
      const day = grid.axis.first + (cell % grid.axis.length);
      earliest = Math.min(earliest, facts.cellFacts(processor, day).notBefore);
    }
    return earliest === Infinity ? null : earliest;
  }

  #mayWait(until: EpochMs): boolean {
    return this.#waitedMs + Math.max(0, until - this.#session.now()) <= this.#options.maxWaitMs;
  }

  async #sleepOrWake(until: EpochMs | null, hasElsewhere: boolean): Promise<void> {
    const { clock } = this.#context;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const idle = this.#running.size === 0;
    const before = clock.monotonic();
    // A backoff that ends while jobs run is served at once, and so is what a person decides meanwhile.
    const ms =
      until === null ? decisionPollMs : Math.min(decisionPollMs, Math.max(1, until - this.#session.now()));
    await clock.sleep(ms, AbortSignal.any([woken.signal, this.#stop.signal]));
    if (!woken.signal.aborted) await this.#heedDecisions();
    if (idle) {
      this.#waitedMs += clock.monotonic() - before;
      // What runs elsewhere shows only in the warehouse and the ledger.
      if (hasElsewhere && !this.#stop.signal.aborted) await this.#session.refresh();
    }
  }

  /** Decisions bind a run that goes on: a pause holds what has not begun, a cancel ends what runs. */
  async #heedDecisions(): Promise<void> {
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
}
