import type { Assessment } from "./assessment.ts";
import { Disposition } from "./grid.ts";
import type { RepairUnit } from "./pipeline.ts";

/**
 * How long the repairs that can go on would take by the run times on record, if each worked the first time: a bound to which the
 * planner comes within some percent. Gaps that wait for a person, or for an upstream that nobody repairs, are left out. 0
 * where there is nothing to repair; null where no repair has a run time on record. One that has none is taken for the
 * average of the others.
 */
export function secondsToConvergence(assessment: Assessment): number | null {
  const { pipeline } = assessment.grid;
  const dates = pipeline.repairUnits.map((unit) => openDates(assessment, unit));
  if (dates.every((count) => count === 0)) return 0;
  const known = assessment.facts.runTimes.flatMap((times) => times?.meanSecondsPerDate ?? []);
  if (known.length === 0) return null;
  const average = known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
  const seconds = dates.map(
    (count, unit) => count * (assessment.facts.runTimes[unit]?.meanSecondsPerDate ?? average),
  );
  const sumOf = (test: (unit: RepairUnit) => boolean) =>
    pipeline.repairUnits.reduce((sum, unit, index) => sum + (test(unit) ? (seconds[index] ?? 0) : 0), 0);
  return Math.max(
    sumOf(() => true) / pipeline.limits.jobsMax,
    sumOf(({ action }) => action.kind === "command") / pipeline.limits.commandsMax,
    ...pipeline.repairUnits.map(({ concurrency }, index) => (seconds[index] ?? 0) / concurrency),
    ...pipeline.pools.map(({ name, slots }) => sumOf(({ pool }) => pool === name) / slots),
  );
}

/** Dates on which any of the repair's cells is worked on, or will be. */
function openDates({ grid }: Assessment, { processors }: RepairUnit): number {
  const { length } = grid.axis;
  let dates = 0;
  for (let position = 0; position < length; position++) {
    const isOpen = processors.some((index) => {
      const cell = index * length + position;
      return grid.dispositions[cell] !== Disposition.none && grid.progressing[cell] === 1;
    });
    if (isOpen) dates++;
  }
  return dates;
}
