import { isProgressing } from "../core/assess.ts";
import { Disposition, State } from "../core/grid.ts";
import { type Day, fromDay } from "../core/iso-date.ts";
import type { Assessment } from "../core/assessment.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type { RepairEnd } from "../core/ledger-records.ts";
import type { PlanLimits } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { Coordination } from "./daemon-options.ts";
import { Dispatch, type Dispatched, type Outstanding } from "./dispatch.ts";
import type { FullLooks } from "./full-looks.ts";
import { isCoordinationFailure } from "./leadership.ts";
import type { OnceTurn, OnceWork } from "./once-work.ts";
import { QuietTime } from "./quiet-time.ts";
import type { RepairEvent } from "./ports/repair-events.ts";
import type { RepairConsumer } from "./ports/repair-queue.ts";
import type { RunningJobs } from "./running-jobs.ts";
import { type SelectionSpec, selects, selectsAny } from "./selection.ts";
import type { Session } from "./session.ts";
import { startWorker } from "./worker.ts";

/** How often the others are told that this run waits. */
const wantMs = 2_000;
/** When the lease is asked for again that another process has: another run has it for a moment only. */
const leaseMs = { first: 200, later: 2_000 } as const;
/** What a job elsewhere may take beside its runs: the looks before and after, and its records. */
const besideRunsMs = 10 * 60_000;
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
  /** The ids of what this run enqueued. */
  readonly #enqueued = new Set<string>();
  /** The ids of those jobs of the selection that were outstanding at the last turn. */
  #outstanding: ReadonlySet<string> = new Set();
  /** By job id: when, on the monotonic clock, a job that others run was first seen to be so. */
  #takenAt: ReadonlyMap<string, number> = new Map();
  readonly #quiet: QuietTime;
  #ending: Promise<void> | null = null;

  constructor(context: ReconcileContext, options: SharedOptions) {
    this.#context = context;
    this.#options = options;
    const { coordination, jobs, limits, onEnded, session } = options;
    this.#quiet = new QuietTime(context.clock);
    this.#dispatch = new Dispatch(context, session, {
      queue: coordination.queue,
      limits,
      mode: "repair",
      runsHere: (jobId) => jobs.has(jobId),
      // Before: where the answer is lost they may be there all the same.
      onEnqueueing: (ids) => {
        for (const id of ids) this.#enqueued.add(id);
      },
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
    let found = await this.#look();
    if (await this.#hasDoubted(found)) found = await this.#look();
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
    for (const { id } of planned.jobs) if (!added.has(id)) this.#enqueued.delete(id);
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

  /** What is outstanding, the ids of the selection's jobs, and whether one of them is run. One that is outstanding no more makes the last full look stale. */
  async #look(): Promise<Found> {
    const { assessment, outstanding } = await this.#dispatch.look();
    const found = [...outstanding].filter(([, run]) => this.#concerns(assessment, run));
    const own = found.map(([id]) => id);
    const ids = new Set(own);
    if ([...this.#outstanding, ...this.#enqueued].some((id) => !ids.has(id))) this.#options.onStale();
    for (const id of this.#enqueued) if (!ids.has(id)) this.#enqueued.delete(id);
    this.#outstanding = ids;
    const taken = found.filter(([, { state }]) => state === "running");
    const now = this.#context.clock.monotonic();
    this.#takenAt = new Map(taken.map(([id]) => [id, this.#takenAt.get(id) ?? now]));
    const isWorking = found.some(([id, run]) => this.#options.jobs.has(id) || this.#isRunElsewhere(id, run));
    return { assessment, outstanding, own, isWorking };
  }

  /** For as long as its runs may take: where nobody takes jobs, nobody notices that a worker has died with one. */
  #isRunElsewhere(id: string, { repairUnit, days }: InFlight): boolean {
    const takenAt = this.#takenAt.get(id);
    const unit = this.#context.compiled.pipeline.repairUnits[repairUnit];
    if (takenAt === undefined || unit === undefined) return false;
    const limitMs = (unit.timeoutMs + unit.timeoutPerDateMs) * days.length + besideRunsMs;
    return this.#context.clock.monotonic() - takenAt < limitMs;
  }

  /** A job about what comes due while the run goes on is not its own: on a busy day there is always one. */
  #concerns({ grid }: Assessment, { processors, days }: InFlight): boolean {
    const { first, length } = grid.axis;
    return processors.some((index) => {
      const name = grid.pipeline.processors[index]?.name ?? "";
      const isDue = (day: Day) =>
        day >= first && day < first + length && grid.states[index * length + day - first] !== State.pending;
      return days.some((day) => isDue(day) && selects(this.#options.selection, name, fromDay(day)));
    });
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
      freshFor: (cycleId) => looks.freshFor(cycleId),
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
  async #hasDoubted({ assessment, isWorking }: Found): Promise<boolean> {
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
    if (this.#enqueued.size === 0) return;
    const { queue } = this.#options.coordination;
    const gone = await queue.remove([...this.#enqueued]).catch(() => []);
    // Another planner may enqueue it anew.
    for (const id of gone) this.#enqueued.delete(id);
  }
}

type Planned = Pick<Dispatched, "assessment" | "jobs" | "added">;

interface Found extends Outstanding {
  /** The ids of the outstanding jobs of the selection. */
  readonly own: readonly string[];
  readonly isWorking: boolean;
}

function hasReady({ grid }: Assessment): boolean {
  return grid.dispositions.includes(Disposition.ready);
}

/** A backoff alone ends by itself, whatever others do. */
function waitsForOthers(assessment: Assessment): boolean {
  const { dispositions } = assessment.grid;
  const { ready, queued, running } = Disposition;
  return isProgressing(assessment) && [ready, queued, running].some((code) => dispositions.includes(code));
}
