import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../reconcile/ports.ts";

/** The longest a Node timer can wait; anything longer would fire at once. */
const timerMaxMs = 2 ** 31 - 1;

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    const options = signal === undefined ? {} : { signal };
    // An abort ends the wait; it is no error of the sleeper's.
    await delay(Math.min(ms, timerMaxMs), undefined, options).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
  },
};
