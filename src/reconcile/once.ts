import { isConverged, isProgressing } from "../core/assess.ts";
import type { RepairEnd } from "../core/ledger-records.ts";
import { plan, type PlanLimits } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { Coordination } from "./daemon-options.ts";
import { DecisionPoll } from "./decision-poll.ts";
import { FullLooks } from "./full-looks.ts";
import { nextReadyAt } from "./next-ready.ts";
import { AloneWork } from "./once-alone.ts";
import type { OnceOptions, OnceResult } from "./once-options.ts";
import { SharedWork } from "./once-shared.ts";
import type { OnceWork } from "./once-work.ts";
import { runLimits } from "./plan-limits.ts";
import { RunningJobs } from "./running-jobs.ts";
import { selectsAny } from "./selection.ts";
import { Session } from "./session.ts";

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
  readonly #looks: FullLooks;
  readonly #work: OnceWork;
  /** Ends every run of this process: the user's signal. */
  readonly #stop = new AbortController();
  #failure: { readonly thrown: unknown } | null = null;
  #hasLooked = false;
  /** Whether a repair ended since the last full look. */
  #isStale = false;
  #waitedMs = 0;
  /** What the listener was told last that is waited for, as in `onWaiting`; undefined where something has gone on since. */
  #told: EpochMs | null | undefined;
  /** When, on the monotonic clock, people's decisions are asked for again. */
  #decisionsAt = -Infinity;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: OnceOptions) {
    const { coordination, listener, signal } = options;
    this.#context = context;
    this.#options = options;
    const sharesJobs = coordination !== null;
    this.#session = new Session(context, { ...options, sharesJobs, horizon: "fixed" });
    this.#jobs = new RunningJobs(context, this.#session, {
      events: { started: listener.onStarted, ended: (end) => this.#ended(end) },
      stop: this.#stop.signal,
      cancel: this.#stop.signal,
      onResult: (result) => {
        if (result.kind === "ran" && result.ends.some((end) => this.#isOwn(end))) this.#isStale = true;
      },
      onFailure: (thrown) => this.#failed(thrown),
      onRunning: listener.onRunning,
      onEnd: () => this.#wake(),
    });
    const limits = runLimits(context.compiled.pipeline);
    this.#looks = new FullLooks(context, this.#session, {
      timeoutMs: null,
      limits,
      listener: { ...listener, onEnded: (end) => this.#ended(end) },
      signal,
    });
    this.#work = this.#newWork(limits, coordination);
  }

  #newWork(limits: PlanLimits, coordination: Coordination | null): OnceWork {
    const { listener, selection } = this.#options;
    const parts = {
      session: this.#session,
      jobs: this.#jobs,
      limits,
      onEnded: (end: RepairEnd) => this.#ended(end),
      wake: () => this.#wake(),
    };
    if (coordination === null) return new AloneWork(this.#context, parts);
    return new SharedWork(this.#context, {
      ...parts,
      coordination,
      selection,
      looks: this.#looks,
      stop: this.#stop.signal,
      onStale: () => {
        this.#isStale = true;
      },
      onFailure: (thrown) => this.#failed(thrown),
      onAsking: listener.onAsking,
      onDegraded: listener.onDegraded,
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
      await this.#windDown();
      this.#options.signal.removeEventListener("abort", onAbort);
    }
    if (this.#failure !== null) throw this.#failure.thrown;
    const assessment = this.#session.assess();
    plan(assessment, runLimits(this.#context.compiled.pipeline));
    return {
      assessment,
      repairs: this.#repairs,
      converged: isConverged(assessment),
      stopped: this.#options.signal.aborted,
      scanBytes: this.#session.bill.inAll,
    };
  }

  /** A failure enqueues nothing more; what runs already has its own time limit, and is let end and be proven, unless people cancel it. */
  async #windDown(): Promise<void> {
    const { clock } = this.#context;
    const ignored = { onNews: () => undefined, onFailure: () => undefined };
    const decisions = new DecisionPoll({ clock, session: this.#session, jobs: this.#jobs, ...ignored });
    const over = new AbortController();
    const ended = this.#work.end().then(() => over.abort());
    while (!over.signal.aborted) {
      await clock.sleep(decisionPollMs, over.signal);
      if (!over.signal.aborted) decisions.askIfDue();
    }
    await ended;
  }

  /** A stop during a later look leaves the result of the one before, with all that was repaired since. */
  #wasStoppedLooking(thrown: unknown): boolean {
    const isStop = this.#options.signal.aborted && thrown instanceof ReconcilerError;
    return isStop && thrown.code === "interrupted" && this.#hasLooked;
  }

  async #cycle(): Promise<void> {
    // What ends while it looks may be seen or not.
    this.#isStale = false;
    const { cycleId, assessment } = this.#looks.beginCycle(this.#hasLooked ? "further" : "first");
    const seen = await assessment;
    this.#hasLooked = true;
    this.#options.listener.onCycle(seen, cycleId);
  }

  /** Has done what is ready, takes results as they come, waits out backoff; returns when nothing is left to wait for. */
  async #workUntilQuiet(): Promise<void> {
    const { listener, singlePass } = this.#options;
    let mayBegin = true;
    while (!this.#isEnding()) {
      // What happens while it has its turn is not slept through.
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const before = this.#context.clock.monotonic();
      const turn = await this.#work.turn(this.#looks.cycleId, mayBegin);
      const { assessment, jobs, isWorking, againAt, failure } = turn;
      listener.onPlanned(assessment, jobs);
      if (singlePass && (jobs.length > 0 || againAt === null)) mayBegin = false;
      const elsewhereAt = isProgressing(assessment)
        ? this.#session.nextElsewhereAt(assessment, elsewherePollMs)
        : null;
      const readyAt = singlePass ? null : nextReadyAt(assessment, { elsewhereAt, awaitsProbes: false });
      const until = earlier(readyAt, againAt);
      if (isWorking) {
        this.#told = undefined;
      } else {
        // Beside others that are busy or away turns may take longer than the sleep between them.
        this.#waitedMs += this.#context.clock.monotonic() - before;
        if (until === null || !this.#mayWait(until)) {
          if (failure !== null) throw failure;
          return;
        }
        // That it is the turn of others is told once, by the work.
        if (until !== againAt) this.#waiting(until === elsewhereAt ? null : until);
      }
      const isBlind = elsewhereAt !== null && !this.#work.hearsOthers;
      await this.#sleepOrWake(until, { woken: woken.signal, isIdle: !isWorking, isBlind });
    }
  }

  #isEnding(): boolean {
    return this.#stop.signal.aborted || this.#failure !== null;
  }

  #failed(thrown: unknown): void {
    this.#failure ??= { thrown };
  }

  #ended(end: RepairEnd): void {
    if (this.#isOwn(end)) this.#repairs.push(end);
    this.#options.listener.onEnded(end);
  }

  /** A process that shares the work may have done some of others' too. */
  #isOwn(end: RepairEnd): boolean {
    return selectsAny(this.#options.selection, end);
  }

  async #heedDecisions(): Promise<void> {
    this.#decisionsAt = this.#context.clock.monotonic() + decisionPollMs;
    await this.#jobs.heedDecisions();
  }

  #waiting(until: EpochMs | null): void {
    if (until === this.#told) return;
    this.#told = until;
    this.#options.listener.onWaiting(until);
  }

  #mayWait(until: EpochMs): boolean {
    return this.#waitedMs + Math.max(0, until - this.#session.now()) <= this.#options.maxWaitMs;
  }

  async #sleepOrWake(until: EpochMs | null, { woken, isIdle, isBlind }: Sleep): Promise<void> {
    const { clock } = this.#context;
    const before = clock.monotonic();
    // A backoff that ends while jobs run is served at once, and so is what a person decides meanwhile.
    const ms =
      until === null ? decisionPollMs : Math.min(decisionPollMs, Math.max(1, until - this.#session.now()));
    await clock.sleep(ms, AbortSignal.any([woken, this.#stop.signal]));
    // Where jobs end all the time, nobody would ever sleep undisturbed.
    if (clock.monotonic() >= this.#decisionsAt) await this.#heedDecisions();
    if (isIdle) {
      this.#waitedMs += clock.monotonic() - before;
      if (isBlind && !this.#stop.signal.aborted) await this.#looks.look();
    }
  }
}

interface Sleep {
  /** Ends it. */
  readonly woken: AbortSignal;
  /** Nothing of the run goes on meanwhile. */
  readonly isIdle: boolean;
  /** Only a look at everything shows what it waits for. */
  readonly isBlind: boolean;
}

function earlier(one: EpochMs | null, other: EpochMs | null): EpochMs | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
