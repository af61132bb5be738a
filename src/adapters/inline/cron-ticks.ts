import { schedule } from "node-cron";
import type { Ticks } from "../../reconcile/ports.ts";

export interface CronTicksOptions {
  /** Five fields. */
  readonly cron: string;
  /** IANA name, in which the fields are read. */
  readonly timezone: string;
  /** Each tick comes later by a random time up to this, so that replicas do not ask in step. */
  readonly jitterMs: number;
}

/** How many ticks ahead the longest pause between two is looked for. */
const ticksAhead = 20;
/** A Node timer that is set to more fires at once. */
const timerMaxMs = 2 ** 31 - 1;

/**
 * Ticks by cron. The wall clock can be set back, after which cron is silent until it has caught up: where none came for twice
 * the longest pause, a tick comes all the same, by a clock that is never set.
 */
export function createCronTicks({ cron, timezone, jitterMs }: CronTicksOptions): Ticks {
  return {
    start(onTick) {
      let safetyMs = timerMaxMs;
      let safety: NodeJS.Timeout | undefined;
      const tick = () => {
        clearTimeout(safety);
        safety = setTimeout(tick, safetyMs);
        onTick();
      };
      const task = schedule(cron, tick, { timezone, maxRandomDelay: jitterMs, suppressMissedWarning: true });
      safetyMs = Math.min(2 * longestPauseMs(task.getNextRuns(ticksAhead)) + jitterMs, timerMaxMs);
      safety = setTimeout(tick, safetyMs);
      return {
        stop() {
          clearTimeout(safety);
          void task.destroy();
        },
      };
    },
  };
}

function longestPauseMs(runs: readonly Date[]): number {
  let longest = 60_000;
  for (const [index, run] of runs.entries()) {
    const next = runs[index + 1];
    if (next !== undefined) longest = Math.max(longest, next.getTime() - run.getTime());
  }
  return longest;
}
