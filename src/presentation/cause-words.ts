import type { CauseGroup, OutsideCause } from "./cause-groups.ts";
import { formatCount, formatDates } from "./numbers.ts";
import { dispositionText } from "./words.ts";

/** `raw 2024-01-05 missing, ready; 3 cells wait for it`. */
export function causeText(group: CauseGroup): string {
  return `${group.processor} ${formatDates(group.dates)} ${group.state}, ${causeStanding(group)}`;
}

/** How the gaps of a cause stand, when they are tried again, and how many cells wait for them. */
export function causeStanding({ disposition, reason, attempts, nextAttemptAt, waiting }: CauseGroup): string {
  const when = nextAttemptAt === null ? "" : `, next attempt ${nextAttemptAt}`;
  const waits = waiting === 0 ? "" : `; ${waitText(waiting)} for it`;
  return `${dispositionText(disposition, reason, attempts)}${when}${waits}`;
}

export function outsideCauseText({ processor, dates, waiting, unknown }: OutsideCause): string {
  const why = unknown ? "which could not be observed" : "not due yet, or outside of what was selected";
  return `${waitText(waiting)} for ${processor} ${formatDates(dates)}, ${why}`;
}

function waitText(cells: number): string {
  return cells === 1 ? "1 cell waits" : `${formatCount(cells)} cells wait`;
}
