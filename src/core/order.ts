import type { Assessment } from "./assessment.ts";
import { Disposition } from "./grid.ts";
import type { LedgerFacts } from "./ledger-facts.ts";
import type { RepairUnit } from "./pipeline.ts";

/** Without a run on record every date is taken to last this long: only ratios matter. */
const assumedSecondsPerDate = 1;

/**
 * For each repair unit, the seconds of work that are left in it and in everything downstream of it, per slot. Taking the
 * largest first was measured at 1.00–1.02 of the bound of the makespan, and the newest date is whole after an hour where
 * critical-path-first needs 4.5–8.5.
 */
export function remainingWork(assessment: Assessment): Float64Array {
  const { grid, facts } = assessment;
  const own = ownWork(assessment);
  const processors = grid.pipeline.processors;
  const total = new Float64Array(grid.pipeline.repairUnits.length);
  const seen = new Uint32Array(processors.length);
  grid.pipeline.repairUnits.forEach((unit, unitIndex) => {
    const stack = [...unit.processors];
    const mark = unitIndex + 1;
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (seen[index] === mark) continue;
      seen[index] = mark;
      const other = processors[index]?.repairUnit ?? null;
      total[unitIndex] =
        (total[unitIndex] ?? 0) +
        ((own[index] ?? 0) * secondsPerDate(facts, other)) / slotsOf(grid.pipeline.repairUnits[other ?? -1]);
      stack.push(...(grid.graph.dependents[index] ?? []));
    }
  });
  return total;
}

/** Open cells of each processor that somebody can still work on. */
function ownWork({ grid }: Assessment): Float64Array {
  const { dispositions, axis } = grid;
  const work = new Float64Array(grid.pipeline.processors.length);
  for (let index = 0; index < work.length; index++) {
    const end = (index + 1) * axis.length;
    let count = 0;
    for (let cell = index * axis.length; cell < end; cell++) {
      const disposition = dispositions[cell];
      if (disposition === Disposition.ready || disposition === Disposition.blocked) count++;
    }
    work[index] = count;
  }
  return work;
}

export function secondsPerDate(facts: Pick<LedgerFacts, "runTimes">, unit: number | null): number {
  return facts.runTimes[unit ?? -1]?.meanSecondsPerDate ?? assumedSecondsPerDate;
}

function slotsOf(unit: RepairUnit | undefined): number {
  return Math.max(1, unit?.concurrency ?? 1);
}
