import { type Assessment, scheduleOf } from "./assessment.ts";
import { chainOf, isGapCell } from "./batches.ts";
import { Disposition, isPoison, reasonCode } from "./grid.ts";
import type { Processor } from "./pipeline.ts";

const chronological = reasonCode("chronological");

/**
 * How many selected gaps of a chronological processor wait behind a date of their season that was given up, which is quarantined or
 * unrepairable: nothing repairs them until a person does something. 0 where a date that was given up is passed over
 * (`on_poison: continue`), and for what is only waiting for its turn.
 */
export function gapsBehindPoison(assessment: Assessment, processor: Processor): number {
  if (!processor.chronological || processor.onPoison !== "stop") return 0;
  const { grid } = assessment;
  const schedule = scheduleOf(assessment, processor.index);
  const base = processor.index * grid.axis.length;
  /** By season: whether the gap that stops its chain was given up. What stops it may lie before the selection. */
  const stops = new Map<number, boolean>();
  let waiting = 0;
  for (let position = 0; position <= grid.selection.to; position++) {
    if (!isGapCell(assessment, processor.index, position)) continue;
    const disposition: number = grid.dispositions[base + position] ?? Disposition.none;
    if (disposition === Disposition.ready) continue;
    const season = chainOf(processor, schedule, position);
    const isBehindPoison = stops.get(season);
    if (isBehindPoison === undefined) stops.set(season, isPoison(disposition));
    else if (isBehindPoison && position >= grid.selection.from) {
      if (grid.reasons[base + position] === chronological) waiting++;
    }
  }
  return waiting;
}
