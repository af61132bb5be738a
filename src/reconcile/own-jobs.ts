import type { Assessment } from "../core/assessment.ts";
import { State } from "../core/grid.ts";
import { type Day, fromDay } from "../core/iso-date.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type { ReconcileContext } from "./context.ts";
import type { Outstanding } from "./dispatch.ts";
import { type SelectionSpec, selects } from "./selection.ts";

/** What a job elsewhere may take beside its runs: the looks before and after, and its records. */
const besideRunsMs = 10 * 60_000;

export interface OwnJobsOptions {
  readonly selection: SelectionSpec;
  /** Whether this process runs the job. */
  readonly runsHere: (jobId: string) => boolean;
  /** One of them is outstanding no more. */
  readonly onGone: () => void;
}

export interface OwnAmongOutstanding extends Outstanding {
  /** The ids of the outstanding jobs of the selection. */
  readonly own: readonly string[];
  /** Whether one of them is run. */
  readonly isWorking: boolean;
}

/** The jobs of a run's selection in the queue that all processes of the pipeline share, whoever enqueued them. */
export class OwnJobs {
  readonly #context: ReconcileContext;
  readonly #options: OwnJobsOptions;
  readonly #enqueued = new Set<string>();
  /** The ids of those that were outstanding the last time. */
  #outstanding: ReadonlySet<string> = new Set();
  /** By job id: when, on the monotonic clock, a job that is run was first seen to be so. */
  #takenAt: ReadonlyMap<string, number> = new Map();

  constructor(context: ReconcileContext, options: OwnJobsOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** The ids of what this run enqueued, or may have, as far as it is outstanding. */
  get enqueued(): ReadonlySet<string> {
    return this.#enqueued;
  }

  enqueueing(ids: readonly string[]): void {
    for (const id of ids) this.#enqueued.add(id);
  }

  /** They were not enqueued by this run after all, or are taken back. */
  notThere(ids: readonly string[]): void {
    for (const id of ids) this.#enqueued.delete(id);
  }

  /** Which of what is outstanding now is the run's. */
  among({ assessment, outstanding }: Outstanding): OwnAmongOutstanding {
    const { runsHere, onGone } = this.#options;
    const found = [...outstanding].filter(([, run]) => this.#concerns(assessment, run));
    const own = found.map(([id]) => id);
    const ids = new Set(own);
    if ([...this.#outstanding, ...this.#enqueued].some((id) => !ids.has(id))) onGone();
    for (const id of this.#enqueued) if (!ids.has(id)) this.#enqueued.delete(id);
    this.#outstanding = ids;
    const taken = found.filter(([, { state }]) => state === "running");
    const now = this.#context.clock.monotonic();
    this.#takenAt = new Map(taken.map(([id]) => [id, this.#takenAt.get(id) ?? now]));
    const isWorking = found.some(([id, run]) => runsHere(id) || this.#isRunElsewhere(id, run));
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
}
