import type { Assessment } from "../core/assessment.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { plan, type PlanLimits, type PlannedJob } from "../core/plan.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { nextCycleId, runCycle } from "./cycle.ts";
import { nextReadyAt } from "./next-ready.ts";
import type { PlanningLease, PlanningTerm, Ticks } from "./ports.ts";
import type { RepairEvent, RepairEvents } from "./ports/repair-events.ts";
import type { RepairQueue } from "./ports/repair-queue.ts";
import { decodeReport } from "./repair-report.ts";
import { inFlightOf, RunningJobs } from "./running-jobs.ts";
import { Session } from "./session.ts";
import { plannedJob, repairJob, startWorker } from "./worker.ts";

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
export interface DaemonListener {
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  readonly onCycleFailed: (thrown: unknown, cycleId: string) => void;
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  /** A repair could not be begun, recorded or told. */
  readonly onRepairFailed: (thrown: unknown) => void;
  /** This process plans now, or does not any more. */
  readonly onLeading: (isLeading: boolean) => void;
  /** What keeps the processes together is away, or back (null): nothing new is enqueued, all else goes on. */
  readonly onDegraded: (thrown: unknown) => void;
  readonly onStopping: (running: number) => void;
}

/** How often people's decisions are asked for, and the lease where somebody else has it. */
const pollMs = 2_000;
/** How often the queue is looked at where jobs are outstanding. */
const outstandingPollMs = 5_000;
/** How often what runs elsewhere is thought of anew; it is seen when it ends, or by the next cycle. */
const elsewherePollMs = 60_000;
/** After a cycle that failed the next one does not wait for its tick, but for this. */
const retryMs = 60_000;
/** So many cycles back a job that is still in the queue needs no look of its own. */
const knownCyclesMax = 100;
/** How long a job is left alone that a worker gave back, unless its cells were locked. */
const returnedMs = { locked: 2_000, other: 30_000 } as const;

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
  /** Cancels what still runs when the grace is over. */
  readonly #cancel = new AbortController();
  #term: PlanningTerm | null = null;
  /** Looks at everything, one after the other. */
  #looking: Promise<unknown> = Promise.resolve();
  #isCycling = false;
  #cycles = 0;
  /** This process's last one that worked. */
  #cycleId = "";
  /** Those before which this process looked last, in this order: it knows at least what they knew. */
  readonly #knownCycles = new Set<string>();
  /** When, on the monotonic clock, the last full look ended. */
  #lookedAt = -Infinity;
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
  #isDegraded = false;
  /** By job id: what this process enqueued or found in the queue as it last planned. */
  #enqueued: ReadonlyMap<string, InFlight> = new Map();
  /** Jobs that were told to have ended: the queue may learn of it a moment later, and they take no slot any more. */
  readonly #over = new Set<string>();
  /** Whether a job was not what this process took it for: what it knows is too old. */
  #isOutdated = false;
  #wake: () => void = () => undefined;

  constructor(context: ReconcileContext, options: DaemonOptions) {
    this.#context = context;
    this.#options = options;
    const { listener, maxAgeMs } = options;
    const selection = { processors: null, startDate: null, endDate: null };
    this.#session = new Session(context, { selection, asOf: null, maxAgeMs, horizon: "moving" });
    this.#jobs = new RunningJobs(context, this.#session, {
      events: { started: listener.onStarted, ended: listener.onEnded },
      stop: options.signal,
      cancel: this.#cancel.signal,
      onResult: ({ kind }) => {
        // Whoever plans takes it for ready; it is complete, or this process knows less.
        const isOld = this.#monotonic() - this.#lookedAt > returnedMs.other;
        if (kind === "skipped" && this.#term === null && isOld) this.#isOutdated = true;
      },
      onFailure: (thrown) => this.#failed(thrown),
      onEnd: () => this.#changed(),
    });
  }

  async untilStopped(): Promise<void> {
    const { coordination, mode, role, ticks, signal } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    const ticking = ticks.start(() => {
      this.#isCycleDue = true;
      this.#wake();
    });
    const unsubscribe = coordination.events.subscribe((event) => this.#heard(event));
    const consumer =
      mode === "observe" || role === "planner"
        ? null
        : startWorker(this.#context, {
            ...coordination,
            session: this.#session,
            jobs: this.#jobs,
            slots: this.#context.compiled.pipeline.limits.jobsMax,
            stop: signal,
            takeScanBytes: () => (this.#term === null ? this.#session.takeScanBytes() : 0),
            freshFor: (cycleId) => this.#freshFor(cycleId),
            onFailure: (thrown) => this.#failed(thrown),
          });
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
      // The next planner need not wait for the lease to run out.
      await this.#term?.release();
      await consumer?.close({ graceMs: this.#options.shutdownGraceMs });
      this.#cancel.abort();
      await this.#jobs.allEnded();
      await this.#looking;
    }
  }

  /** One turn of the planner: the lease, a cycle where one is due, a plan where something changed. */
  async #lead(): Promise<void> {
    if (this.#term?.signal.aborted === true) this.#resign();
    this.#takeTimes();
    if (this.#term === null) await this.#seekLease();
    if (this.#isCycleDue && !this.#isCycling) this.#beginCycle();
    if (this.#isChanged && this.#isTrusted && this.#term !== null) await this.#plan(this.#term);
  }

  /** A time that has come is forgotten, or nobody would sleep before what it asks for is possible. */
  #takeTimes(): void {
    const now = this.#monotonic();
    if (now >= this.#retryAt) [this.#isCycleDue, this.#retryAt] = [true, Infinity];
    if (now >= this.#readyAt) [this.#isChanged, this.#readyAt] = [true, Infinity];
  }

  async #seekLease(): Promise<void> {
    try {
      this.#term = await this.#options.coordination.lease.acquire();
      this.#degraded(null);
    } catch (thrown) {
      this.#degraded(thrown);
      return;
    }
    if (this.#term === null) {
      // Whoever plans looks at everything; a second look would cost as much again.
      this.#isCycleDue = false;
      return;
    }
    // What the planner before knew is not known here, whatever this process knew when it last planned.
    this.#isCycleDue = true;
    this.#isTrusted = false;
    this.#options.listener.onLeading(true);
  }

  #resign(): void {
    // Where it is held still, nobody else could take it; where it is lost, this does nothing.
    void this.#term?.release();
    this.#term = null;
    this.#isTrusted = false;
    // Nobody tells this process any more when they end.
    this.#session.queued(new Map());
    this.#enqueued = new Map();
    this.#over.clear();
    this.#options.listener.onLeading(false);
  }

  /** The planner's cycle is on record; without a lease, because Redis is away, it only looks. */
  #beginCycle(): void {
    const { cycleTimeoutMs, listener, signal } = this.#options;
    const cycleId = nextCycleId(this.#context, ++this.#cycles);
    const term = this.#term;
    this.#isCycleDue = false;
    this.#isCycling = true;
    this.#retryAt = Infinity;
    const work = async () => {
      const timeout = AbortSignal.timeout(cycleTimeoutMs);
      const limit = AbortSignal.any([timeout, signal]);
      try {
        const assessment = term === null ? await this.#lookOnly(limit) : await this.#cycle(cycleId, limit);
        this.#cycleId = cycleId;
        this.#looked(cycleId);
        // What was seen before the lease was lost, and won again, is too old.
        this.#isTrusted = term !== null && term === this.#term;
        this.#isChanged = true;
        listener.onCycle(assessment, cycleId);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#distrust();
        listener.onCycleFailed(timeout.aborted ? tookTooLong(cycleTimeoutMs, thrown) : thrown, cycleId);
      } finally {
        this.#isCycling = false;
        this.#wake();
      }
    };
    void this.#inTurn(work);
  }

  #cycle(cycleId: string, signal: AbortSignal): Promise<Assessment> {
    const isFirst = !this.#isTrusted;
    const { onEnded } = this.#options.listener;
    return runCycle(this.#context, this.#session, {
      cycleId,
      isFirst,
      limits: this.#limits(),
      onEnded,
      signal,
    });
  }

  async #lookOnly(signal: AbortSignal): Promise<Assessment> {
    await this.#session.refresh(signal);
    return this.#session.assess();
  }

  /** A worker needs to know what the planner knew, and asks for it once per cycle. */
  async #freshFor(cycleId: string): Promise<void> {
    // A cycle that goes on must not keep the jobs of the one before waiting.
    const isFresh = () => this.#knownCycles.has(cycleId) && !this.#isOutdated;
    if (isFresh()) return;
    const { cycleTimeoutMs, signal } = this.#options;
    await this.#inTurn(async () => {
      if (isFresh()) return;
      await this.#session.refresh(AbortSignal.any([AbortSignal.timeout(cycleTimeoutMs), signal]));
      this.#looked(cycleId);
    });
  }

  /** Jobs of cycles before may come later: what was known then is known for as long as this process lives. */
  #looked(cycleId: string): void {
    this.#isOutdated = false;
    this.#lookedAt = this.#monotonic();
    this.#knownCycles.add(cycleId);
    const [oldest] = this.#knownCycles;
    if (oldest !== undefined && this.#knownCycles.size > knownCyclesMax) this.#knownCycles.delete(oldest);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#looking.then(work);
    this.#looking = turn.catch(() => undefined);
    return turn;
  }

  async #plan(term: PlanningTerm): Promise<void> {
    const { mode, listener, coordination } = this.#options;
    const session = this.#session;
    this.#isChanged = false;
    try {
      const outstanding = await this.#outstanding();
      session.queued(outstanding);
      const assessment = session.assess();
      const jobs = mode === "repair" ? plan(assessment, this.#limits()) : [];
      const { pipeline } = this.#context.compiled;
      // Before they are enqueued: the first may have come back before all are.
      this.#enqueued = new Map([
        ...outstanding,
        ...jobs.map((job) => [job.id, inFlightOf(pipeline, job, "queued")] as const),
      ]);
      for (const { id } of jobs) this.#over.delete(id);
      if (jobs.length > 0) {
        const queued = jobs.map((job) => repairJob(this.#context, job, this.#cycleId));
        await coordination.queue.enqueue(queued, term.epoch);
      }
      listener.onPlanned(assessment, jobs);
      const elsewhereAt = session.nextElsewhereAt(assessment, elsewherePollMs);
      const waitMs = (nextReadyAt(assessment, elsewhereAt) ?? Infinity) - session.now();
      // A queue may lose what it holds, and events may be lost: neither waits for the next tick.
      const isWaited = outstanding.size + jobs.length > 0;
      this.#readyAt =
        this.#monotonic() + Math.max(1, Math.min(waitMs, isWaited ? outstandingPollMs : Infinity));
      this.#degraded(null);
    } catch (thrown) {
      if (!(thrown instanceof ReconcilerError)) throw thrown;
      // Another planner has a newer plan; this one learns of its lost lease in a moment, too.
      if (thrown.code === "plan_outdated") this.#resign();
      else this.#degraded(thrown);
      this.#readyAt = this.#monotonic() + pollMs;
    }
  }

  async #outstanding(): Promise<ReadonlyMap<string, InFlight>> {
    const { pipeline } = this.#context.compiled;
    const inQueue = await this.#options.coordination.queue.outstanding();
    const ids = new Set(inQueue.map(({ id }) => id));
    for (const id of this.#over) if (!ids.has(id)) this.#over.delete(id);
    return new Map(
      inQueue.flatMap((job) => {
        if (this.#over.has(job.id)) return [];
        const planned = plannedJob(this.#context, job);
        return planned === null ? [] : [[job.id, inFlightOf(pipeline, planned, job.state)] as const];
      }),
    );
  }

  /** What a worker saw holds for everybody; this process knows already what its own saw. */
  #heard({ kind, jobId, body }: RepairEvent): void {
    if (kind !== "ended") return;
    const report = decodeReport(body);
    if (report !== null) {
      const { ends, seen, from, to, scanBytes } = report;
      const processors = new Map(
        [...seen].map(([name, profile]) => [name, { kind: "observed", profile, unseen: null } as const]),
      );
      // Whoever plans puts on record what all were billed for.
      this.#session.merge({ processors, scanBytes: this.#term === null ? 0 : scanBytes }, from, to);
      for (const end of ends) this.#session.appendEnd(end);
    }
    const result = report?.result ?? "failed";
    // Cells that are locked may be so by the same job, which was handed out twice and goes on.
    if (result !== "locked" && this.#enqueued.has(jobId)) this.#over.add(jobId);
    if (result === "locked") this.#leaveAlone(jobId, returnedMs.locked);
    // What was stopped goes to another process at once.
    else if (result === "skipped" || result === "failed") this.#leaveAlone(jobId, returnedMs.other);
    this.#changed();
  }

  /** A job that came back as it was must not come back at once, again and again. */
  #leaveAlone(jobId: string, ms: number): void {
    const run = this.#enqueued.get(jobId);
    // It was handed out twice, and goes on here.
    if (this.#jobs.has(jobId)) return;
    if (run === undefined || !this.#session.hasLooked) return;
    this.#session.defer(run, ms);
  }

  /** Until something happens, and no longer than people may wait for what they decided. */
  async #sleep(): Promise<void> {
    const { clock } = this.#context;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const isNews = this.#isChanged && this.#isTrusted && this.#term !== null;
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

  #limits(): PlanLimits {
    const { jobsMax, cellsPerCycleMax } = this.#context.compiled.pipeline.limits;
    // A long backlog must not keep today waiting.
    const recentSlots = Math.floor(jobsMax / 4);
    return { jobsMax, cellsMax: cellsPerCycleMax, recentSlots, slots: true };
  }

  #changed(): void {
    this.#isChanged = true;
    this.#wake();
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

  #degraded(thrown: unknown): void {
    const isDegraded = thrown !== null;
    if (isDegraded !== this.#isDegraded) this.#options.listener.onDegraded(thrown);
    this.#isDegraded = isDegraded;
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
