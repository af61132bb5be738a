import { datesText, parseDateRuns } from "./date-runs.ts";
import { type Day, fromDay } from "./iso-date.ts";
import type { Baseline, LedgerRecords } from "./ledger-records.ts";
import { memoByIdentity } from "./memo.ts";
import type { Safety, ScheduleSpec } from "./pipeline.ts";
import type { DenseSchedule } from "./schedule.ts";
import type { EpochMs } from "./wall-clock.ts";

/** A repair's circuit: `open` lets nothing run, `half_open` lets one date probe. */
export interface Circuit {
  readonly state: "closed" | "open" | "half_open";
  /** Since when it is open; 0 while closed. */
  readonly openedAt: EpochMs;
  /** When it lets a probe through; 0 while closed. */
  readonly probeAt: EpochMs;
  readonly cause: string;
}

export const closedCircuit: Circuit = { state: "closed", openedAt: 0, probeAt: 0, cause: "" };

type RunEnd = LedgerRecords["recentEnds"][number];

/**
 * Folds the ends of one repair's runs, oldest first. One systemic failure opens the circuit; so do `failures` first
 * attempts in a row that failed, which are different dates, as a retry is no first attempt. A run that was proven
 * closes it. A job that succeeds and changes nothing speaks about its date: it counts for no failure, but as a probe it
 * proves that the executor works.
 */
export function circuitOf(
  ends: readonly RunEnd[],
  rules: Safety["circuitBreaker"],
  releasedAt: EpochMs,
  now: EpochMs,
): Circuit {
  let failuresInRow = 0;
  let openedAt: EpochMs | null = null;
  let cause = "";
  for (const end of ends) {
    if (end.endedAt <= releasedAt || saysNothing(end)) continue;
    const probing: boolean = openedAt !== null && end.startedAt >= openedAt + rules.coolOffMs;
    if (end.outcome === "repaired" || (end.outcome === "ineffective" && probing)) {
      failuresInRow = 0;
      openedAt = null;
      continue;
    }
    if (end.outcome === "ineffective") continue;
    if (end.attempt === 1) failuresInRow++;
    if (end.systemic !== null || failuresInRow >= rules.failures || probing) {
      openedAt = end.endedAt;
      cause = end.message ?? end.outcome;
    }
  }
  if (openedAt === null) return closedCircuit;
  const probeAt = openedAt + rules.coolOffMs;
  return { state: now >= probeAt ? "half_open" : "open", openedAt, probeAt, cause };
}

/** What says nothing about the executor: nothing was done, or a person or a signal stopped it. */
function saysNothing({ outcome, errorCode }: RunEnd): boolean {
  return outcome === "skipped" || errorCode === "cancelled";
}

/** The days that a baseline names. */
export const daysOfBaseline = memoByIdentity(
  (baseline: Baseline): ReadonlySet<Day> => parseDateRuns(baseline.dates),
);

/** How much of what was complete is gone. */
export interface MassGap {
  readonly wasComplete: number;
  readonly becameGaps: number;
}

/**
 * The worst of the baselines: the last accepted one, and the one of 24 h ago, which sees what bleeds slowly. One that is a
 * mass gap is worse than any that is not, as a longer baseline can lose more cells and yet a smaller share.
 * @param isGap whether the cell of that day is a gap now
 */
export function massGapOf(
  baselines: readonly Baseline[],
  rules: Safety["massGap"],
  isGap: (day: Day) => boolean,
): MassGap {
  let worst: MassGap = { wasComplete: 0, becameGaps: 0 };
  for (const baseline of baselines) {
    const days = daysOfBaseline(baseline);
    let becameGaps = 0;
    for (const day of days) if (isGap(day)) becameGaps++;
    const gap = { wasComplete: days.size, becameGaps };
    const [isMass, wasMass] = [isMassGap(gap, rules), isMassGap(worst, rules)];
    if (isMass === wasMass ? becameGaps >= worst.becameGaps : isMass) worst = gap;
  }
  return worst;
}

export function isMassGap(gap: MassGap, rules: Safety["massGap"]): boolean {
  return gap.becameGaps >= rules.cellsMin && gap.becameGaps / gap.wasComplete > rules.maxShare;
}

/** Past dates that a schedule had and has no longer, ascending. */
export interface ScheduleChange {
  readonly believed: readonly Day[];
  readonly doubted: readonly Day[];
  /** Why some are doubted; null where none is. */
  readonly doubt: string | null;
  /** The baseline that has the doubted dates. */
  readonly against: Baseline | null;
}

/**
 * Compares a schedule with the last accepted one, then with the one of a day ago, which sees many small steps. A change is
 * doubted when it exceeds both limits; a smaller one is believed.
 * @param today dates before it are past
 * @param baselines oldest first
 */
export function scheduleChangeOf(
  schedule: DenseSchedule,
  first: Day,
  today: Day,
  baselines: readonly Baseline[],
  rules: Safety["scheduleChange"],
): ScheduleChange {
  const all = new Set<Day>();
  let [doubted, doubt, against]: [readonly Day[], string | null, Baseline | null] = [[], null, null];
  for (const baseline of baselines.toReversed()) {
    let past = 0;
    const gone: Day[] = [];
    for (const day of daysOfBaseline(baseline)) {
      if (day >= today) continue;
      past++;
      if (schedule.scheduled[day - first] !== 1) gone.push(day);
    }
    for (const day of gone) all.add(day);
    const isDoubted = gone.length > rules.datesMin && gone.length / past > rules.maxShare;
    if (!isDoubted || doubt !== null) continue;
    const dates = gone.length === 1 ? "scheduled date" : "scheduled dates";
    doubt = `${gone.length} ${dates} vanished: ${datesText(gone)}, of ${past} past ones`;
    [doubted, against] = [gone, baseline];
  }
  for (const day of doubted) all.delete(day);
  return { believed: [...all].sort((a, b) => a - b), doubted, doubt, against };
}

/** A hole, or an end that is longer ago, than the schedule itself allows; null where there is none. */
export function scheduleHole(
  { maxGapDays }: ScheduleSpec,
  schedule: DenseSchedule,
  first: Day,
  today: Day,
): string | null {
  if (maxGapDays === null) return null;
  const { positions, endDay } = schedule;
  // Nothing is expected of a schedule after its end.
  const end = endDay === null ? today : Math.min(today, endDay);
  for (const [index, position] of positions.entries()) {
    const day = first + position;
    const following = positions[index + 1];
    const next = following === undefined ? end : first + following;
    if (next - day <= maxGapDays) continue;
    const until = following !== undefined ? "the next date" : end < today ? "its end date" : "today";
    return `no date for ${next - day} days after ${fromDay(day)} until ${until}; at most ${maxGapDays} are expected`;
  }
  return null;
}
