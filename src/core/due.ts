import type { CompiledPipeline } from "./assessment.ts";
import type { Day } from "./iso-date.ts";
import { memoByIdentity } from "./memo.ts";
import type { Edge, Processor } from "./pipeline.ts";
import { type EpochMs, instantOf, localDayAt } from "./wall-clock.ts";

/** When the cells of a processor are due: so many days after their date, at a time of the pipeline's zone. */
type DueTime = Processor["due"];

/** By processor index: its own time, or that of a hard upstream that is read on the same date where that is later. */
export const dueTimes = memoByIdentity(
  ({ pipeline, graph, byName }: CompiledPipeline): readonly DueTime[] => {
    const times: DueTime[] = pipeline.processors.map(({ due }) => due);
    for (const index of graph.order) {
      for (const edge of pipeline.processors[index]?.edges ?? []) {
        if (edge.mode !== "hard" || !readsOwnDate(edge)) continue;
        // Of several of which one is enough, the first one to be due.
        const upstreams = edge.anyOf.flatMap((name) => times[byName.get(name)?.index ?? -1] ?? []);
        const [upstream] = upstreams.toSorted(compare);
        const own = times[index];
        if (upstream !== undefined && own !== undefined && compare(upstream, own) > 0)
          times[index] = upstream;
      }
    }
    return times;
  },
);

export function dueAt({ daysAfter, minuteOfDay }: DueTime, day: Day, timezone: string): EpochMs {
  return instantOf(day + daysAfter, minuteOfDay, timezone);
}

/** By processor index: the last day whose cell is due at an instant. */
export function lastDueDays(compiled: CompiledPipeline, at: EpochMs): readonly Day[] {
  const { timezone } = compiled.pipeline;
  const today = localDayAt(at, timezone);
  // Most processors share one.
  const known = new Map<string, Day>();
  return dueTimes(compiled).map((due) => {
    const key = `${due.daysAfter}/${due.minuteOfDay}`;
    const day =
      known.get(key) ?? today - due.daysAfter - (instantOf(today, due.minuteOfDay, timezone) <= at ? 0 : 1);
    known.set(key, day);
    return day;
  });
}

function compare(a: DueTime, b: DueTime): number {
  return a.daysAfter - b.daysAfter || a.minuteOfDay - b.minuteOfDay;
}

function readsOwnDate({ window }: Edge): boolean {
  return window.kind === "same_date" || window.kind === "since_previous" || window.sameDate;
}
