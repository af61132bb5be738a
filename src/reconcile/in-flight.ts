import type { CompiledPipeline } from "../core/assessment.ts";
import type { Day } from "../core/iso-date.ts";
import { type InFlight, startedRuns } from "../core/ledger-facts.ts";
import type { RepairStart } from "../core/ledger-records.ts";
import type { Clock } from "./ports.ts";

/** What is enqueued, runs or is to be left alone, as far as one process knows beside the ledger. */
export class InFlightRuns {
  readonly #clock: Clock;
  /** By job id: what this process runs. */
  readonly #here = new Map<string, InFlight>();
  /** Those of them with a run that is decided on and not on record yet: the day's budget counts it already. */
  readonly #starting = new Set<string>();
  /** By job id: what is outstanding in the queue, in any process. */
  #queued: ReadonlyMap<string, InFlight> = new Map();
  /** Until a time on the monotonic clock: what the warehouse takes for now goes back where its clock is set back. */
  #deferred: readonly { readonly run: InFlight; readonly until: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** This process has begun a job. */
  begun(jobId: string, run: InFlight): void {
    this.#here.set(jobId, run);
    this.starting(jobId);
  }

  /** A run of the job, its first or a further one, is about to start. */
  starting(jobId: string): void {
    this.#starting.add(jobId);
  }

  /** That run is on record. */
  started(jobId: string): void {
    this.#starting.delete(jobId);
  }

  settled(jobId: string): void {
    this.#here.delete(jobId);
    this.#starting.delete(jobId);
  }

  /** Takes what is outstanding in the queue, in place of what was, by job id; false where that is the same. */
  queued(runs: ReadonlyMap<string, InFlight>): boolean {
    const isSame = runs.size === this.#queued.size && [...runs.keys()].every((id) => this.#queued.has(id));
    this.#queued = runs;
    return !isSame;
  }

  /** Leaves cells alone for a while, such as those that somebody else has locked. */
  defer(run: InFlight, ms: number): void {
    const until = this.#clock.monotonic() + ms;
    this.#deferred = [...this.#stillDeferred(), { run, until }];
  }

  /** In how many milliseconds each of the deferred runs may be planned again. */
  get deferredMs(): readonly number[] {
    const now = this.#clock.monotonic();
    return this.#stillDeferred().map(({ until }) => until - now);
  }

  #stillDeferred(): readonly { readonly run: InFlight; readonly until: number }[] {
    const now = this.#clock.monotonic();
    return this.#deferred.filter(({ until }) => until > now);
  }

  /** How many runs are about to start. */
  startingCount(except: string | undefined): number {
    return [...this.#starting].filter((jobId) => jobId !== except).length;
  }

  /** Whether this process runs a repair of one of the days. */
  runsHere(repairUnit: number, days: ReadonlySet<Day>): boolean {
    return [...this.#here.values()].some(
      (run) => run.repairUnit === repairUnit && run.days.some((day) => days.has(day)),
    );
  }

  /**
   * Everything that is enqueued or runs, here or elsewhere, each once, and what is left alone.
   * @param elsewhere what other processes have begun, by the ledger
   */
  all(
    { pipeline }: CompiledPipeline,
    elsewhere: readonly RepairStart[],
    except: string | undefined,
  ): readonly InFlight[] {
    const started = startedRuns(pipeline, elsewhere);
    const isOther = (jobId: string) => jobId !== except;
    const here = [...this.#here].filter(([jobId]) => isOther(jobId)).map(([, run]) => run);
    // What another process has begun is in the queue and on record.
    const begun = new Set(
      started.flatMap(({ repairUnit, days }) => days.map((day) => `${repairUnit}/${day}`)),
    );
    const queued = [...this.#queued]
      .filter(([jobId]) => isOther(jobId) && !this.#here.has(jobId))
      .map(([, run]) => run)
      .filter(({ repairUnit, days }) => !days.some((day) => begun.has(`${repairUnit}/${day}`)));
    const deferred = this.#stillDeferred().map(({ run }) => run);
    return [...started, ...here, ...queued, ...deferred];
  }
}
