import { setTimeout as delay } from "node:timers/promises";
import type { QueuedRepair, RepairHandler } from "../reconcile/ports/repair-queue.ts";

/** How long a run that was aborted may take to end before nobody waits for it any more. */
const abortMs = 10_000;

interface RunningRepair {
  readonly job: QueuedRepair;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** The jobs that a consumer has taken and that are not over. */
export class RunningRepairs {
  readonly #running = new Set<RunningRepair>();

  get size(): number {
    return this.#running.size;
  }

  get jobs(): readonly QueuedRepair[] {
    return [...this.#running].map(({ job }) => job);
  }

  /** Resolves when the handler has settled, however it did: what went wrong is its own to report. Never rejects. */
  run(job: QueuedRepair, handle: RepairHandler): Promise<void> {
    const abort = new AbortController();
    const settled = Promise.resolve()
      .then(() => handle(job, abort.signal))
      .catch(() => undefined);
    const running: RunningRepair = {
      job,
      abort,
      ended: settled.finally(() => this.#running.delete(running)),
    };
    this.#running.add(running);
    return running.ended;
  }

  /** Waits for all to end, aborts those that have not after `graceMs`, and gives those up that do not heed it. */
  async drain(graceMs: number): Promise<void> {
    if (await this.#ended(graceMs)) return;
    for (const { abort } of this.#running) abort.abort();
    await this.#ended(abortMs);
  }

  async #ended(withinMs: number): Promise<boolean> {
    const enough = new AbortController();
    const ended = Promise.all([...this.#running].map((running) => running.ended)).then(() => true);
    const late = delay(withinMs, false, { signal: enough.signal }).catch(() => false);
    const result = await Promise.race([ended, late]);
    enough.abort();
    return result;
  }
}
