import type { Assessment } from "../core/assessment.ts";
import { Disposition } from "../core/grid.ts";
import { nextProbeAt } from "../core/probe.ts";
import type { EpochMs } from "../core/wall-clock.ts";

export interface NextReadyOptions {
  /** When a run elsewhere is to be looked at; null where none is. */
  readonly elsewhereAt: EpochMs | null;
  /** Whether the probe of a quarantined cell is waited for: a run that ends does not. */
  readonly awaitsProbes: boolean;
}

/** When something may become ready by itself: a backoff ends, or a probe is due; null where nothing may. */
export function nextReadyAt(
  assessment: Assessment,
  { elsewhereAt, awaitsProbes }: NextReadyOptions,
): EpochMs | null {
  const { grid, facts } = assessment;
  let earliest = elsewhereAt ?? Infinity;
  for (let cell = 0; cell < grid.dispositions.length; cell++) {
    const disposition: number = grid.dispositions[cell] ?? Disposition.none;
    if (disposition !== Disposition.backingOff && disposition !== Disposition.quarantined) continue;
    const processor = grid.pipeline.processors[Math.floor(cell / grid.axis.length)];
    if (processor === undefined) continue;
    const position = cell % grid.axis.length;
    const known = facts.cellFacts(processor.index, grid.axis.first + position);
    if (disposition === Disposition.backingOff) earliest = Math.min(earliest, known.notBefore);
    else if (awaitsProbes)
      earliest = Math.min(earliest, nextProbeAt(assessment, processor, position, known) ?? Infinity);
  }
  return earliest === Infinity ? null : earliest;
}
