import { type Assessment, cellContext, scheduleOf } from "./assessment.ts";
import {
  allowedRows,
  type DateContext,
  extraRows,
  failedRequirements,
  type Judge,
  judgeEntry,
  repeatedRows,
  type Requirement,
  rowsText,
  violationCount,
} from "./expectation.ts";
import { State } from "./grid.ts";
import { type Day, fromDay, type IsoDate } from "./iso-date.ts";
import type { Profile } from "./observation.ts";
import type { Processor } from "./pipeline.ts";
import type { PublishPolicy } from "./repair-action.ts";

/** A date of a repair that is left as it was, and why. */
export interface RefusedDate {
  readonly date: IsoDate;
  readonly reason: string;
  /** The earlier date that it is computed from, where nothing but that stands against it. */
  readonly after?: IsoDate;
}

/** Which dates of a repair are not published, by the profile of the rows that it staged for them. */
export type StagedAudit = (staged: Profile) => readonly RefusedDate[];

/** What a date holds, or would hold. */
export interface Content {
  readonly rows: number;
  /** Rows that belong there: repeats of a key, extra keys, and rows above what the date may have, are left out. */
  readonly wanted: number;
  /** Rows in violation of the expectation. */
  readonly violations: number;
  /** Other requirements that make it invalid, such as measures. */
  readonly failures: number;
  /** Keys of the coverage that are there; null where none is asked for. */
  readonly covered: number | null;
  readonly isComplete: boolean;
}

/** The audit of the dates of a repair; null where everything is to be published. */
export function stagedAudit(
  assessment: Assessment,
  processor: Processor,
  days: readonly Day[],
  policy: PublishPolicy,
): StagedAudit | null {
  if (policy === "always") return null;
  return (staged) => {
    const entries = new Map(Array.from(staged.days, (day, entry) => [day, entry]));
    const refused: RefusedDate[] = [];
    for (const day of days) {
      const date = fromDay(day);
      const entry = entries.get(day) ?? -1;
      const reason = refusalOf(assessment, processor, day, { profile: staged, entry }, policy);
      const [first] = refused;
      if (reason !== null) refused.push({ date, reason });
      else if (processor.dependsOnPast && first !== undefined) refused.push(following(date, first.date));
    }
    return refused;
  };
}

/** Its rows were computed from staged rows that the table will not hold. */
function following(date: IsoDate, after: IsoDate): RefusedDate {
  return { date, reason: `the date is computed from ${after}, which is not published`, after };
}

interface Seen {
  readonly profile: Profile;
  readonly entry: number;
}

function refusalOf(
  assessment: Assessment,
  processor: Processor,
  day: Day,
  staged: Seen,
  policy: PublishPolicy,
): string | null {
  const rules = rulesAt(assessment, processor, day);
  const there = contentAt(assessment, processor, day);
  if (rules === null || there === null) return null;
  const content = contentOf(rules, staged);
  if (content.isComplete) return null;
  const broken = brokenText(rules, staged);
  if (policy === "if_complete")
    return `the SELECT gives ${rowsText(content.rows)}, which are not complete${broken}`;
  const worse = worseText(there, content);
  return worse === null ? null : `${worse}${broken}`;
}

/** How incomplete rows are worse than what is there; null where they are not. */
function worseText(there: Content, staged: Content): string | null {
  if (staged.wanted < there.wanted) {
    const repeats = there.wanted < there.rows ? ", repeats not counted" : "";
    return `the SELECT gives ${rowsText(staged.rows)}, the date has ${there.wanted} now${repeats}`;
  }
  if (staged.violations > there.violations) {
    return `${rowsText(staged.violations)} of the SELECT violate the expectation, the date has ${there.violations} such rows now`;
  }
  if (there.rows > 0 && staged.failures > there.failures) {
    return "the SELECT's rows fail requirements that the date meets now";
  }
  if ((staged.covered ?? 0) < (there.covered ?? 0)) {
    return `the SELECT's rows cover ${staged.covered ?? 0} keys, the date covers ${there.covered ?? 0} now`;
  }
  return there.isComplete ? "the date is complete now, the SELECT's rows are not" : null;
}

/** Whether a run left a date worse than it found it. A first try where nothing was cannot. */
export function isWorse(before: Content, after: Content): boolean {
  if (before.rows === 0 || after.isComplete) return false;
  return after.wanted < before.wanted || after.violations > before.violations;
}

/** What a date held when it was seen last; null where the date is on no axis. */
export function contentAt(assessment: Assessment, processor: Processor, day: Day): Content | null {
  const rules = rulesAt(assessment, processor, day);
  const observed = assessment.sight.observed[processor.index];
  if (rules === null || observed === undefined) return null;
  const entry = observed.entries[day - assessment.grid.axis.first] ?? -1;
  return contentOf(rules, { profile: observed.profile, entry });
}

/** What a date is judged by. */
interface Rules {
  readonly judge: Judge;
  readonly context: DateContext;
  /** On any other date no row belongs there. */
  readonly isScheduled: boolean;
}

function rulesAt(assessment: Assessment, processor: Processor, day: Day): Rules | null {
  const { axis } = assessment.grid;
  const judge = assessment.compiled.judges[processor.index];
  const position = day - axis.first;
  if (judge === undefined || position < 0 || position >= axis.length) return null;
  const schedule = scheduleOf(assessment, processor.index);
  const isScheduled = schedule.scheduled[position] === 1;
  return { judge, context: cellContext(assessment, processor.index, position), isScheduled };
}

function contentOf({ judge, context, isScheduled }: Rules, { profile, entry }: Seen): Content {
  const rows = entry < 0 ? 0 : (profile.rows[entry] ?? 0);
  if (!isScheduled)
    return { rows, wanted: 0, violations: rows, failures: 0, covered: null, isComplete: rows === 0 };
  return {
    rows,
    wanted: Math.min(
      rows - Math.min(rows, repeatedRows(judge, profile, entry) + extraRows(judge, profile, entry)),
      allowedRows(judge.expect, context),
    ),
    violations: violationCount(judge, profile, entry, context),
    failures: failedRequirements(judge, profile, entry, context).filter(isUncounted).length,
    covered: judge.coverage === null ? null : profile.metrics[judge.coverage.present]?.[entry] || 0,
    isComplete: judgeEntry(judge, profile, entry, context) === State.complete,
  };
}

/** The requirements that the staged rows do not meet, as far as there are rows. */
function brokenText({ judge, context, isScheduled }: Rules, { profile, entry }: Seen): string {
  if (!isScheduled) return " (the schedule does not have this date)";
  const failed = failedRequirements(judge, profile, entry, context).map((requirement) => {
    const { observed, expected } = requirement.describe(profile, entry, context);
    return `${requirement.name}: ${observed}, expected ${expected}`;
  });
  return failed.length === 0 ? "" : ` (${failed.join("; ")})`;
}

/** Requirements that are not about single rows, which `violationCount` counts. */
function isUncounted({ name, violation }: Requirement): boolean {
  return violation === "invalid" && !/^(?:unique:|not_null:|check:|rows_max$|coverage_extra$)/.test(name);
}
