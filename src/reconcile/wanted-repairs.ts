import type { RepairsWanted } from "./ports/repair-events.ts";
import type { SelectionSpec } from "./selection.ts";

/** A run says every two seconds that it still waits: whoever is silent for so long is gone. */
const silenceMs = 15_000;
/** More runs at once are not people's. */
const runsMax = 100;

interface WantingRun {
  readonly selection: SelectionSpec;
  /** On the monotonic clock. */
  readonly heardAt: number;
}

/** What runs of `--once` wait for while another process plans, for as long as they say so. */
export class WantedRepairs {
  /** By the name of the run's process, the one that was heard first in front. */
  readonly #runs = new Map<string, WantingRun>();

  get selections(): readonly SelectionSpec[] {
    return [...this.#runs.values()].map(({ selection }) => selection);
  }

  /** True where that is news. @param now on the monotonic clock */
  heard({ worker, selection }: RepairsWanted, now: number): boolean {
    const isNews = !this.#runs.has(worker);
    if (isNews && this.#runs.size >= runsMax) return false;
    this.#runs.set(worker, { selection, heardAt: now });
    return isNews;
  }

  /** Forgets whoever has fallen silent; true where there was one. */
  forgetSilent(now: number): boolean {
    const silent = [...this.#runs].filter(([, { heardAt }]) => now - heardAt > silenceMs);
    for (const [run] of silent) this.#runs.delete(run);
    return silent.length > 0;
  }
}
