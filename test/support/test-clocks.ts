// Clocks for what waits, so that a test does not have to.
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import type { Clock } from "../../src/reconcile/ports.ts";

/** A clock that can be set forward, and that keeps how long it was asked to wait. */
export interface TestClock {
  readonly clock: Clock;
  skipMs: number;
  readonly waits: number[];
  /** The next so many waits, each of which ends soon. */
  nextWaits(count: number): Promise<readonly number[]>;
}

export function testClock(): TestClock {
  const waits: number[] = [];
  let onWait: () => void = () => undefined;
  const own: TestClock = {
    skipMs: 0,
    waits,
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now() + own.skipMs,
      sleep: async (ms, signal) => {
        waits.push(ms);
        onWait();
        await systemClock.sleep(Math.min(ms, 5), signal);
      },
    },
    nextWaits: (count) =>
      new Promise((resolve) => {
        const from = waits.length;
        onWait = () => {
          if (waits.length === from + count) resolve(waits.slice(from));
        };
      }),
  };
  return own;
}

/** What waits on it waits until it is woken; only a wait of no length ends by itself. */
export const wokenClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => (ms === 0 ? systemClock.sleep(0, signal) : untilWoken(signal)),
};

function untilWoken(signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

const hurry = 20;

/** Passes twenty times as fast where it is waited for; the time of day stays what it is, or a run's deadline would be over. */
export const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * hurry,
  sleep: (ms, signal) => systemClock.sleep(ms / hurry, signal),
};
