import type { PlanLimits } from "../core/plan.ts";
import { assertNever, ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { DaemonOptions } from "./daemon-options.ts";
import { DecisionPoll } from "./decision-poll.ts";
import { Dispatch } from "./dispatch.ts";
import { FullLooks } from "./full-looks.ts";
import { isCoordinationFailure, Leadership } from "./leadership.ts";
import { LiveFeed } from "./live-feed.ts";
import { daemonLimits } from "./plan-limits.ts";
import type { PlanningTerm } from "./ports.ts";
import type { RepairConsumer } from "./ports/repair-queue.ts";
import type { RepairEvent } from "./ports/repair-events.ts";
import { RunningJobs } from "./running-jobs.ts";
import { everything } from "./selection.ts";
import { Session } from "./session.ts";
import { WantedRepairs } from "./wanted-repairs.ts";
import { startWorker } from "./worker.ts";

/** How often the lease is asked for where somebody else has it. */
const pollMs = 2_000;
/** After a cycle that failed the next one does not wait for its tick, but for this. */
const retryMs = 60_000;
/**
 * Cycles when they are due and repairs all the time, until it is stopped. Of all processes of a pipeline one plans, by the
 * lease, and all work. What a repair unblocked is assessed from that repair's own look and enqueued at once. A cycle that
 * fails is told, and nothing is enqueued until one has worked. Never rejects for what a cycle or a repair failed with.
 * @throws what `show.open` throws
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
  readonly #live: LiveFeed;
  readonly #decisions: DecisionPoll;
  readonly #wanted = new WantedRepairs();
  /** Cancels what still runs when the grace is over. */
  readonly #cancel = new AbortController();
  #isCycleDue = true;
  /** Whether another process plans, and looks at everything for it. */
  #isFollower: boolean;
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
    const { coordination, cycleTimeoutMs, maxAgeMs, mode, role, signal } = options;
    const limits = daemonLimits(context.compiled.pipeline);
    this.#context = context;
    this.#isFollower = role === "worker";
    this.#session = new Session(context, {
      selection: everything,
      asOf: null,
      maxAgeMs,
      sharesJobs: true,
      horizon: "moving",
    });
    this.#live = this.#newLiveFeed(options, limits);
    const listener = this.#live.overhearing(options.listener);
    this.#options = { ...options, listener };
    this.#leadership = new Leadership(coordination.lease, context.clock, listener);
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
    this.#decisions = new DecisionPoll({
      clock: context.clock,
      session: this.#session,
      jobs: this.#jobs,
      onNews: () => {
        this.#isChanged = true;
        this.#wake();
      },
      onFailure: (thrown) => this.#failed(thrown),
    });
    this.#dispatch = new Dispatch(context, this.#session, {
      queue: coordination.queue,
      limits,
      mode,
      runsHere: (jobId) => this.#jobs.has(jobId),
      onLost: listener.onEnded,
    });
  }

  #newLiveFeed(options: DaemonOptions, limits: PlanLimits): LiveFeed {
    const { coordination, cycleTimeoutMs, mode, role, show } = options;
    const { queue, events } = coordination;
    return new LiveFeed(this.#context, this.#session, {
      role,
      mode,
      target: show?.target ?? null,
      pricePerTibUsd: show?.pricePerTibUsd ?? null,
      queue,
      limits,
      cycleTimeoutMs,
      wake: () => this.#wake(),
      wantCycle: () => {
        this.#dueNow();
        if (this.#leadership.term !== null) return;
        const asked = events.publish({ kind: "cycle_wanted" });
        void asked.catch((thrown: unknown) => this.#leadership.degraded(thrown));
      },
      wantDecisions: () => {
        this.#decisions.dueNow();
        this.#wake();
      },
    });
  }

  async untilStopped(): Promise<void> {
    const { show } = this.#options;
    const shown = await show?.open(this.#live);
    try {
      await this.#untilStopped();
    } finally {
      await shown?.close();
    }
  }

  async #untilStopped(): Promise<void> {
    const { coordination, role, ticks, signal } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    const ticking = ticks.start(() => this.#dueNow());
    const unsubscribe = coordination.events.subscribe((event) => this.#heard(event));
    const consumer = this.#startWorker();
    try {
      while (!signal.aborted) {
        // What happens while it turns is not slept through: a stop above all.
        const woken = new AbortController();
        this.#wake = () => woken.abort();
        this.#live.turned();
        if (role === "worker") this.#lookIfDue();
        else await this.#lead();
        await this.#sleep(woken.signal);
      }
    } finally {
      ticking.stop();
      unsubscribe();
      signal.removeEventListener("abort", stop);
      this.#options.listener.onStopping(this.#jobs.size);
      await this.#leadership.release();
      // Another plans now, while jobs may go on here for minutes; what a last look saw is still told as the planner's.
      const resigned = this.#looks.allEnded().then(() => this.#leadership.resign());
      await consumer?.close({ graceMs: this.#options.shutdownGraceMs });
      this.#cancel.abort();
      await this.#jobs.allEnded();
      await resigned;
      await this.#decisions.allAnswered();
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

  #dueNow(): void {
    this.#isCycleDue = true;
    this.#live.lookDue();
    this.#wake();
  }

  #heard(event: RepairEvent): void {
    const isLeading = this.#leadership.term !== null;
    switch (event.kind) {
      case "verified":
      case "ended":
        this.#dispatch.heard(event, isLeading);
        this.#changed();
        return;
      case "cycle_wanted":
        if (isLeading) this.#dueNow();
        return;
      case "lease_wanted":
        if (this.#options.mode === "observe") this.#standAside();
        return;
      case "repairs_wanted":
        if (this.#options.mode === "observe") this.#standAside();
        else if (this.#wanted.heard(event, this.#monotonic())) this.#takeWanted();
        return;
      default:
        assertNever(event, "event");
    }
  }

  /** Whoever only observes must not keep those from planning who repair. */
  #standAside(): void {
    this.#leadership.standAside();
    if (this.#leadership.term !== null) this.#resign();
  }

  /** One turn of the planner: the lease, a cycle where one is due, a plan where something changed. */
  async #lead(): Promise<void> {
    if (this.#leadership.isLost) this.#resign();
    this.#takeTimes();
    if (this.#leadership.term === null) await this.#seekLease();
    this.#lookIfDue();
    const { term } = this.#leadership;
    if (this.#isChanged && this.#isTrusted && term !== null) await this.#plan(term);
  }

  /** Whoever plans looks at everything; a second look would cost as much again, and is worth it only where somebody watches. */
  #lookIfDue(): void {
    const isWorthIt = !this.#isFollower || this.#live.isWatched;
    if (this.#isCycleDue && isWorthIt && !this.#looks.isCycling) void this.#cycle();
  }

  /** Each process knows what is wanted, in case that it is the next to plan. */
  #takeWanted(): void {
    this.#session.want(this.#wanted.selections);
    this.#changed();
  }

  /** A time that has come is forgotten, or nobody would sleep before what it asks for is possible. */
  #takeTimes(): void {
    const now = this.#monotonic();
    if (this.#wanted.forgetSilent(now)) this.#takeWanted();
    if (now >= this.#retryAt) [this.#isCycleDue, this.#retryAt] = [true, Infinity];
    if (now >= this.#readyAt) [this.#isChanged, this.#readyAt] = [true, Infinity];
  }

  async #seekLease(): Promise<void> {
    const found = await this.#leadership.seek();
    this.#isFollower = found === "taken";
    if (this.#isFollower && this.#options.mode === "repair") {
      // Where nobody hears it, it is said again with the next attempt.
      void this.#options.coordination.events.publish({ kind: "lease_wanted" }).catch(() => undefined);
    }
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
    this.#live.lookBegins();
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
      else if (isCoordinationFailure(thrown)) this.#leadership.degraded(thrown);
      else this.#failed(thrown);
      this.#readyAt = this.#monotonic() + pollMs;
    }
  }

  /** Until something happens, and no longer than people may wait for what they decided. */
  async #sleep(woken: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const isNews = this.#isChanged && this.#isTrusted && this.#leadership.term !== null;
    const next = Math.min(this.#readyAt, this.#retryAt) - this.#monotonic();
    await clock.sleep(isNews ? 0 : Math.max(1, Math.min(pollMs, next)), woken);
    this.#decisions.askIfDue();
  }

  #changed(): void {
    this.#isChanged = true;
    this.#live.changed();
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
