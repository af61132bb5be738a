import { type Assessment, scheduleOf } from "./assessment.ts";
import { Changing, Disposition, isGapState, meetsExpectation } from "./grid.ts";
import type { Processor } from "./pipeline.ts";
import { isFollowed, staleReadings } from "./staleness.ts";
import { windowAt } from "./windows.ts";

/**
 * Says of a processor's cells whether repairs under way or to come will change them; its upstreams are done, and so are the
 * dispositions of its own gaps. What reads such a cell waits for it, so that each cell is computed once, from the last input.
 * @param mayCarry whether the job of the date before may compute the complete cell at a position again
 */
export function markChanging(
  assessment: Assessment,
  processor: Processor,
  mayCarry: (position: number) => boolean,
): void {
  const { grid } = assessment;
  const { length } = grid.axis;
  const base = processor.index * length;
  markGaps(assessment, base);
  markInFlight(assessment, processor);
  if (!isFollowed(assessment, processor)) return;
  const isInputChanging = changingInput(assessment, processor);
  const hasOwn =
    processor.dependsOnPast && grid.changing.subarray(base, base + length).includes(Changing.later);
  if (isInputChanging === null && !hasOwn) return;
  const { positions } = scheduleOf(assessment, processor.index);
  let before = -1;
  for (const position of positions) {
    const cell = base + position;
    if (meetsExpectation(grid.states[cell] ?? 0) && !isGapState(grid.states[cell] ?? 0)) {
      if (isInputChanging?.(position) === true) grid.changing[cell] = Changing.later;
      else if (hasOwn && before >= 0) carry(assessment, base + before, cell, () => mayCarry(position));
    }
    before = position;
  }
}

/** A gap changes for as long as somebody is or will soon be working on it, or on what blocks it. */
function markGaps({ grid }: Assessment, base: number): void {
  for (let cell = base; cell < base + grid.axis.length; cell++) {
    if (grid.progressing[cell] === 1) grid.changing[cell] = Changing.later;
  }
}

/** A run that has filled a cell and has not ended. Of dates that are carried forward nobody can tell whether they are filled. */
function markInFlight({ grid, inFlight }: Assessment, { index, dependsOnPast }: Processor): void {
  const { first, length } = grid.axis;
  for (const { processors, days, state } of inFlight) {
    if (state !== "running" || !processors.includes(index)) continue;
    for (const day of days) {
      const position = day - first;
      if (position < 0 || position >= length) continue;
      const cell = index * length + position;
      if (!meetsExpectation(grid.states[cell] ?? 0) || grid.changing[cell] === Changing.later) continue;
      grid.changing[cell] = dependsOnPast ? Changing.later : Changing.written;
    }
  }
}

/** Whether anything changes that the cell at a position is computed from, its own past aside; null where nothing does. */
function changingInput(assessment: Assessment, processor: Processor): ((position: number) => boolean) | null {
  const { grid } = assessment;
  const { length } = grid.axis;
  const own = scheduleOf(assessment, processor.index);
  const tests = staleReadings(assessment, processor).flatMap(({ upstream, window }) => {
    if (upstream.index === processor.index) return [];
    const changing = grid.changing.subarray(upstream.index * length, (upstream.index + 1) * length);
    if (![Changing.later, Changing.carried, Changing.written].some((code) => changing.includes(code)))
      return [];
    const schedule = scheduleOf(assessment, upstream.index);
    const sums = new Int32Array(length + 1);
    for (let at = 0; at < length; at++)
      sums[at + 1] = (sums[at] ?? 0) + (changing[at] === Changing.no ? 0 : 1);
    return [
      (position: number) => {
        const { from, to } = windowAt(window, schedule, own, position);
        return to >= from && (sums[to + 1] ?? 0) > (sums[from] ?? 0);
      },
    ];
  });
  return tests.length === 0 ? null : (position) => tests.some((test) => test(position));
}

/** What is computed from its own previous date changes with it: in the same job where that is about to be run. */
function carry({ grid }: Assessment, before: number, cell: number, mayCarry: () => boolean): void {
  if (grid.changing[before] === Changing.no) return;
  const isRunNext =
    grid.changing[before] === Changing.carried || grid.dispositions[before] === Disposition.ready;
  grid.changing[cell] = isRunNext && mayCarry() ? Changing.carried : Changing.later;
}
