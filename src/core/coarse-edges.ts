import type { Finding } from "./finding.ts";
import type { Day } from "./iso-date.ts";
import type { Pipeline, ScheduleSource, ScheduleSpec } from "./pipeline.ts";

/** From fine to coarse. */
const ranks = ["day", "weekday", "week", "month", "quarter", "year"] as const;

/** A schedule whose dates lie at least so much further apart than the upstream's has periods, and is no thinner list of dates. */
const periodRatio = 3;
/** Periods are regular: three quarters of the gaps between dates are at least this share of the largest. */
const regularShare = 0.8;

/**
 * Warns where a schedule of periods has a plain edge to a finer one: the cell of a month would wait for one of its days.
 * @param dates of the schedules that the warehouse was asked for; without them calendars alone can be compared
 */
export function coarseEdges(
  pipeline: Pick<Pipeline, "processors" | "schedules">,
  dates: ReadonlyMap<string, ReadonlySet<Day>> = new Map(),
): readonly Finding[] {
  const schedules = new Map(pipeline.schedules.map((spec) => [spec.name, spec]));
  const byName = new Map(pipeline.processors.map((processor) => [processor.name, processor]));
  return pipeline.processors.flatMap(({ name, schedule, edges }) =>
    edges.flatMap(({ window, anyOf }, index) => {
      if (window.kind !== "same_date") return [];
      const own = schedules.get(schedule);
      return anyOf.flatMap((upstream): Finding[] => {
        const theirs = schedules.get(byName.get(upstream)?.schedule ?? "");
        if (own === undefined || theirs === undefined || !isCoarser(own, theirs, dates)) return [];
        return [
          {
            level: "warning",
            place: `processors.${name}.depends_on[${index}]`,
            expected: `a window that reads every ${upstream} date of the period`,
            found: `a plain dependency: each ${name} date waits for ${upstream} on that one date, though ${schedule} is coarser than ${theirs.name}`,
            hint: `add window: until_next where ${name} is dated by the first day of its period, window: since_previous where by the last`,
          },
        ];
      });
    }),
  );
}

function isCoarser(
  own: ScheduleSpec,
  theirs: ScheduleSpec,
  dates: ReadonlyMap<string, ReadonlySet<Day>>,
): boolean {
  if (own.name === theirs.name) return false;
  const [ownRank, theirRank] = [rankOf(own.source), rankOf(theirs.source)];
  if (ownRank !== null && theirRank !== null) return ownRank > theirRank && ownRank >= ranks.indexOf("week");
  const [ownGaps, theirGaps] = [gapsOf(dates.get(own.name)), gapsOf(dates.get(theirs.name))];
  const [ownGap, theirGap] = [median(ownGaps), median(theirGaps)];
  if (ownGap === null || theirGap === null || ownGap < periodRatio * theirGap) return false;
  const largest = ownGaps.at(-1) ?? 0;
  return (ownGaps[Math.floor(ownGaps.length / 4)] ?? 0) >= regularShare * largest;
}

function rankOf(source: ScheduleSource): number | null {
  return source.kind === "calendar" ? ranks.indexOf(source.every) : null;
}

/** Days between neighbours, ascending. */
function gapsOf(dates: ReadonlySet<Day> | undefined): readonly number[] {
  const days = [...(dates ?? [])].sort((a, b) => a - b);
  return days
    .flatMap((day, index) => (index === 0 ? [] : [day - (days[index - 1] ?? day)]))
    .sort((a, b) => a - b);
}

function median(gaps: readonly number[]): number | null {
  return gaps[Math.floor(gaps.length / 2)] ?? null;
}
