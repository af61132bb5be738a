import type { Selection } from "./grid.ts";
import type { EpochMs } from "./wall-clock.ts";

/** What a run is allowed to do beyond what the config says; the daemon and `--once` differ in it. */
export interface RunPolicy {
  /** Gaps of dates older than this are held; null repairs any age. */
  readonly maxAgeMs: number | null;
  /** Cells whose repair somebody waits for: they are repaired at any age, and before the backlog. */
  readonly wanted: readonly Selection[];
  /** Dates due after this instant are pending; fixed at the start of a `--once`. */
  readonly horizon: EpochMs;
  /** Treats what backs off as ready, as a forecast does: a run would wait it out. */
  readonly ignoreBackoff: boolean;
}
