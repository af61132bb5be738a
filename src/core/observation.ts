import { type DateRange, type Day, parseIsoDate } from "./iso-date.ts";
import type { CoverageExpectation, Expectation, RowsExpectation } from "./pipeline.ts";
import type { EpochMs } from "./wall-clock.ts";

/**
 * One number that a warehouse computes per date to judge an expectation. The adapter of a warehouse turns each into SQL;
 * `expectation.ts` judges the numbers. NULL of SQL is NaN.
 */
export type Metric =
  /** Distinct entities (or rows, without a key) of another processor on the date. */
  | { readonly kind: "entities_of"; readonly of: string; readonly key: string | null }
  /** Rows of the completion log on the date. */
  | { readonly kind: "completion_log"; readonly log: NonNullable<RowsExpectation["completionLog"]> }
  /** The most rows that an entry of the completion log on the date says were written; NaN where none says so. */
  | { readonly kind: "completion_log_rows"; readonly column: string }
  /** Distinct keys of `of` on the date, whatever is excused. */
  | { readonly kind: "coverage_of"; readonly coverage: CoverageExpectation }
  /** Those of them that are neither here nor excused, hence missing. */
  | { readonly kind: "coverage_absent"; readonly coverage: CoverageExpectation }
  /** Those of them that are here. */
  | { readonly kind: "coverage_present"; readonly coverage: CoverageExpectation }
  /** Distinct keys here that `of` lacks on the date, whatever is excused. */
  | { readonly kind: "coverage_extra"; readonly coverage: CoverageExpectation }
  /** The rows of those keys. */
  | { readonly kind: "coverage_extra_rows"; readonly coverage: CoverageExpectation }
  /** Rows beyond the first of each distinct key. */
  | { readonly kind: "excess_rows"; readonly columns: readonly string[] }
  | { readonly kind: "nulls"; readonly column: string }
  /** Rows for which the condition is FALSE (not NULL). */
  | { readonly kind: "violations"; readonly name: string; readonly sql: string }
  | { readonly kind: "measure"; readonly name: string; readonly sql: string }
  /** Rows whose quality column is at least `min`. */
  | { readonly kind: "quality_at_least"; readonly column: string; readonly min: number };

/** The metrics that an expectation needs, in the order in which a profile carries them. */
export function metricsOf(expect: Expectation): readonly Metric[] {
  const metrics: Metric[] = [];
  const { rows, coverage, quality } = expect;
  if (rows.perEntity !== null) {
    metrics.push({ kind: "entities_of", of: rows.perEntity.of, key: rows.perEntity.key });
  }
  if (rows.completionLog !== null) {
    metrics.push({ kind: "completion_log", log: rows.completionLog });
    const { rowsColumn } = rows.completionLog;
    if (rowsColumn !== null) metrics.push({ kind: "completion_log_rows", column: rowsColumn });
  }
  if (coverage !== null) {
    metrics.push(
      { kind: "coverage_of", coverage },
      { kind: "coverage_absent", coverage },
      { kind: "coverage_present", coverage },
    );
    if (coverage.extra !== "ignore") metrics.push({ kind: "coverage_extra", coverage });
    if (coverage.extra === "gap") metrics.push({ kind: "coverage_extra_rows", coverage });
  }
  for (const columns of expect.uniqueKeys) metrics.push({ kind: "excess_rows", columns });
  for (const { column } of expect.notNull) metrics.push({ kind: "nulls", column });
  for (const { name, sql } of expect.checks) metrics.push({ kind: "violations", name, sql });
  for (const { name, sql } of expect.measures) metrics.push({ kind: "measure", name, sql });
  if (quality !== null) {
    metrics.push(
      { kind: "quality_at_least", column: quality.column, min: quality.good },
      { kind: "quality_at_least", column: quality.column, min: quality.ok },
      { kind: "quality_at_least", column: quality.column, min: quality.degraded },
    );
  }
  return metrics;
}

/**
 * What a query saw of one processor, a column per number and an entry per date that has rows (or, with a completion log,
 * an entry in it; with `rows.min: 0`, rows of a table that the expectation counts). Dates ascend. A date of the scanned
 * range that is absent has no rows, and 0 for every such count.
 */
export interface Profile {
  readonly days: Int32Array;
  readonly rows: Float64Array;
  /** Distinct values of the coverage key; NaN without coverage. */
  readonly entities: Float64Array;
  /** Of `written_at_column`, epoch milliseconds; NaN without that column. */
  readonly firstWriteMs: Float64Array;
  readonly lastWriteMs: Float64Array;
  /** One column per entry of `metricsOf(expectation)`. */
  readonly metrics: readonly Float64Array[];
}

/** Stands for the date of rows that have none, before every date that there is. */
export const noDay: Day = -2_147_483_648;

/** Rows of a processor's table outside of the dates that a scan reads; null for what the warehouse did not count. */
export interface OutsideRows {
  readonly withoutDate: number | null;
  /** Before the first date of the scan. */
  readonly before: number | null;
  /** After its last date. */
  readonly after: number | null;
}

/** Why a processor could not be observed. Never read as "no rows". */
export interface ObservationFailure {
  readonly code: "not_found" | "permission" | "query_failed" | "timeout" | "budget";
  readonly message: string;
}

/** Dates that were left out of an observation for one reason; their cells are unknown, whatever the profile holds for them. */
export interface Unseen {
  readonly days: ReadonlySet<Day>;
  readonly failure: ObservationFailure;
}

export type ProcessorObservation =
  | { readonly kind: "observed"; readonly profile: Profile; readonly unseen: Unseen | null }
  | { readonly kind: "failed"; readonly failure: ObservationFailure };

/** What a schedule's source says: an entry per scheduled date, ascending. */
export interface ScheduleObservation {
  readonly days: Int32Array;
  readonly units: Float64Array;
  /** Index into `seasons`; all 0 where the schedule has no season column. */
  readonly season: Int32Array;
  /** `startDay` is the season's first date in the source without the filter. */
  readonly seasons: readonly { readonly name: string; readonly startDay: Day }[];
  /** Absent if there are none. */
  readonly strays?: ScheduleStrays;
}

/** Rows that a schedule's filter lets through and that are none of its dates. */
export interface ScheduleStrays {
  readonly withoutDate: number;
  /** Before the first or after the last day of `scheduleYears`. */
  readonly outOfRange: number;
}

/** The dates that a schedule may have: others are placeholders or mistakes, and would make a grid of millions of days. */
export const scheduleYears: DateRange = {
  start: parseIsoDate("1900-01-01"),
  end: parseIsoDate("2200-12-31"),
};

/** A row of a run history. */
export interface HistoryRun {
  /** The processor, as the history calls it. */
  readonly name: string;
  /** The date of the data. */
  readonly day: Day;
  readonly kind: "running" | "failed" | "skipped" | "ended";
  /** As it stands in the table. */
  readonly status: string;
  readonly startedAt: EpochMs;
  /** Null while it runs, and where the history has no such time. */
  readonly endedAt: EpochMs | null;
  readonly runId: string | null;
  /** Null too where it was not asked for. */
  readonly error: string | null;
}

/** What is known of runs elsewhere. */
export interface RunHistoryObservation {
  /** Newest start first. */
  readonly runs: readonly HistoryRun[];
  /** Why the last reading failed; then the runs are those of the one before it. */
  readonly failure: ObservationFailure | null;
}

/** All that one pass over the warehouse saw. */
export interface Observations {
  /** The warehouse's clock at the start of the pass: the one `now` of a cycle. */
  readonly now: EpochMs;
  readonly schedules: ReadonlyMap<string, ScheduleObservation>;
  /** By processor name. */
  readonly processors: ReadonlyMap<string, ProcessorObservation>;
  /** By processor name; a processor is absent if nothing was counted for it. */
  readonly outside?: ReadonlyMap<string, OutsideRows>;
  /** Names of the repairs that have a precondition which was not true, with that statement. */
  readonly unmetPreconditions: ReadonlyMap<string, string>;
  /** Null where the pipeline has none. */
  readonly runHistory: RunHistoryObservation | null;
  readonly scanBytes: number;
}
