import type { OutstandingRepair, RepairQueue } from "./ports/repair-queue.ts";

const jobsMax = 1000;
/** How long what was heard is believed. */
const believedMs = 2_000;

/** What is outstanding in the queue, for people: as it was when it was last asked for. */
export class QueueSight {
  readonly #queue: Pick<RepairQueue, "outstanding">;
  readonly #monotonic: () => number;
  readonly #onChange: () => void;
  #jobs: readonly OutstandingRepair[] = [];
  /** On the monotonic clock. */
  #askedAt = -Infinity;

  /** @param onChange after something else was heard than before */
  constructor(queue: Pick<RepairQueue, "outstanding">, monotonic: () => number, onChange: () => void) {
    this.#queue = queue;
    this.#monotonic = monotonic;
    this.#onChange = onChange;
  }

  /** The oldest, as `RepairQueue.outstanding` has them, at most 1,000. */
  get jobs(): readonly OutstandingRepair[] {
    return this.#jobs;
  }

  /** Somebody wants to see it: asks, unless it was asked lately. */
  watch(): void {
    if (this.#monotonic() - this.#askedAt < believedMs) return;
    this.#askedAt = this.#monotonic();
    this.#queue.outstanding().then(
      (jobs) => this.#heard(jobs),
      // Whoever plans asks too, and tells it: it is degraded.
      () => undefined,
    );
  }

  #heard(jobs: readonly OutstandingRepair[]): void {
    const before = this.#jobs;
    this.#jobs = jobs.slice(0, jobsMax);
    if (textOf(this.#jobs) !== textOf(before)) this.#onChange();
  }
}

function textOf(jobs: readonly OutstandingRepair[]): string {
  return jobs.map(({ id, state }) => `${state} ${id}`).join("\n");
}
