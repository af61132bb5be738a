import type { StepDocument } from "../core/repair-documents.ts";
import { counted, formatSeconds } from "./numbers.ts";

const linesMax = 40;

/** A job, or the jobs of one repair in one wave. */
export interface PlanLine {
  readonly wave: number;
  readonly repair: string;
  readonly jobs: number;
  readonly first: string;
  readonly last: string;
  readonly dates: number;
  readonly seconds: number | null;
  readonly bytes: number | null;
  readonly why: string;
}

export interface PlanLines {
  /** At most 40. */
  readonly lines: readonly PlanLine[];
  /** Whether a line stands for all jobs of a repair in a wave. */
  readonly isFolded: boolean;
  /** Lines beyond the 40. */
  readonly hidden: number;
}

/** A line per job, or, where there are more than 40, a line per repair and wave. */
export function planLines(steps: readonly StepDocument[]): PlanLines {
  const isFolded = steps.length > linesMax;
  const all = isFolded ? grouped(steps) : steps.map(lineOf);
  return { lines: all.slice(0, linesMax), isFolded, hidden: Math.max(0, all.length - linesMax) };
}

/** What a plan is of: its jobs, and the gaps and unobserved cells that there are. */
export interface PlannedRange {
  readonly steps: readonly StepDocument[];
  readonly pipeline: string;
  readonly range: { readonly start_date: string; readonly end_date: string };
  readonly gaps: number;
  readonly unknown: number;
}

/** How many jobs there are and what they take, or why there is none; one sentence. */
export function planHeadline({ steps, pipeline, range, gaps, unknown }: PlannedRange): string {
  const where = `${pipeline}, ${range.start_date} to ${range.end_date}`;
  if (steps.length === 0) {
    const gapText = gaps === 0 ? "no gap" : `${counted(gaps, "gap")}, none of them can be repaired now`;
    const unknownText = unknown === 0 ? "" : `; ${counted(unknown, "cell")} could not be observed`;
    return `nothing to run: ${gapText}${unknownText} (${where})`;
  }
  const waves = Math.max(...steps.map(({ wave }) => wave));
  const dates = steps.reduce((sum, step) => sum + step.dates.length * step.processors.length, 0);
  return `${counted(steps.length, "job")} in ${counted(waves, "wave")} for ${counted(dates, "cell")}, ${timeText(steps)} (${where})`;
}

/** The jobs one after the other; how many run at once depends on limits. */
function timeText(steps: readonly StepDocument[]): string {
  const known = steps.filter(({ forecast_seconds }) => forecast_seconds !== null);
  if (known.length === 0) return "time unknown: no repair has run before";
  const seconds = known.reduce((sum, { forecast_seconds }) => sum + (forecast_seconds ?? 0), 0);
  const atLeast = known.length < steps.length ? "at least " : "about ";
  return `${atLeast}${formatSeconds(seconds)} of run time`;
}

function lineOf(step: StepDocument): PlanLine {
  return {
    wave: step.wave,
    repair: step.repair,
    jobs: 1,
    first: step.start_date,
    last: step.end_date,
    dates: step.dates.length,
    seconds: step.forecast_seconds,
    bytes: step.forecast_bytes,
    why: step.reason,
  };
}

function grouped(steps: readonly StepDocument[]): readonly PlanLine[] {
  const groups = new Map<string, PlanLine>();
  for (const step of steps) {
    const line = lineOf(step);
    const known = groups.get(`${line.wave}/${line.repair}`);
    groups.set(`${line.wave}/${line.repair}`, known === undefined ? line : merged(known, line));
  }
  return [...groups.values()];
}

function merged(a: PlanLine, b: PlanLine): PlanLine {
  return {
    ...a,
    jobs: a.jobs + b.jobs,
    first: a.first < b.first ? a.first : b.first,
    last: a.last > b.last ? a.last : b.last,
    dates: a.dates + b.dates,
    seconds: a.seconds === null || b.seconds === null ? null : a.seconds + b.seconds,
    bytes: a.bytes === null || b.bytes === null ? null : a.bytes + b.bytes,
    why: sumOfReasons(a.why, b.why),
  };
}

/** `3 missing` and `2 missing, 1 partial` are `5 missing, 1 partial`; other words stay away. */
function sumOfReasons(a: string, b: string): string {
  const counts = new Map<string, number>();
  for (const [, count, state] of `${a}, ${b}`.matchAll(/(\d+) (missing|partial|invalid|stale)\b/g)) {
    counts.set(state ?? "", (counts.get(state ?? "") ?? 0) + Number(count));
  }
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}
