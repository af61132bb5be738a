import { isProgressing } from "../core/assess.ts";
import { Disposition } from "../core/grid.ts";
import type { Assessment } from "../core/assessment.ts";
import type { RepairEnd } from "../core/ledger-records.ts";
import type { PlanLimits } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { Coordination } from "./daemon-options.ts";
import { Dispatch, type Dispatched } from "./dispatch.ts";
import type { FullLooks } from "./full-looks.ts";
import { isCoordinationFailure } from "./leadership.ts";
import type { OnceTurn, OnceWork } from "./once-work.ts";
import { type OwnAmongOutstanding, OwnJobs } from "./own-jobs.ts";
import { QuietTime } from "./quiet-time.ts";
import type { RepairEvent } from "./ports/repair-events.ts";
import type { RepairConsumer } from "./ports/repair-queue.ts";
import type { RunningJobs } from "./running-jobs.ts";
import { type SelectionSpec, selectsAny } from "./selection.ts";
import type { Session } from "./session.ts";
import { startWorker } from "./worker.ts";

/** How often the others are told that this run waits. */
const wantMs = 2_000;
/** When the lease is asked for again that another process has: another run has it for a moment only. */
const leaseMs = { first: 200, later: 2_000 } as const;
/** The longest that a timer can wait: each repair has a time limit of its own. */
const graceMs = 2 ** 31 - 1;

export interface SharedOptions {
  readonly coordination: Coordination;
  readonly session: Session;
  readonly jobs: RunningJobs;
  readonly selection: SelectionSpec;
  readonly limits: PlanLimits;
  readonly looks: FullLooks;
  /** After it nothing more is begun. */
  readonly stop: AbortSignal;
  /** Of a repair of the selection that another process ran, or that nobody will end any more. */
  readonly onEnded: (end: RepairEnd) => void;
  /** A repair of the selection is over. */
  readonly onStale: () => void;
  /** A repair could not be begun or recorded. */
  readonly onFailure: (thrown: unknown) => void;
  /** Another process plans, and is asked for the selection. */
  readonly onAsking: () => void;
  readonly onDegraded: (thrown: unknown) => void;
  readonly wake: () => void;
}

/**
 * Repairs through the queue that all processes of the pipeline share, so that what runs at once is counted once. The lease is
 * held only while jobs are enqueued: runs take turns, and a daemon can have it. A daemon that has it is asked for the
 * repairs, and its workers do them; as long as nobody has it, this process works too.
 */
export class SharedWork implements OnceWork {
  readonly hearsOthers = true;
  readonly #context: ReconcileContext;
  readonly #options: SharedOptions;
  readonly #dispatch: Dispatch;
  readonly #unsubscribe: () => void;
  readonly #over = new AbortController();
  #consumer: RepairConsumer | null = null;
  /** Whether this process takes jobs. */
  #isConsuming = false;
  /** Attempts in a row that found the lease with another process. */
  #takenCount = 0;
  /** When, on the monotonic clock, it is asked for again. */
  #leaseAt = -Infinity;
  /** Of this run's last term. */
  #epoch = 0;
  #isDegraded = false;
  readonly #ownJobs: OwnJobs;
  readonly #quiet: QuietTime;
  #ending: Promise<void> | null = null;

  constructor(context: ReconcileContext, options: SharedOptions) {
    this.#context = context;
    this.#options = options;
    const { coordination, jobs, limits, onEnded, onStale, selection, session } = options;
    this.#quiet = new QuietTime(context.clock);
    this.#ownJobs = new OwnJobs(context, {
      selection,
      runsHere: (jobId) => jobs.has(jobId),
      onGone: onStale,
    });
    this.#dispatch = new Dispatch(context, session, {
      queue: coordination.queue,
      limits,
      mode: "repair",
      runsHere: (jobId) => jobs.has(jobId),
      // Before: where the answer is lost they may be there all the same.
      onEnqueueing: (ids) => this.#ownJobs.enqueueing(ids),
      onLost: onEnded,
    });
    this.#unsubscribe = coordination.events.subscribe((event) => this.#heard(event));
    void this.#keepWanting();
  }

  async turn(cycleId: string, mayBegin: boolean): Promise<OnceTurn> {
    try {
      const turn = await this.#turn(cycleId, mayBegin);
      this.#degraded(null);
      return { ...turn, failure: null };
    } catch (thrown) {
      // A daemon took over while this run planned.
      const isOutdated = thrown instanceof ReconcilerError && thrown.code === "plan_outdated";
      if (!isOutdated && !isCoordinationFailure(thrown)) throw thrown;
      const failure = isOutdated ? null : thrown;
      this.#degraded(failure);
      const { jobs, session } = this.#options;
      const againAt = session.now() + leaseMs.later;
      return { assessment: session.assess(), jobs: [], isWorking: jobs.size > 0, againAt, failure };
    }
  }

  async #turn(cycleId: string, mayBegin: boolean): Promise<Omit<OnceTurn, "failure">> {
    const { session } = this.#options;
    let found = this.#ownJobs.among(await this.#dispatch.look());
    if (await this.#hasDoubted(found)) found = this.#ownJobs.among(await this.#dispatch.look());
    const { assessment, outstanding, own, isWorking } = found;
    const wants = mayBegin && hasReady(assessment);
    // What waits may have lost the process that would have taken it, and what others run the one that runs it.
    const isNeeded = !this.#isConsuming && own.some((id) => !this.#options.jobs.has(id));
    if (!wants && !isNeeded) {
      // What is left is other runs', who may have work for days.
      if (own.length === 0 && !(mayBegin && isProgressing(assessment))) this.#rest();
      return { assessment, jobs: [], isWorking, againAt: this.#againAt(assessment, outstanding.size) };
    }
    const planned = await this.#inTerm<Planned>(async (epoch) =>
      wants ? this.#dispatch.plan(epoch, cycleId) : { assessment, jobs: [], added: new Set() },
    );
    if (planned === null) {
      const waitMs = Math.max(0, this.#leaseAt - this.#context.clock.monotonic());
      return { assessment, jobs: [], isWorking, againAt: session.now() + waitMs };
    }
    const { added } = planned;
    this.#ownJobs.notThere(planned.jobs.flatMap(({ id }) => (added.has(id) ? [] : [id])));
    return {
      assessment: planned.assessment,
      jobs: planned.jobs.filter(({ id }) => added.has(id)),
      isWorking: isWorking || added.size > 0,
      againAt: this.#againAt(planned.assessment, outstanding.size + planned.jobs.length),
    };
  }

  /** Others may have the slots and the workers that the selection waits for, or do what blocks it. */
  #againAt(assessment: Assessment, outstanding: number): EpochMs | null {
    const isWaitedFor = outstanding > 0 && isProgressing(assessment);
    return isWaitedFor ? this.#options.session.now() + leaseMs.later : null;
  }

  /**
   * Does what whoever holds the lease may do; null where another process has it.
   * @throws ReconcilerError `redis_*`, and what the work throws
   */
  async #inTerm<T>(work: (epoch: number) => Promise<T>): Promise<T | null> {
    const { lease } = this.#options.coordination;
    // What others tell wakes this run many times while another has the lease for a moment.
    if (this.#context.clock.monotonic() < this.#leaseAt) return null;
    const lastEpoch = await lease.currentEpoch();
    const term = await lease.acquire();
    if (term === null) {
      this.#follow();
      return null;
    }
    try {
      // Others have planned since, which this run may not have been told of.
      if (lastEpoch !== this.#epoch) this.#dispatch.doubt();
      this.#epoch = term.epoch;
      this.#lead();
      return await work(term.epoch);
    } finally {
      await term.release();
    }
  }

  /** Nobody plans for good, so that nobody may work but this process. */
  #lead(): void {
    this.#takenCount = 0;
    this.#isConsuming = true;
    this.#consumer ??= this.#startWorker();
    this.#consumer.resume();
  }

  /** A process that has the lease twice in a row is a daemon: its workers do the work. */
  #follow(): void {
    this.#takenCount++;
    const waitMs = this.#takenCount > 1 ? leaseMs.later : leaseMs.first;
    this.#leaseAt = this.#context.clock.monotonic() + waitMs;
    if (this.#takenCount !== 2) return;
    this.#rest();
    this.#options.onAsking();
  }

  /** Takes no jobs until it leads again; what runs here goes on. */
  #rest(): void {
    this.#isConsuming = false;
    this.#consumer?.pause();
  }

  #startWorker(): RepairConsumer {
    const { coordination, session, jobs, looks, stop, onFailure } = this.#options;
    return startWorker(this.#context, {
      ...coordination,
      session,
      jobs,
      slots: this.#context.compiled.pipeline.limits.jobsMax,
      stop,
      // The run's own cycles put it on record.
      takeScanBytes: () => 0,
      freshFor: (...of) => looks.freshFor(...of),
      onFailure,
      onTold: (thrown) => this.#degraded(thrown),
    });
  }

  #heard(event: RepairEvent): void {
    if (event.kind !== "verified" && event.kind !== "ended") return;
    const { selection, onEnded, onStale, wake } = this.#options;
    const ends = this.#dispatch.heard(event, this.#isConsuming);
    const own = ends.filter((end) => selectsAny(selection, end));
    for (const end of own) onEnded(end);
    if (own.length > 0) onStale();
    wake();
  }

  /** Looks at everything where others are waited for and nothing has happened for long; true where it did. */
  async #hasDoubted({ assessment, isWorking }: OwnAmongOutstanding): Promise<boolean> {
    if (!this.#quiet.isTooLong(!isWorking && waitsForOthers(assessment))) return false;
    await this.#options.looks.look();
    this.#quiet.lookedAt();
    return true;
  }

  /** Never rejects: where nobody hears it, it is said again. */
  async #keepWanting(): Promise<void> {
    const { coordination, selection } = this.#options;
    const { clock, worker } = this.#context;
    const wanted = { kind: "repairs_wanted", worker, selection } as const;
    while (!this.#over.signal.aborted) {
      await coordination.events.publish(wanted).catch(() => undefined);
      await clock.sleep(wantMs, this.#over.signal);
    }
  }

  #degraded(failure: unknown): void {
    const isDegraded = failure !== null;
    if (isDegraded !== this.#isDegraded) this.#options.onDegraded(failure);
    this.#isDegraded = isDegraded;
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#over.abort();
    this.#consumer?.pause();
    await this.#takeBack();
    await this.#consumer?.close({ graceMs });
    await this.#options.jobs.allEnded();
    // One that was just being taken went back to the queue.
    await this.#takeBack();
    this.#unsubscribe();
  }

  /** Where the queue is away, whoever finds the jobs there does them: they are wanted by the config. */
  async #takeBack(): Promise<void> {
    const ids = [...this.#ownJobs.enqueued];
    if (ids.length === 0) return;
    const gone = await this.#options.coordination.queue.remove(ids).catch(() => []);
    // Another planner may enqueue it anew.
    this.#ownJobs.notThere(gone);
  }
}

type Planned = Pick<Dispatched, "assessment" | "jobs" | "added">;

function hasReady({ grid }: Assessment): boolean {
  return grid.dispositions.includes(Disposition.ready);
}

/** A backoff alone ends by itself, whatever others do. */
function waitsForOthers(assessment: Assessment): boolean {
  const { dispositions } = assessment.grid;
  const { ready, queued, running } = Disposition;
  return isProgressing(assessment) && [ready, queued, running].some((code) => dispositions.includes(code));
}
