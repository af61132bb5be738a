import type { EpochMs } from "../../core/wall-clock.ts";
import type { PlanningLease, PlanningTerm } from "../../reconcile/ports.ts";

export interface InlinePlanningLeaseOptions {
  /** The clock that epochs come from; that of this machine by default. */
  readonly now?: () => EpochMs;
}

/** The lease of one process, among its own planners. It ends with the process, so that it is never lost. */
export function createInlinePlanningLease(options: InlinePlanningLeaseOptions = {}): PlanningLease {
  const now = options.now ?? Date.now;
  let holder: PlanningTerm | null = null;
  let lastEpoch = 0;
  return {
    acquire() {
      if (holder !== null) return Promise.resolve(null);
      // Larger than the one before even where the clock stands still or goes back.
      lastEpoch = Math.max(lastEpoch + 1, Math.floor(now() * 1000));
      const term: PlanningTerm = {
        epoch: lastEpoch,
        signal: new AbortController().signal,
        release() {
          // Another may be the holder by the second time.
          if (holder === term) holder = null;
          return Promise.resolve();
        },
      };
      holder = term;
      return Promise.resolve(term);
    },
    currentEpoch: () => Promise.resolve(lastEpoch),
  };
}
