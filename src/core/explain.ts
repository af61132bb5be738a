import { type Assessment, cellContext, scheduleOf } from "./assessment.ts";
import { upstreamsOf } from "./assess-states.ts";
import { type CoverageDocument, coverageDocument, type CoverageKeys, keysText } from "./coverage-keys.ts";
import { waiverCovers } from "./decisions.ts";
import { dueAt } from "./due.ts";
import { blockingCells, compileEdge, readCells } from "./edges.ts";
import { emptyCell } from "./empty-cell.ts";
import { allowedRows, extraText, offSchedule, requiredRows, round, rowsText } from "./expectation.ts";
import {
  dateAt,
  Disposition,
  type DispositionName,
  dispositionName,
  reasonName,
  State,
  type StateName,
  stateName,
} from "./grid.ts";
import type { Day, IsoDate } from "./iso-date.ts";
import { describeNext } from "./next-step.ts";
import type { HistoryRun } from "./observation.ts";
import type { Edge, Expectation, Processor } from "./pipeline.ts";
import { type QuarantineDocument, quarantineDocument } from "./quarantine.ts";
import { rootCauses } from "./root-causes.ts";
import { nameInHistory } from "./run-history.ts";
import { formatInstant } from "./wall-clock.ts";
import { failureAt, rowsAt } from "./observed.ts";

/** Everything that is known of one cell, as `explain` tells it; attempts and SQL are added by who can ask for them. */
export interface Explanation {
  readonly processor: string;
  readonly date: IsoDate;
  readonly phase: string | null;
  readonly table: string;
  readonly state: StateName;
  readonly disposition: DispositionName;
  readonly reason: string;
  /** Null where it reads up to a date that no schedule has yet. */
  readonly due_at: string | null;
  readonly expected: readonly string[];
  readonly observed: ObservedCell | null;
  /** Why it could not be observed. */
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly checks: readonly ExplainedCheck[];
  /** Of a coverage: the keys that are absent and extra; null without one, or where nothing was seen. */
  readonly coverage: CoverageDocument | null;
  readonly upstreams: readonly ExplainedEdge[];
  readonly root_causes: readonly ExplainedCell[];
  readonly waivers: readonly { owner: string; reason: string; expires: IsoDate | null; source: string }[];
  /** The runs of it that others recorded, newest first; null where the pipeline has no run history. */
  readonly run_history: ExplainedRunHistory | null;
  readonly degraded: boolean;
  readonly attempts_charged: number;
  readonly attempts_max: number;
  /** Null where it was not given up, or is no gap. */
  readonly quarantine: QuarantineDocument | null;
  /** What happens next, as a sentence. */
  readonly next: string;
  readonly next_at: string | null;
}

export interface ExplainedRunHistory {
  readonly runs: readonly ExplainedRun[];
  /** Why it could not be read. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

export interface ExplainedRun {
  readonly run_id: string | null;
  /** As it stands in the table. */
  readonly status: string;
  readonly kind: HistoryRun["kind"];
  readonly started_at: string;
  readonly ended_at: string | null;
  /** At most 4 KiB; null too where it was not asked for. */
  readonly error: string | null;
}

export interface ObservedCell {
  readonly rows: number;
  readonly entities: number | null;
  readonly first_write: string | null;
  readonly last_write: string | null;
}

export interface ExplainedCheck {
  readonly name: string;
  readonly holds: boolean;
  readonly observed: string;
  readonly expected: string;
}

export interface ExplainedCell {
  readonly processor: string;
  readonly date: IsoDate;
  readonly state: StateName;
  readonly disposition: DispositionName;
  readonly reason: string;
}

export interface ExplainedEdge {
  readonly upstreams: readonly string[];
  readonly mode: "hard" | "soft";
  readonly reads: string;
  /** The upstream cells that it reads for this date, by upstream. */
  readonly cells_read: readonly ExplainedRead[];
  readonly satisfied: boolean;
  readonly degraded: boolean;
  /** At most 20 of the cells that stand against it. */
  readonly blocked_by: readonly ExplainedCell[];
}

/** The part of an upstream that a cell reads; the dates are null where it reads none. */
export interface ExplainedRead {
  readonly processor: string;
  readonly start_date: IsoDate | null;
  readonly end_date: IsoDate | null;
  /** Dates in that range on which the upstream is scheduled. */
  readonly scheduled: number;
  /** Those of them that satisfy the dependency. */
  readonly satisfied: number;
}

const blockersMax = 20;

export function explainCell(assessment: Assessment, processor: Processor, position: number): Explanation {
  const { grid, facts } = assessment;
  const cell = processor.index * grid.axis.length + position;
  const day = grid.axis.first + position;
  const observed = assessment.sight.observed[processor.index];
  const failure = observed === undefined ? null : failureAt(observed, day);
  const unit = grid.pipeline.repairUnits[processor.repairUnit ?? -1];
  const disposition = grid.dispositions[cell] ?? Disposition.none;
  const next = describeNext(assessment, processor, position);
  const due = dueAt(assessment.compiled, assessment.sight, processor.index, position);
  return {
    processor: processor.name,
    date: dateAt(grid.axis, position),
    phase: processor.phase,
    table: processor.table.parts.join("."),
    state: stateName(grid.states[cell] ?? 0),
    disposition: dispositionName(disposition),
    reason: reasonName(grid.reasons[cell] ?? 0),
    due_at: Number.isFinite(due) ? formatInstant(due) : null,
    expected: expectedOf(assessment, processor, position),
    observed: failure === null ? observedAt(assessment, processor, position) : null,
    failure,
    checks: failure === null ? checksAt(assessment, processor, position) : [],
    coverage: failure === null ? coverageDocument(assessment, processor, position) : null,
    upstreams: processor.edges.map((edge) => explainEdge(assessment, processor, edge, position)),
    root_causes:
      disposition === Disposition.blocked
        ? rootCauses(assessment, { processor, position }).map((root) =>
            explainedCell(assessment, root.processor, root.position),
          )
        : [],
    waivers: facts.decisions.waivers
      .filter((waiver) => waiverCovers(waiver, processor.name, day))
      .map(({ owner, reason, expires, source }) => ({ owner, reason, expires, source })),
    run_history: runHistoryAt(assessment, processor, day),
    degraded: grid.degraded[cell] === 1,
    attempts_charged: facts.cellFacts(processor.index, day).charged,
    attempts_max: unit?.maxAttempts ?? 0,
    quarantine: disposition === Disposition.none ? null : quarantineDocument(assessment, processor, position),
    next: next.text,
    next_at: next.at === null ? null : formatInstant(next.at),
  };
}

function runHistoryAt(
  { compiled, sight }: Assessment,
  processor: Processor,
  day: Day,
): ExplainedRunHistory | null {
  const { runHistory: spec } = compiled.pipeline;
  if (spec === null || sight.runHistory === null) return null;
  const name = nameInHistory(spec, processor.name);
  const runs = sight.runHistory.runs.filter((run) => run.name === name && run.day === day);
  return { runs: runs.map(explainRun), failure: sight.runHistory.failure };
}

export function explainRun({ runId, status, kind, startedAt, endedAt, error }: HistoryRun): ExplainedRun {
  return {
    run_id: runId,
    status,
    kind,
    started_at: formatInstant(startedAt),
    ended_at: endedAt === null ? null : formatInstant(endedAt),
    error,
  };
}

function expectedOf(assessment: Assessment, processor: Processor, position: number): string[] {
  const { sight } = assessment;
  const schedule = scheduleOf(assessment, processor.index);
  if (schedule.scheduled[position] !== 1) {
    return processor.offSchedule === "gap"
      ? ["no rows: the date is not scheduled"]
      : [`nothing: the schedule ${schedule.name} has no such date`];
  }
  const context = cellContext(assessment, processor.index, position);
  const season = schedule.seasons[schedule.season[position] ?? -1];
  const seasonText = season === undefined || season.name === "" ? "" : `, season ${season.name}`;
  const lines = [
    `${context.units} ${context.units === 1 ? "unit" : "units"} in schedule ${schedule.name}${seasonText}`,
  ];
  const judge = assessment.compiled.judges[processor.index];
  const seen = sight.observed[processor.index];
  if (judge === undefined || seen === undefined) return lines;
  const required = requiredRows(judge, seen.profile, seen.entries[position] ?? -1, context);
  const allowed = allowedRows(processor.expect, context);
  const empty = emptyCell(assessment, processor, position);
  lines.push(
    `at least ${rowsText(required)}${Number.isFinite(allowed) ? `, at most ${round(allowed)}` : ""}`,
    ...(empty === null ? [] : [empty.text]),
    ...contentExpected(processor.expect),
  );
  return lines;
}

/** What the rows have to be, beyond being enough. */
function contentExpected({
  coverage,
  uniqueKeys,
  notNull,
  checks,
  measures,
  quality,
}: Expectation): string[] {
  const percent = (share: number) => `${round(share * 100)} %`;
  const lines: string[] = [];
  if (coverage !== null) {
    const of = coverage.of.kind === "schedule" ? "the schedule" : coverage.of.name;
    lines.push(`${percent(coverage.min)} of the ${coverage.ofKey} of ${of}`);
    if (coverage.extra === "gap") lines.push(`no ${extraText(coverage)}`);
  }
  lines.push(...uniqueKeys.map((key) => `one row per ${key.join(", ")}`));
  lines.push(
    ...notNull.map(({ column, maxRatio }) =>
      maxRatio === 0
        ? `${column} in every row`
        : `${column} in at least ${percent(1 - maxRatio)} of the rows`,
    ),
  );
  lines.push(...checks.map(({ name, sql }) => `${name}: ${sql}`));
  lines.push(
    ...measures.map(({ name, min, max }) =>
      [name, min === null ? "" : `at least ${min}`, max === null ? "" : `at most ${max}`]
        .filter(Boolean)
        .join(" "),
    ),
  );
  if (quality !== null) {
    lines.push(
      `${quality.column} of at least ${quality.good} in ${percent(quality.minGoodShare)} of the rows`,
    );
  }
  return lines;
}

function observedAt({ sight }: Assessment, processor: Processor, position: number): ObservedCell {
  const seen = sight.observed[processor.index];
  const entry = seen?.entries[position] ?? -1;
  if (seen === undefined || entry < 0)
    return { rows: 0, entities: null, first_write: null, last_write: null };
  const { rows, entities, firstWriteMs, lastWriteMs } = seen.profile;
  const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  const instant = (value: number | undefined) => (known(value) === null ? null : formatInstant(value ?? 0));
  return {
    rows: rows[entry] ?? 0,
    entities: known(entities[entry]),
    first_write: instant(firstWriteMs[entry]),
    last_write: instant(lastWriteMs[entry]),
  };
}

function checksAt(assessment: Assessment, processor: Processor, position: number): ExplainedCheck[] {
  const seen = assessment.sight.observed[processor.index];
  const judge = assessment.compiled.judges[processor.index];
  const entry = seen?.entries[position] ?? -1;
  if (seen === undefined || judge === undefined || rowsAt(seen, position) === 0) return [];
  const context = cellContext(assessment, processor.index, position);
  const isOff = !context.scheduled && processor.offSchedule === "gap";
  const checks = (isOff ? [offSchedule] : judge.requirements).map((requirement) => ({
    name: requirement.name,
    holds: requirement.holds(seen.profile, entry, context),
    ...requirement.describe(seen.profile, entry, context),
  }));
  return [...checks, ...reportedExtra(assessment, processor, position)];
}

/** Extra keys that are no gap, as a check that holds. */
function reportedExtra(assessment: Assessment, processor: Processor, position: number): ExplainedCheck[] {
  const { coverage } = processor.expect;
  const extra = coverageDocument(assessment, processor, position)?.extra?.count ?? 0;
  if (coverage === null || coverage.extra !== null || extra === 0) return [];
  const observed = `${extra} ${extraText(coverage)}, which is only reported`;
  return [{ name: "coverage_extra", holds: true, observed, expected: "none" }];
}

/** The explanation with the keys by name. */
export function withKeys(explanation: Explanation, { absent, extra }: CoverageKeys): Explanation {
  const named = (check: ExplainedCheck): ExplainedCheck => {
    if (check.name === "coverage" && absent.count > 0) {
      return { ...check, observed: `${check.observed}; absent: ${keysText(absent)}` };
    }
    if (check.name === "coverage_extra" && extra !== null && extra.count > 0) {
      return { ...check, observed: `${check.observed}: ${keysText(extra)}` };
    }
    return check;
  };
  return { ...explanation, checks: explanation.checks.map(named), coverage: { absent, extra } };
}

function explainEdge(
  assessment: Assessment,
  processor: Processor,
  edge: Edge,
  position: number,
): ExplainedEdge {
  const arrays = { ...assessment.grid, proceeds: assessment.proceeds };
  const verdict = compileEdge(assessment, arrays, processor, edge)(position);
  const blockers = verdict.satisfied ? [] : blockingCells(assessment, arrays, processor, edge, position);
  return {
    upstreams: upstreamsOf(assessment, edge).map(({ name }) => name),
    mode: edge.mode,
    reads: readsOf(edge),
    cells_read: readCells(assessment, arrays, processor, edge, position).map((read) => ({
      processor: read.upstream.name,
      start_date: read.from > read.to ? null : dateAt(assessment.grid.axis, read.from),
      end_date: read.from > read.to ? null : dateAt(assessment.grid.axis, read.to),
      scheduled: read.scheduled,
      satisfied: read.satisfied,
    })),
    satisfied: verdict.satisfied,
    degraded: verdict.degraded,
    blocked_by: blockers
      .slice(0, blockersMax)
      .map((blocker) => explainedCell(assessment, blocker.processor, blocker.position)),
  };
}

function explainedCell({ grid }: Assessment, processor: Processor, position: number): ExplainedCell {
  const cell = processor.index * grid.axis.length + position;
  return {
    processor: processor.name,
    date: dateAt(grid.axis, position),
    state: stateName(grid.states[cell] ?? State.unscheduled),
    disposition: dispositionName(grid.dispositions[cell] ?? 0),
    reason: reasonName(grid.reasons[cell] ?? 0),
  };
}

function readsOf({ window, minShare }: Edge): string {
  const share = minShare < 1 ? `, ${round(minShare * 100)} % of them` : "";
  switch (window.kind) {
    case "same_date":
      return "its own date";
    case "days":
      return `the ${window.days} days before${window.sameDate ? " and its own date" : ""}${share}`;
    case "dates":
      return `the ${window.dates} scheduled dates before${window.sameDate ? " and its own date" : ""}${share}`;
    case "since_previous":
      return `all dates since its previous one${share}`;
    case "until_next":
      return `all dates until its next one${share}`;
    case "days_ahead":
      return `the ${window.days} days after${window.sameDate ? " and its own date" : ""}${share}`;
    case "dates_ahead":
      return `the ${window.dates} scheduled dates after${window.sameDate ? " and its own date" : ""}${share}`;
    case "offset_days":
      return `the date ${Math.abs(window.days)} ${Math.abs(window.days) === 1 ? "day" : "days"} ${window.days < 0 ? "before" : "after"}`;
    case "offset_dates":
      return `the scheduled date ${Math.abs(window.dates)} ${window.dates < 0 ? "before" : "after"}`;
  }
}
