import { ReconcilerError } from "../errors.ts";
import type { Clock } from "../reconcile/ports.ts";

/** Work that yields wherever others may have a turn. What it reads must not change meanwhile. */
export type Work<T> = Generator<undefined, T | Promise<T>, undefined>;

/** Works that may wait beside the one that goes on: those of the largest grid take some seconds, and nobody waits much longer. */
const waitingMax = 32;
/** After so long whatever else the process does has a turn. */
const sliceMs = 10;
/** Of the loop's time. */
const shareMax = 1 / 4;
const hint = "ask again in some seconds";

/**
 * The part of the event loop that goes to answers which cost time. They are made one after the other, in slices, with rests between
 * them: whoever asks for as much as can be asked for has to wait, or is refused, while leases are kept and repairs planned.
 */
export class LoopShare {
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  readonly #closed = new AbortController();
  readonly #waiting: (() => Promise<void>)[] = [];
  #isBusy = false;
  /** On the monotonic clock: what was done until now is no more than the share once this is reached. */
  #restUntil = -Infinity;

  constructor(clock: Pick<Clock, "monotonic" | "sleep">) {
    this.#clock = clock;
  }

  /**
   * Does the work when its turn comes; until then nothing of it is begun.
   * @throws ReconcilerError `server_busy` at once where as many wait as may, and once this is closed; whatever the work throws
   */
  run<T>(work: Work<T>): Promise<T> {
    if (this.#waiting.length >= waitingMax) {
      const message = `the daemon is asked for more than it can show at once (${waitingMax} answers are waited for)`;
      return Promise.reject(new ReconcilerError("server_busy", message, { hint }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => this.#done(work).then(resolve, reject));
      if (!this.#isBusy) void this.#workOff();
    });
  }

  /** Refuses whoever waits, and everybody from now on. Idempotent. */
  close(): void {
    this.#closed.abort();
  }

  async #workOff(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const restMs = this.#restUntil - this.#clock.monotonic();
      if (restMs > 0) await this.#clock.sleep(restMs, this.#closed.signal);
      await this.#waiting.shift()?.();
    }
    this.#isBusy = false;
  }

  async #done<T>(work: Work<T>): Promise<T> {
    for (;;) {
      if (this.#closed.signal.aborted) {
        throw new ReconcilerError("server_busy", "the daemon stops", { hint });
      }
      const step = this.#slice(work);
      if (step.done === true) return step.value;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #slice<T>(work: Work<T>): IteratorResult<undefined, T | Promise<T>> {
    const begunAt = this.#clock.monotonic();
    try {
      for (;;) {
        const step = work.next();
        if (step.done === true || this.#clock.monotonic() - begunAt >= sliceMs) return step;
      }
    } finally {
      const usedMs = this.#clock.monotonic() - begunAt;
      this.#restUntil = Math.max(this.#restUntil, begunAt) + usedMs / shareMax;
    }
  }
}
