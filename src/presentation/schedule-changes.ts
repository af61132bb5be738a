import type { ScheduleChangeDocument } from "../core/breaker-document.ts";
import { datesText } from "../core/date-runs.ts";
import { toDay } from "../core/iso-date.ts";

/** One sentence for each change that is believed; those that are not are told as breakers. */
export function scheduleChangeTexts(changes: readonly ScheduleChangeDocument[]): readonly string[] {
  return changes
    .filter(({ believed }) => believed)
    .map(
      ({ schedule, vanished }) =>
        `${datesText(vanished.map(toDay))} left the schedule ${schedule}: nothing is expected there any more`,
    );
}
