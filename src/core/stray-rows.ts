import { type AssessInput, scheduleOf } from "./assessment.ts";
import type { Day } from "./iso-date.ts";
import type { Processor } from "./pipeline.ts";

/** Rows of a processor's table that stand in no cell; null for what the warehouse did not count. */
export interface StrayRows {
  readonly withoutDate: number | null;
  readonly afterToday: number | null;
  readonly beforeSchedule: number | null;
}

type StrayInput = Pick<AssessInput, "compiled" | "sight">;

/** Null if the table has none, or could not be read. */
export function strayRowsOf(input: StrayInput, processor: Processor): StrayRows | null {
  const { sight } = input;
  const observed = sight.observed[processor.index];
  if (observed === undefined || observed.failure !== null) return null;
  const outside = sight.outside.get(processor.name);
  const inside = strayRowsInside(input, processor);
  const found = {
    withoutDate: outside?.withoutDate ?? null,
    afterToday: sum(outside?.after ?? null, inside.afterToday),
    beforeSchedule: sum(outside?.before ?? null, inside.beforeSchedule),
  };
  return Object.values(found).some((rows) => rows !== null && rows > 0) ? found : null;
}

/** The first date of a processor's schedule. */
function scheduleStart(input: StrayInput, processor: Processor): Day {
  return input.sight.axis.first + (scheduleOf(input, processor.index).positions[0] ?? 0);
}

/** Of the dates that the scan read: from both ends, as far as they are stray. */
function strayRowsInside(
  input: StrayInput,
  processor: Processor,
): { readonly afterToday: number; readonly beforeSchedule: number } {
  const { axis, today, observed } = input.sight;
  const { scheduled } = scheduleOf(input, processor.index);
  const { days, rows } = observed[processor.index]?.profile ?? { days: [], rows: [] };
  const start = scheduleStart(input, processor);
  let [afterToday, beforeSchedule] = [0, 0];
  for (let entry = days.length - 1; (days[entry] ?? today) > today; entry -= 1) {
    // A run that looks ahead has cells there.
    const isCell = scheduled[(days[entry] ?? 0) - axis.first] === 1;
    if (!isCell) afterToday += rows[entry] ?? 0;
  }
  for (let entry = 0; (days[entry] ?? start) < Math.min(start, today + 1); entry += 1) {
    beforeSchedule += rows[entry] ?? 0;
  }
  return { afterToday, beforeSchedule };
}

/** What is not known of one part leaves the sum unknown, unless the other part has rows: those are there in any case. */
function sum(outside: number | null, inside: number): number | null {
  if (outside === null) return inside > 0 ? inside : null;
  return outside + inside;
}
