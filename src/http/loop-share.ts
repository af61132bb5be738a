import { ReconcilerError } from "../errors.ts";
import type { Clock } from "../reconcile/ports.ts";

/** Work that yields wherever others may have a turn. What it reads must not change meanwhile. */
export type Work<T> = Generator<undefined, T | Promise<T>, undefined>;

/** Works that may wait beside the one that goes on. */
const waitingMax = 32;
/** Whoever asked so long ago has gone, or will have before the answer is made: a page gives up after 15 s. */
const waitMsMax = 8_000;
/** After so long whatever else the process does has a turn. */
const sliceMs = 10;
/** Of the loop's time. */
const shareMax = 1 / 4;

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
   * @throws ReconcilerError `server_busy` at once where 32 wait, where the turn does not come within 8 s, and once this is closed;
   *   whatever the work throws
   */
  run<T>(work: Work<T>): Promise<T> {
    if (this.#waiting.length >= waitingMax) return Promise.reject(tooMuch());
    const until = this.#clock.monotonic() + waitMsMax;
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => this.#done(work, until).then(resolve, reject));
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

  async #done<T>(work: Work<T>, until: number): Promise<T> {
    if (this.#clock.monotonic() > until) throw tooMuch();
    for (;;) {
      if (this.#closed.signal.aborted) throw busy("the daemon stops");
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

function tooMuch(): ReconcilerError {
  return busy("the daemon is asked for more than it can show at once");
}

function busy(message: string): ReconcilerError {
  return new ReconcilerError("server_busy", message, { hint: "ask again in some seconds" });
}
