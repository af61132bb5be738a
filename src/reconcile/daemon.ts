import type { Assessment } from "../core/assessment.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import type { PlanLimits, PlannedJob } from "../core/plan.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { CycleListener } from "./cycle.ts";
import { Dispatch } from "./dispatch.ts";
import { FullLooks } from "./full-looks.ts";
import { Leadership, type LeadershipListener } from "./leadership.ts";
import type { PlanningLease, PlanningTerm, Ticks } from "./ports.ts";
import type { RepairConsumer, RepairQueue } from "./ports/repair-queue.ts";
import type { RepairEvents } from "./ports/repair-events.ts";
import { RunningJobs } from "./running-jobs.ts";
import { Session } from "./session.ts";
import { startWorker } from "./worker.ts";

export type DaemonRole = "all" | "planner" | "worker";

/** How the processes of one pipeline work together. */
export interface Coordination {
  readonly queue: RepairQueue;
  readonly events: RepairEvents;
  readonly lease: PlanningLease;
}

export interface DaemonOptions {
  readonly role: DaemonRole;
  /** `observe` looks and records what opens and closes, and repairs nothing. */
  readonly mode: "observe" | "repair";
  /** Older cells are left alone; null leaves none. */
  readonly maxAgeMs: number | null;
  /** Of one cycle; it counts as failed then, and the next one begins anew. */
  readonly cycleTimeoutMs: number;
  /** For running repairs to end by themselves after a stop; then they are cancelled. */
  readonly shutdownGraceMs: number;
  readonly coordination: Coordination;
  readonly ticks: Ticks;
  readonly listener: DaemonListener;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/** What logs and metrics want to see of a daemon. */
export interface DaemonListener extends LeadershipListener, CycleListener {
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  readonly onCycleFailed: (thrown: unknown, cycleId: string) => void;
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  /** So many jobs run in this process now. */
  readonly onRunning: (jobs: number) => void;
  /** A repair could not be begun or recorded. */
  readonly onRepairFailed: (thrown: unknown) => void;
  readonly onStopping: (running: number) => void;
}

/** How often people's decisions are asked for, and the lease where somebody else has it. */
const pollMs = 2_000;
/** After a cycle that failed the next one does not wait for its tick, but for this. */
const retryMs = 60_000;

/**
 * Cycles when they are due and repairs all the time, until it is stopped. Of all processes of a pipeline one plans, by the
 * lease, and all work. What a repair unblocked is assessed from that repair's own look and enqueued at once. A cycle that
 * fails is told, and nothing is enqueued until one has worked. Never rejects for what a cycle or a repair failed with.
 */
export async function reconcileAlways(context: ReconcileContext, options: DaemonOptions): Promise<void> {
  await new DaemonRun(context, options).untilStopped();
}

class DaemonRun {
  readonly #context: ReconcileContext;
  readonly #options: DaemonOptions;
  readonly #session: Session;
  readonly #jobs: RunningJobs;
  readonly #leadership: Leadership;
  readonly #looks: FullLooks;
  readonly #dispatch: Dispatch;
  /** Cancels what still runs when the grace is over. */
  readonly #cancel = new AbortController();
  #isCycleDue = true;
  /** When, on the monotonic clock, a failed cycle is tried again. */
  #retryAt = Infinity;
  /** Whether the last cycle worked, so that what is known may be acted on. */
  #isTrusted = false;
  /** Whether something changed since the last plan. */
  #isChanged = false;
  /** When, on the monotonic clock, something becomes ready by itself. */
  #readyAt = Infinity;
  /** When, on the monotonic clock, people's decisions are asked for again. */
  #decisionsAt = -Infinity;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: DaemonOptions) {
    this.#context = context;
    this.#options = options;
    const { coordination, cycleTimeoutMs, listener, maxAgeMs, mode, signal } = options;
    const limits = limitsOf(context.compiled.pipeline);
    const selection = { processors: null, startDate: null, endDate: null };
    this.#session = new Session(context, { selection, asOf: null, maxAgeMs, horizon: "moving" });
    this.#leadership = new Leadership(coordination.lease, listener);
    this.#looks = new FullLooks(context, this.#session, {
      timeoutMs: cycleTimeoutMs,
      limits,
      listener,
      signal,
    });
    this.#jobs = new RunningJobs(context, this.#session, {
      events: { started: listener.onStarted, ended: listener.onEnded },
      stop: signal,
      cancel: this.#cancel.signal,
      onResult: ({ kind }) => {
        // Whoever plans takes it for ready; it is complete, or this process knows less.
        if (kind === "skipped" && this.#leadership.term === null) this.#looks.doubt();
      },
      onFailure: (thrown) => this.#failed(thrown),
      onRunning: listener.onRunning,
      onEnd: () => this.#changed(),
    });
    this.#dispatch = new Dispatch(context, this.#session, {
      queue: coordination.queue,
      limits,
      mode,
      runsHere: (jobId) => this.#jobs.has(jobId),
    });
  }

  async untilStopped(): Promise<void> {
    const { coordination, role, ticks, signal } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    const ticking = ticks.start(() => {
      this.#isCycleDue = true;
      this.#wake();
    });
    const unsubscribe = coordination.events.subscribe((event) => {
      if (event.kind !== "ended") return;
      this.#dispatch.ended(event, this.#leadership.term !== null);
      this.#changed();
    });
    const consumer = this.#startWorker();
    try {
      while (!signal.aborted) {
        if (role !== "worker") await this.#lead();
        await this.#sleep();
      }
    } finally {
      ticking.stop();
      unsubscribe();
      signal.removeEventListener("abort", stop);
      this.#options.listener.onStopping(this.#jobs.size);
      await this.#leadership.release();
      await consumer?.close({ graceMs: this.#options.shutdownGraceMs });
      this.#cancel.abort();
      await this.#jobs.allEnded();
      await this.#looks.allEnded();
    }
  }

  #startWorker(): RepairConsumer | null {
    const { coordination, mode, role, signal } = this.#options;
    if (mode === "observe" || role === "planner") return null;
    return startWorker(this.#context, {
      ...coordination,
      session: this.#session,
      jobs: this.#jobs,
      slots: this.#context.compiled.pipeline.limits.jobsMax,
      stop: signal,
      takeScanBytes: () => (this.#leadership.term === null ? this.#session.takeScanBytes() : 0),
      freshFor: (cycleId) => this.#looks.freshFor(cycleId),
      onFailure: (thrown) => this.#failed(thrown),
      onTold: (thrown) => this.#leadership.degraded(thrown),
    });
  }

  /** One turn of the planner: the lease, a cycle where one is due, a plan where something changed. */
  async #lead(): Promise<void> {
    if (this.#leadership.isLost) this.#resign();
    this.#takeTimes();
    if (this.#leadership.term === null) await this.#seekLease();
    if (this.#isCycleDue && !this.#looks.isCycling) void this.#cycle();
    const { term } = this.#leadership;
    if (this.#isChanged && this.#isTrusted && term !== null) await this.#plan(term);
  }

  /** A time that has come is forgotten, or nobody would sleep before what it asks for is possible. */
  #takeTimes(): void {
    const now = this.#monotonic();
    if (now >= this.#retryAt) [this.#isCycleDue, this.#retryAt] = [true, Infinity];
    if (now >= this.#readyAt) [this.#isChanged, this.#readyAt] = [true, Infinity];
  }

  async #seekLease(): Promise<void> {
    const found = await this.#leadership.seek();
    // Whoever plans looks at everything; a second look would cost as much again.
    if (found === "taken") this.#isCycleDue = false;
    if (found !== "won") return;
    // What the planner before knew is not known here, whatever this process knew when it last planned.
    this.#isCycleDue = true;
    this.#isTrusted = false;
  }

  #resign(): void {
    this.#leadership.resign();
    this.#isTrusted = false;
    this.#dispatch.forget();
  }

  /** The planner's cycle is on record; without a lease, because Redis is away, it only looks. Never rejects. */
  async #cycle(): Promise<void> {
    const { listener, signal } = this.#options;
    const { term } = this.#leadership;
    this.#isCycleDue = false;
    this.#retryAt = Infinity;
    const leading = this.#isTrusted ? "further" : "first";
    const { cycleId, assessment } = this.#looks.beginCycle(term === null ? "onlooker" : leading);
    try {
      const seen = await assessment;
      // What was seen before the lease was lost, and won again, is too old.
      this.#isTrusted = term !== null && term === this.#leadership.term;
      this.#isChanged = true;
      listener.onCycle(seen, cycleId);
    } catch (thrown) {
      if (signal.aborted) return;
      this.#distrust();
      listener.onCycleFailed(thrown, cycleId);
    } finally {
      this.#wake();
    }
  }

  async #plan(term: PlanningTerm): Promise<void> {
    this.#isChanged = false;
    try {
      const { assessment, jobs, waitMs } = await this.#dispatch.plan(term.epoch, this.#looks.cycleId);
      this.#options.listener.onPlanned(assessment, jobs);
      this.#readyAt = this.#monotonic() + waitMs;
      this.#leadership.degraded(null);
    } catch (thrown) {
      if (!(thrown instanceof ReconcilerError)) throw thrown;
      // Another planner has a newer plan; this one learns of its lost lease in a moment, too.
      if (thrown.code === "plan_outdated") this.#resign();
      else this.#leadership.degraded(thrown);
      this.#readyAt = this.#monotonic() + pollMs;
    }
  }

  /** Until something happens, and no longer than people may wait for what they decided. */
  async #sleep(): Promise<void> {
    const { clock } = this.#context;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const isNews = this.#isChanged && this.#isTrusted && this.#leadership.term !== null;
    const next = Math.min(this.#readyAt, this.#retryAt) - this.#monotonic();
    await clock.sleep(isNews ? 0 : Math.max(1, Math.min(pollMs, next)), woken.signal);
    // Where jobs end all the time, nobody would ever sleep undisturbed.
    if (this.#monotonic() >= this.#decisionsAt && this.#session.hasLooked) await this.#heedDecisions();
  }

  async #heedDecisions(): Promise<void> {
    this.#decisionsAt = this.#monotonic() + pollMs;
    const known = this.#session.records.decisions.length;
    try {
      await this.#jobs.heedDecisions();
    } catch (thrown) {
      if (!(thrown instanceof ReconcilerError)) throw thrown;
      this.#failed(thrown);
    }
    if (this.#session.records.decisions.length !== known) this.#isChanged = true;
  }

  #changed(): void {
    this.#isChanged = true;
    // Whoever does not plan would ask for the lease with each end of a repair anywhere.
    if (this.#leadership.term !== null) this.#wake();
  }

  /** Without a ledger or a warehouse nothing more is begun until a cycle has worked. */
  #failed(thrown: unknown): void {
    this.#distrust();
    this.#options.listener.onRepairFailed(thrown);
  }

  #distrust(): void {
    this.#isTrusted = false;
    // A worker has no cycles of its own.
    if (this.#options.role === "worker") return;
    this.#retryAt = Math.min(this.#retryAt, this.#monotonic() + retryMs);
  }

  #monotonic(): number {
    return this.#context.clock.monotonic();
  }
}

function limitsOf({ limits }: Pipeline): PlanLimits {
  const { jobsMax, cellsPerCycleMax } = limits;
  // A long backlog must not keep today waiting.
  const recentSlots = Math.floor(jobsMax / 4);
  return { jobsMax, cellsMax: cellsPerCycleMax, recentSlots, slots: true };
}
