import { assertNever } from "../errors.ts";
import {
  type EmptyVerdict,
  emptyState,
  impliedRows,
  judgeEmpty,
  mayBeEmpty,
  noOthers,
  type Others,
  rowsApply,
} from "./emptiness.ts";
import { State } from "./grid.ts";
import { metricsOf, type Metric, type Profile } from "./observation.ts";
import type { CoverageExpectation, Expectation } from "./pipeline.ts";

/** What an expectation is judged against, beside the profile. */
export interface DateContext {
  /** Whether the schedule has the date. One that it has not should have no rows, whatever is expected of others. */
  readonly scheduled: boolean;
  /** Of the schedule on that date. */
  readonly units: number;
  /** Days since the season's first date; 0 on it. */
  readonly seasonDay: number;
  /** The cells that the expectation refers to; without them every requirement applies, and nothing excuses an empty date. */
  readonly others?: Others;
}

/** One requirement of an expectation, for a date that has rows. */
export interface Requirement {
  /** As in `failed_checks`: `rows_min`, `coverage`, `check:NAME` and so on. */
  readonly name: string;
  /** What a violation makes of the cell. */
  readonly violation: "partial" | "invalid";
  readonly holds: (profile: Profile, entry: number, context: DateContext) => boolean;
  readonly describe: (
    profile: Profile,
    entry: number,
    context: DateContext,
  ) => { observed: string; expected: string };
}

export interface Judge extends JudgeColumns {
  readonly requirements: readonly Requirement[];
}

/** Where the numbers that more than one requirement reads stand in a profile; -1 or null where not asked for. */
export interface JudgeColumns {
  readonly expect: Expectation;
  /** Where the completion log's count is among the metrics; -1 without a log. */
  readonly completionLog: number;
  readonly completionLogRows: number;
  readonly coverage: {
    readonly of: number;
    readonly absent: number;
    readonly present: number;
    readonly extra: number;
    readonly extraRows: number;
  } | null;
  readonly entitiesOf: number;
}

export function compileJudge(expect: Expectation): Judge {
  const metrics = metricsOf(expect);
  const find = (kind: Metric["kind"]) => metrics.findIndex((metric) => metric.kind === kind);
  const columns: JudgeColumns = {
    expect,
    completionLog: find("completion_log"),
    completionLogRows: find("completion_log_rows"),
    entitiesOf: find("entities_of"),
    coverage:
      expect.coverage === null
        ? null
        : {
            of: find("coverage_of"),
            absent: find("coverage_absent"),
            present: find("coverage_present"),
            extra: find("coverage_extra"),
            extraRows: find("coverage_extra_rows"),
          },
  };
  const requirements = [...rowRequirements(columns), ...coverageRequirements(columns)];
  metrics.forEach((metric, column) => {
    const requirement = contentRequirement(expect, metric, column);
    if (requirement !== null && !requirements.some(({ name }) => name === requirement.name)) {
      requirements.push(requirement);
    }
  });
  return { ...columns, requirements };
}

/** The one requirement of a date that is not scheduled. */
export const offSchedule: Requirement = {
  name: "off_schedule",
  violation: "invalid",
  holds: (profile, entry) => !((profile.rows[entry] ?? 0) > 0),
  describe: (profile, entry) => ({
    observed: rowsText(profile.rows[entry] ?? 0),
    expected: "no rows: the date is not scheduled",
  }),
};

/**
 * The state that the rows of a date deserve: complete, missing, partial or invalid, as a code of `State`; unknown where there
 * are none, and whether any are expected could not be observed.
 * @param entry -1 for a date that is not in the profile
 */
export function judgeEntry(judge: Judge, profile: Profile, entry: number, context: DateContext): number {
  if (!context.scheduled) return offSchedule.holds(profile, entry, context) ? State.complete : State.invalid;
  if (entry < 0 || profile.rows[entry] === 0) {
    return mayBeEmpty(judge.expect)
      ? emptyState(emptyVerdict(judge, profile, entry, context))
      : State.missing;
  }
  let state: number = State.complete;
  for (const requirement of judge.requirements) {
    if (requirement.holds(profile, entry, context)) continue;
    if (requirement.violation === "partial") return State.partial;
    state = State.invalid;
  }
  return state;
}

/** Every requirement that the rows of a date violate, in the order of the expectation. */
export function failedRequirements(
  judge: Judge,
  profile: Profile,
  entry: number,
  context: DateContext,
): readonly Requirement[] {
  if (!context.scheduled) return offSchedule.holds(profile, entry, context) ? [] : [offSchedule];
  if (entry < 0 || profile.rows[entry] === 0) return [];
  return judge.requirements.filter((requirement) => !requirement.holds(profile, entry, context));
}

/** Whether rows are expected on a date that has none, and why. */
export function emptyVerdict(
  judge: JudgeColumns,
  profile: Profile,
  entry: number,
  context: DateContext,
): EmptyVerdict {
  const { expect, coverage } = judge;
  // A date that no joined table has is not in the profile.
  const countOf = (column: number) => (entry < 0 || column < 0 ? 0 : metric(profile, column, entry) || 0);
  const minimum = expect.coverage?.min ?? 0;
  return judgeEmpty({
    expect,
    others: context.others ?? null,
    required: requiredRows(judge, profile, entry, context),
    entities: countOf(judge.entitiesOf),
    coverage:
      coverage === null
        ? null
        : { keys: countOf(coverage.of), holds: coverageRatio(judge, profile, entry) >= minimum },
    log:
      judge.completionLog < 0
        ? null
        : {
            entries: countOf(judge.completionLog),
            rows: entry < 0 ? Number.NaN : metric(profile, judge.completionLogRows, entry),
          },
  });
}

/** 0–1: the least of rows ÷ required rows and coverage ÷ its minimum; 0 where a check fails or there are no rows. */
export function completenessOf(judge: Judge, profile: Profile, entry: number, context: DateContext): number {
  const state = judgeEntry(judge, profile, entry, context);
  if (state === State.complete) return 1;
  if (state !== State.partial || failedRequirements(judge, profile, entry, context).some(isInvalidating))
    return 0;
  const required = requiredRows(judge, profile, entry, context);
  const rows = profile.rows[entry] ?? 0;
  const byRows = required === 0 ? 1 : rows / required;
  const ratio = coverageRatio(judge, profile, entry);
  const minimum = judge.expect.coverage?.min ?? 0;
  const byCoverage =
    judge.coverage === null ? 1 : Number.isNaN(ratio) ? 0 : minimum === 0 ? 1 : ratio / minimum;
  return Math.min(1, byRows, byCoverage);
}

/** Rows that the date needs; the largest of the floors that apply. */
export function requiredRows(
  judge: JudgeColumns,
  profile: Profile,
  entry: number,
  context: DateContext,
): number {
  if (!context.scheduled) return 0;
  const { expect } = judge;
  const { rows } = expect;
  const others = context.others ?? noOthers;
  if (!rowsApply(expect, others)) return 0;
  const perUnit = rows.perUnit === null ? 0 : product(rows.perUnit, context.units);
  const entities = judge.entitiesOf < 0 || entry < 0 ? 0 : metric(profile, judge.entitiesOf, entry) || 0;
  const perEntity = rows.perEntity === null ? 0 : product(rows.perEntity.min, entities);
  return Math.max(rows.min, impliedRows(expect, others), perUnit, perEntity);
}

/** Rows that the date may have at most; infinite without a ceiling. */
export function allowedRows(expect: Expectation, context: DateContext): number {
  if (!context.scheduled) return 0;
  const perUnit = expect.rows.maxPerUnit === null ? Infinity : product(expect.rows.maxPerUnit, context.units);
  return Math.min(expect.rows.max ?? Infinity, perUnit);
}

/** Share of the entities that are not excused; NaN while there is none to cover. */
function coverageRatio(judge: JudgeColumns, profile: Profile, entry: number): number {
  if (judge.coverage === null) return Number.NaN;
  if (!(metric(profile, judge.coverage.of, entry) > 0)) return Number.NaN;
  const present = metric(profile, judge.coverage.present, entry);
  const counted = present + metric(profile, judge.coverage.absent, entry);
  return counted === 0 ? 1 : present / counted;
}

/**
 * Rows that violate the expectation: repeats of a key, NULLs beyond those allowed, rows that fail a check, rows of extra
 * keys, rows above the ceiling.
 */
export function violationCount(judge: Judge, profile: Profile, entry: number, context: DateContext): number {
  if (entry < 0) return 0;
  const counted = metricsOf(judge.expect).reduce(
    (sum, { kind }, column) =>
      kind === "excess_rows" || kind === "violations" ? sum + (metric(profile, column, entry) || 0) : sum,
    0,
  );
  const above = Math.max(0, (profile.rows[entry] ?? 0) - allowedRows(judge.expect, context));
  return counted + above + nullsBeyond(judge, profile, entry) + extraRows(judge, profile, entry);
}

function nullsBeyond(judge: Judge, profile: Profile, entry: number): number {
  const rows = profile.rows[entry] ?? 0;
  return metricsOf(judge.expect).reduce((sum, of, column) => {
    if (of.kind !== "nulls") return sum;
    const maxRatio = judge.expect.notNull.find((rule) => rule.column === of.column)?.maxRatio ?? 0;
    return sum + Math.max(0, Math.ceil((metric(profile, column, entry) || 0) - product(maxRatio, rows)));
  }, 0);
}

/** Rows of keys that should not be there; 0 where those are no gap. */
export function extraRows(judge: Judge, profile: Profile, entry: number): number {
  return entry < 0 ? 0 : metric(profile, judge.coverage?.extraRows ?? -1, entry) || 0;
}

/** How many keys of the coverage are absent, and how many are extra (null where those are ignored), on a date. */
export function keyCounts(
  judge: Judge,
  profile: Profile,
  entry: number,
): { readonly absent: number; readonly extra: number | null } | null {
  if (judge.coverage === null) return null;
  const { absent, extra } = judge.coverage;
  return {
    absent: metric(profile, absent, entry) || 0,
    extra: extra < 0 ? null : metric(profile, extra, entry) || 0,
  };
}

/** Rows beyond the first of a key, of the key that has most. */
export function repeatedRows(judge: Judge, profile: Profile, entry: number): number {
  if (entry < 0) return 0;
  return metricsOf(judge.expect).reduce(
    (most, { kind }, column) =>
      kind === "excess_rows" ? Math.max(most, metric(profile, column, entry) || 0) : most,
    0,
  );
}

function isInvalidating(requirement: Requirement): boolean {
  return requirement.violation === "invalid";
}

function rowRequirements(judge: JudgeColumns): Requirement[] {
  const { expect } = judge;
  const requirements: Requirement[] = [
    {
      name: "rows_min",
      violation: "partial",
      holds: (profile, entry, context) =>
        (profile.rows[entry] ?? 0) >= requiredRows(judge, profile, entry, context),
      describe: (profile, entry, context) => ({
        observed: rowsText(profile.rows[entry] ?? 0),
        expected: `at least ${rowsText(requiredRows(judge, profile, entry, context))}`,
      }),
    },
  ];
  if (expect.rows.max !== null || expect.rows.maxPerUnit !== null) {
    requirements.push({
      name: "rows_max",
      violation: "invalid",
      holds: (profile, entry, context) => (profile.rows[entry] ?? 0) <= allowedRows(expect, context),
      describe: (profile, entry, context) => ({
        observed: rowsText(profile.rows[entry] ?? 0),
        expected: `at most ${rowsText(allowedRows(expect, context))}`,
      }),
    });
  }
  return requirements;
}

function coverageRequirements(judge: JudgeColumns): Requirement[] {
  const { coverage } = judge.expect;
  if (coverage === null) return [];
  const of = coverage.of.kind === "schedule" ? "the schedule" : coverage.of.name;
  return [
    {
      name: "coverage",
      violation: "partial",
      // NaN compares false: a coverage that could not be evaluated does not hold.
      holds: (profile, entry) => coverageRatio(judge, profile, entry) >= coverage.min,
      describe: (profile, entry) => {
        const ratio = coverageRatio(judge, profile, entry);
        const expected = `${round(coverage.min * 100)} % of the ${coverage.ofKey} of ${of}`;
        if (Number.isNaN(ratio)) return { observed: `not evaluated: ${of} has none on this date`, expected };
        const present = metric(profile, judge.coverage?.present ?? -1, entry);
        const absent = metric(profile, judge.coverage?.absent ?? -1, entry);
        return { observed: `${round(ratio * 100)} % (${present} of ${present + absent})`, expected };
      },
    },
  ];
}

/** The requirement that one metric is there for; null for those that another requirement reads. */
function contentRequirement(expect: Expectation, of: Metric, column: number): Requirement | null {
  switch (of.kind) {
    case "excess_rows":
      return atMost(`unique:${of.columns.join(",")}`, column, 0, "rows beyond the first of their key");
    case "nulls": {
      const maxRatio = expect.notNull.find((entry) => entry.column === of.column)?.maxRatio ?? 0;
      return {
        name: `not_null:${of.column}`,
        violation: "invalid",
        holds: (profile, entry) =>
          metric(profile, column, entry) <= product(maxRatio, profile.rows[entry] ?? 0),
        describe: (profile, entry) => ({
          observed: `${metric(profile, column, entry)} of ${profile.rows[entry]} rows have no ${of.column}`,
          expected:
            maxRatio === 0
              ? `no row without ${of.column}`
              : `at most ${round(maxRatio * 100)} % without ${of.column}`,
        }),
      };
    }
    case "violations":
      return atMost(`check:${of.name}`, column, 0, `rows for which (${of.sql}) is false`);
    case "measure":
      return measureRequirement(expect, of.name, column);
    case "quality_at_least":
      return of.min === expect.quality?.good ? qualityRequirement(expect, column) : null;
    case "entities_of":
    case "completion_log":
    case "completion_log_rows":
    case "coverage_of":
    case "coverage_absent":
    case "coverage_present":
    case "coverage_extra_rows":
      return null;
    case "coverage_extra":
      return of.coverage.extra === "gap" ? atMost("coverage_extra", column, 0, extraText(of.coverage)) : null;
    default:
      return assertNever(of, "metric");
  }
}

/** What extra keys are, after their number. */
export function extraText({ key, of }: CoverageExpectation): string {
  return `${key} that ${of.kind === "schedule" ? "the schedule" : of.name} lacks`;
}

function atMost(name: string, column: number, limit: number, what: string): Requirement {
  return {
    name,
    violation: "invalid",
    holds: (profile, entry) => metric(profile, column, entry) <= limit,
    describe: (profile, entry) => ({
      observed: `${metric(profile, column, entry)} ${what}`,
      expected: limit === 0 ? "none" : `at most ${limit}`,
    }),
  };
}

function measureRequirement(expect: Expectation, name: string, column: number): Requirement {
  const measure = expect.measures.find((entry) => entry.name === name);
  const [min, max] = [measure?.min ?? -Infinity, measure?.max ?? Infinity];
  return {
    name: `measure:${name}`,
    violation: "invalid",
    holds: (profile, entry) => metric(profile, column, entry) >= min && metric(profile, column, entry) <= max,
    describe: (profile, entry) => ({
      observed: Number.isNaN(metric(profile, column, entry))
        ? "no value"
        : String(round(metric(profile, column, entry))),
      expected: [min > -Infinity ? `at least ${min}` : "", max < Infinity ? `at most ${max}` : ""]
        .filter(Boolean)
        .join(", "),
    }),
  };
}

function qualityRequirement(expect: Expectation, column: number): Requirement {
  const [share, afterDays, good] = [
    expect.quality?.minGoodShare ?? 0,
    expect.quality?.afterDays ?? 0,
    expect.quality?.good ?? 0,
  ];
  const goodShare = (profile: Profile, entry: number) =>
    metric(profile, column, entry) / (profile.rows[entry] ?? 0);
  return {
    name: "quality",
    violation: "invalid",
    holds: (profile, entry, context) => context.seasonDay < afterDays || goodShare(profile, entry) >= share,
    describe: (profile, entry) => ({
      observed: `${round(goodShare(profile, entry) * 100)} % of the rows have ${expect.quality?.column} of at least ${good}`,
      expected: `at least ${round(share * 100)} %`,
    }),
  };
}

function metric(profile: Profile, column: number, entry: number): number {
  return profile.metrics[column]?.[entry] ?? Number.NaN;
}

/** A decimal fraction times a count, without the last bits of binary fractions: 1.1 × 10 is 11, not 11.000000000000002. */
function product(fraction: number, count: number): number {
  return Math.round(fraction * count * 1e6) / 1e6;
}

export function rowsText(rows: number): string {
  return `${round(rows)} ${rows === 1 ? "row" : "rows"}`;
}

/** At most two decimals, so that a text does not say 33.33333333333333. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
