import type { Assessment } from "../core/assessment.ts";
import type { PlanLimits } from "../core/plan.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { type CycleListener, nextCycleId, runCycle } from "./cycle.ts";
import type { Session } from "./session.ts";

/** So many cycles back a job that is still in the queue needs no look of its own. */
const knownCyclesMax = 100;
/** What was seen so lately is not doubted. */
const certainMs = 30_000;

export interface FullLooksOptions {
  /** Of one look; null where only the signal ends it. */
  readonly timeoutMs: number | null;
  readonly limits: PlanLimits;
  readonly listener: CycleListener;
  /** Ends every look. */
  readonly signal: AbortSignal;
}

/** A cycle that has its turn or waits for it. */
export interface BegunCycle {
  readonly cycleId: string;
  /** @throws what the look failed with: `cycle_timeout` where it took too long, anything where the signal aborts */
  readonly assessment: Promise<Assessment>;
}

/** The looks at everything of one process, for its own cycles and for the jobs of others' cycles, one after the other. */
export class FullLooks {
  readonly #context: ReconcileContext;
  readonly #session: Session;
  readonly #options: FullLooksOptions;
  #last: Promise<unknown> = Promise.resolve();
  #isCycling = false;
  #cycles = 0;
  #cycleId = "";
  /** Those before which this process looked last, in this order: it knows at least what they knew. */
  readonly #known = new Set<string>();
  /** When, on the monotonic clock, the last one ended. */
  #endedAt = -Infinity;
  /** When, on the monotonic clock, and why a look last failed; null where none has since one worked. */
  #failed: { readonly at: number; readonly thrown: unknown } | null = null;
  /** Whether a job was not what this process took it for: what it knows is too old. */
  #isOutdated = false;

  constructor(context: ReconcileContext, session: Session, options: FullLooksOptions) {
    this.#context = context;
    this.#session = session;
    this.#options = options;
  }

  /** This process's last cycle that worked; empty before the first. */
  get cycleId(): string {
    return this.#cycleId;
  }

  /** Whether a cycle has its turn, or waits for it. */
  get isCycling(): boolean {
    return this.#isCycling;
  }

  /**
   * The planner's cycle goes on record, and the first of a term makes the ledger where there is none; any other only looks.
   * @param term ends with the right to put it on record: where it aborts the cycle fails, and leaves nothing
   */
  beginCycle(as: "first" | "further" | "onlooker", term?: AbortSignal): BegunCycle {
    const cycleId = nextCycleId(this.#context, ++this.#cycles);
    this.#isCycling = true;
    const assessment = this.#inTurn(async () => {
      try {
        const seen = await this.#limited((limit) => this.#cycle(as, cycleId, limit, term), term);
        this.#cycleId = cycleId;
        this.#ended([cycleId]);
        return seen;
      } finally {
        this.#isCycling = false;
      }
    });
    return { cycleId, assessment };
  }

  async #cycle(
    as: "first" | "further" | "onlooker",
    cycleId: string,
    signal: AbortSignal,
    term: AbortSignal | undefined,
  ): Promise<Assessment> {
    const { limits, listener } = this.#options;
    if (as !== "onlooker") {
      const isFirst = as === "first";
      const right = term === undefined ? {} : { term };
      return runCycle(this.#context, this.#session, { cycleId, isFirst, limits, listener, signal, ...right });
    }
    listener.onCycleStarted(cycleId);
    await this.#session.refresh(signal);
    return this.#session.assess();
  }

  /**
   * A worker needs to know what the planner knew. A look knows at least what was known to whoever had planned before it began. One that
   * fails has failed for all that wait: each in its turn would ask in vain for as long again.
   * @param outstanding the cycles whose jobs are in the queue; asked only before a look, which then is one for all of these jobs
   * @throws as `Session.refresh` does, and `cycle_timeout`; what `outstanding` throws
   */
  async freshFor(cycleId: string, outstanding: () => Promise<readonly string[]>): Promise<void> {
    // A cycle that goes on must not keep the jobs of the one before waiting.
    const isFresh = () => this.#known.has(cycleId) && !this.#isOutdated;
    if (isFresh()) return;
    const askedAt = this.#context.clock.monotonic();
    await this.#inTurn(async () => {
      if (isFresh()) return;
      if (this.#failed !== null && this.#failed.at >= askedAt) throw this.#failed.thrown;
      const planned = await outstanding();
      await this.#limited((limit) => this.#session.refresh(limit));
      this.#ended([...planned, cycleId]);
    });
  }

  /**
   * Looks at everything, off the record.
   * @throws as `freshFor`
   */
  async look(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#limited((limit) => this.#session.refresh(limit));
      this.#ended([this.#cycleId]);
    });
  }

  /** Something was not as this process took it for: the next job has it look anew, unless it has just looked. */
  doubt(): void {
    if (this.#context.clock.monotonic() - this.#endedAt > certainMs) this.#isOutdated = true;
  }

  /** Resolves when none goes on or waits; never rejects. */
  async allEnded(): Promise<void> {
    await this.#last;
  }

  /** Jobs of cycles before may come later: what was known then is known for as long as this process lives. */
  #ended(cycleIds: readonly string[]): void {
    this.#isOutdated = false;
    this.#failed = null;
    this.#endedAt = this.#context.clock.monotonic();
    for (const cycleId of cycleIds) {
      this.#known.add(cycleId);
      const [oldest] = this.#known;
      if (oldest !== undefined && this.#known.size > knownCyclesMax) this.#known.delete(oldest);
    }
  }

  async #limited<T>(look: (limit: AbortSignal) => Promise<T>, term?: AbortSignal): Promise<T> {
    const { timeoutMs, signal } = this.#options;
    const end = term === undefined ? signal : AbortSignal.any([signal, term]);
    const timeout = timeoutMs === null ? null : AbortSignal.timeout(timeoutMs);
    try {
      return await look(timeout === null ? end : AbortSignal.any([timeout, end]));
    } catch (error) {
      const isLate = timeoutMs !== null && timeout?.aborted === true;
      const thrown = isLate ? tookTooLong(timeoutMs, error) : error;
      // What was called off says nothing of what there is to see.
      if (!end.aborted) this.#failed = { at: this.#context.clock.monotonic(), thrown };
      throw thrown;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function tookTooLong(timeoutMs: number, cause: unknown): ReconcilerError {
  return new ReconcilerError(
    "cycle_timeout",
    `the cycle took longer than daemon.cycle_timeout, ${timeoutMs / 1000} s`,
    {
      cause,
      hint: "raise daemon.cycle_timeout, or find the table that is slow: reconcile status asks the same",
    },
  );
}
