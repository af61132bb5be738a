import type { Assessment } from "../core/assessment.ts";
import { Disposition } from "../core/grid.ts";
import type { EpochMs } from "../core/wall-clock.ts";

/** When something may become ready by itself: a backoff ends, or a run elsewhere is to be looked at; null where nothing may. */
export function nextReadyAt({ grid, facts }: Assessment, elsewhereAt: EpochMs | null): EpochMs | null {
  let earliest = elsewhereAt ?? Infinity;
  for (let cell = 0; cell < grid.dispositions.length; cell++) {
    if (grid.dispositions[cell] !== Disposition.backingOff) continue;
    const processor = Math.floor(cell / grid.axis.length);
    const day = grid.axis.first + (cell % grid.axis.length);
    earliest = Math.min(earliest, facts.cellFacts(processor, day).notBefore);
  }
  return earliest === Infinity ? null : earliest;
}
