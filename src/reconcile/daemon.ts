import type { PlanLimits } from "../core/plan.ts";
import type { ReconcileContext } from "./context.ts";
import type { DaemonOptions } from "./daemon-options.ts";
import { DecisionPoll } from "./decision-poll.ts";
import { Dispatch } from "./dispatch.ts";
import { FullLooks } from "./full-looks.ts";
import { Leadership } from "./leadership.ts";
import { LiveFeed } from "./live-feed.ts";
import { daemonLimits } from "./plan-limits.ts";
import { Planner } from "./planner.ts";
import type { RepairConsumer } from "./ports/repair-queue.ts";
import { RunningJobs } from "./running-jobs.ts";
import { everything } from "./selection.ts";
import { Session } from "./session.ts";
import { startWorker } from "./worker.ts";

/**
 * How long a stop waits for answers that nobody needs to end well: those that the loop waits for, and the last ones, as counted from its
 * beginning. What ran had its grace and the time to be cancelled by then, and whoever stops the process gives 15 seconds more than the grace.
 */
const lastAnswersMs = { ofTurn: 1_000, atEnd: 4_000 } as const;

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
  readonly #live: LiveFeed;
  readonly #decisions: DecisionPoll;
  readonly #planner: Planner;
  /** Cancels what still runs when the grace is over. */
  readonly #cancel = new AbortController();
  #consumer: RepairConsumer | null = null;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: DaemonOptions) {
    const { coordination, cycleTimeoutMs, maxAgeMs, mode, role, signal } = options;
    const limits = daemonLimits(context.compiled.pipeline);
    this.#context = context;
    this.#session = new Session(context, {
      selection: everything,
      asOf: null,
      maxAgeMs,
      sharesJobs: coordination.isShared,
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
      onFailure: (thrown) => this.#planner.failed(thrown),
      onRunning: listener.onRunning,
      onEnd: () => this.#planner.changed(),
    });
    this.#decisions = new DecisionPoll({
      clock: context.clock,
      session: this.#session,
      jobs: this.#jobs,
      onNews: () => this.#planner.decided(),
      onFailure: (thrown) => this.#planner.failed(thrown),
    });
    const dispatch = new Dispatch(context, this.#session, {
      queue: coordination.queue,
      limits,
      mode,
      runsHere: (jobId) => this.#jobs.has(jobId),
      onLost: listener.onEnded,
    });
    this.#planner = new Planner({
      role,
      mode,
      clock: context.clock,
      session: this.#session,
      leadership: this.#leadership,
      looks: this.#looks,
      dispatch,
      live: this.#live,
      events: coordination.events,
      listener,
      signal,
      wake: () => this.#wake(),
      // Whoever sees nothing would keep jobs from those that do, each for as long as a question takes to fail.
      onFit: (isFit) => (isFit ? this.#consumer?.resume() : this.#consumer?.pause()),
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
        this.#planner.cycleDue();
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
    const { coordination, ticks, signal } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    const ticking = ticks.start(() => this.#planner.cycleDue());
    const unsubscribe = coordination.events.subscribe((event) => this.#planner.heard(event));
    this.#consumer = this.#startWorker();
    try {
      while (!signal.aborted) {
        // What happens while it turns is not slept through: a stop above all.
        const woken = new AbortController();
        this.#wake = () => woken.abort();
        this.#live.turned();
        await this.#turn();
        await this.#context.clock.sleep(this.#planner.sleepMs, woken.signal);
        this.#decisions.askIfDue();
      }
    } finally {
      ticking.stop();
      unsubscribe();
      signal.removeEventListener("abort", stop);
      const { clock } = this.#context;
      const stoppedAt = clock.monotonic();
      this.#options.listener.onStopping(this.#jobs.size);
      await this.#leadership.release();
      // Another plans now, while jobs may go on here for minutes; what a last look saw is still told as the planner's.
      const resigned = this.#looks.allEnded().then(() => this.#leadership.resign());
      await this.#consumer?.close({ graceMs: this.#options.shutdownGraceMs });
      this.#cancel.abort();
      const last = [this.#jobs.allEnded(), resigned, this.#decisions.allAnswered()];
      const leftMs = stoppedAt + lastAnswersMs.atEnd - clock.monotonic();
      await this.#answered(last, Math.max(leftMs, lastAnswersMs.ofTurn));
    }
  }

  async #turn(): Promise<void> {
    const turn = this.#planner.turn();
    const over = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      this.#options.signal.addEventListener("abort", () => resolve(), { signal: over.signal });
    });
    await Promise.race([turn, stopped.then(() => this.#answered([turn], lastAnswersMs.ofTurn))]);
    over.abort();
  }

  /** A warehouse or a ledger that does not answer must not keep the process: what has no end on record by then is settled by others. */
  async #answered(last: readonly Promise<void>[], ms: number): Promise<void> {
    const enough = new AbortController();
    await Promise.race([Promise.all(last), this.#context.clock.sleep(ms, enough.signal)]);
    enough.abort();
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
      takeScanBytes: () => (this.#leadership.term === null ? this.#session.bill.take() : 0),
      freshFor: (...of) => this.#looks.freshFor(...of),
      onFailure: (thrown) => this.#planner.failed(thrown),
      onTold: (thrown) => this.#leadership.degraded(thrown),
    });
  }
}
