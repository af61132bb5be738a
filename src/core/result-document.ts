import { isConverged } from "./assess.ts";
import type { Assessment } from "./assessment.ts";
import {
  type BreakerDocument,
  breakersOf,
  type ScheduleChangeDocument,
  scheduleChangesOf,
} from "./breaker-document.ts";
import type { PlannedStep } from "./cascade.ts";
import { type ExtraKeysDocument, extraKeysOf } from "./coverage-keys.ts";
import type { CostDocument } from "./cost.ts";
import { type GapDocument, gapDocument } from "./gap-document.ts";
import {
  dateAt,
  exemptReasons,
  isGapState,
  reasonName,
  State,
  type StateName,
  stateNamesByCode,
} from "./grid.ts";
import { fromDay, type IsoDate } from "./iso-date.ts";
import type { RepairEnd } from "./ledger-records.ts";
import { unknownFailure } from "./empty-cell.ts";
import type { Processor } from "./pipeline.ts";
import { type RepairDocument, repairDocument, type StepDocument, stepDocument } from "./repair-documents.ts";
import { strayRowsOf } from "./stray-rows.ts";
import { formatInstant } from "./wall-clock.ts";

/** The result of a run, a plan or a status, as scripts read it. Fields may be added, never changed. */
export interface ResultDocument {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly as_of: string;
  readonly range: { readonly start_date: IsoDate; readonly end_date: IsoDate };
  readonly converged: boolean;
  /** Complete cells whose input changed after them, and that nobody computes again by itself; no gaps. */
  readonly stale_cells: number;
  readonly counts: Readonly<Record<string, Readonly<Partial<Record<StateName, number>>>>>;
  readonly exempt: Readonly<Record<string, number>>;
  readonly gaps: readonly GapDocument[];
  readonly unknown: readonly UnknownDocument[];
  readonly unexpected: readonly {
    readonly processor: string;
    readonly date: IsoDate;
    readonly rows: number;
  }[];
  /** Rows that stand in no cell, of the processors that have any. */
  readonly stray_rows: readonly StrayRowsDocument[];
  /** Rows that a schedule's filter lets through and that are none of its dates, of the schedules that have any. */
  readonly stray_schedule_rows: readonly StrayScheduleRowsDocument[];
  readonly extra_keys: readonly ExtraKeysDocument[];
  readonly breakers: readonly BreakerDocument[];
  /** Past dates that left a schedule since the last cycle, or in the last 24 hours. */
  readonly schedule_changes: readonly ScheduleChangeDocument[];
  /** What the run history says to be running for longer than it may; it counts for nothing. */
  readonly stale_runs: readonly StaleRunDocument[];
  /** Why the run history could not be read, so that runs elsewhere may be unknown; null where it could, or there is none. */
  readonly run_history_failure: { readonly code: string; readonly message: string } | null;
  readonly plan: readonly StepDocument[];
  readonly repairs: readonly RepairDocument[];
  /** Null where asking the warehouse costs nothing. */
  readonly cost: CostDocument | null;
}

export interface UnknownDocument {
  readonly processor: string;
  readonly date: IsoDate;
  /** Why it could not be observed: a word for programs, and what the warehouse said. */
  readonly code: string;
  readonly message: string;
}

export interface StrayRowsDocument {
  readonly processor: string;
  /** Null, as in the others, if the warehouse did not count them. */
  readonly without_date: number | null;
  readonly after_today: number | null;
  /** Before the first date of the processor's schedule. */
  readonly before_schedule: number | null;
}

export interface StrayScheduleRowsDocument {
  /** With ` except` behind it: the dates that the schedule leaves out. */
  readonly schedule: string;
  readonly without_date: number;
  /** Dated before 1900 or after 2200. */
  readonly out_of_range: number;
}

export interface StaleRunDocument {
  readonly processor: string;
  readonly date: IsoDate;
  readonly started_at: string;
  readonly run_id: string | null;
}

export interface DocumentInput {
  readonly assessment: Assessment;
  readonly target: string | null;
  readonly steps: readonly PlannedStep[];
  /** By step id; a step that is not in it has no forecast. */
  readonly forecastBytes?: ReadonlyMap<string, number>;
  readonly repairs: readonly RepairEnd[];
  /** Null where asking the warehouse costs nothing. */
  readonly cost: CostDocument | null;
}

export function resultDocument(input: DocumentInput): ResultDocument {
  const { assessment, target, steps, forecastBytes = new Map<string, number>(), repairs, cost } = input;
  const { grid } = assessment;
  const selected = grid.pipeline.processors.filter(({ index }) => grid.selection.processors.has(index));
  const last = Math.max(grid.selection.from, grid.selection.to);
  return {
    schema_version: 1,
    pipeline: grid.pipeline.name,
    target,
    as_of: formatInstant(grid.now),
    range: { start_date: dateAt(grid.axis, grid.selection.from), end_date: dateAt(grid.axis, last) },
    converged: isConverged(assessment),
    stale_cells: selected.reduce((sum, processor) => sum + reportedStale(assessment, processor), 0),
    counts: Object.fromEntries(
      selected.map((processor) => [processor.name, countStates(assessment, processor)]),
    ),
    exempt: countExempt(assessment, selected),
    gaps: selected.flatMap((processor) => gapsOf(assessment, processor)),
    unknown: selected.flatMap((processor) => unknownOf(assessment, processor)),
    unexpected: selected.flatMap((processor) => unexpectedOf(assessment, processor)),
    stray_rows: strayRowsDocuments(assessment, selected),
    stray_schedule_rows: strayScheduleRowsDocuments(assessment),
    extra_keys: extraKeysOf(assessment, selected),
    breakers: breakersOf(assessment),
    schedule_changes: scheduleChangesOf(assessment),
    stale_runs: staleRunsOf(assessment),
    run_history_failure: assessment.sight.runHistory?.failure ?? null,
    plan: steps.map((step) => stepDocument(assessment, step, forecastBytes.get(step.id) ?? null)),
    repairs: repairs.map(repairDocument),
    cost,
  };
}

/** Every state with its number of cells in the selected range; `unexpected` counts dates that are no cells. */
export function countStates(
  { grid }: Assessment,
  processor: Processor,
): Record<Exclude<StateName, "unscheduled">, number> {
  const counts = new Uint32Array(stateNamesByCode.length);
  const base = processor.index * grid.axis.length;
  for (let position = grid.selection.from; position <= grid.selection.to; position++) {
    const state = grid.states[base + position] ?? 0;
    counts[state] = (counts[state] ?? 0) + 1;
  }
  const of = (state: number) => counts[state] ?? 0;
  return {
    unknown: of(State.unknown),
    complete: of(State.complete),
    stale: of(State.stale) + of(State.outdated),
    exempt: of(State.exempt),
    pending: of(State.pending),
    missing: of(State.missing),
    partial: of(State.partial),
    invalid: of(State.invalid),
    unexpected: of(State.unexpected),
  };
}

function reportedStale(assessment: Assessment, processor: Processor): number {
  return positionsIn(assessment, processor, (state) => state === State.stale).length;
}

/** Positions of the selected range at which a processor's cell is in one of the states, ascending. */
function positionsIn(
  { grid }: Assessment,
  processor: Processor,
  test: (state: number) => boolean,
): readonly number[] {
  const base = processor.index * grid.axis.length;
  const found: number[] = [];
  for (let position = grid.selection.from; position <= grid.selection.to; position++) {
    if (test(grid.states[base + position] ?? 0)) found.push(position);
  }
  return found;
}

function countExempt(assessment: Assessment, processors: readonly Processor[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(exemptReasons.map((reason) => [reason, 0]));
  for (const processor of processors) {
    for (const position of positionsIn(assessment, processor, (state) => state === State.exempt)) {
      const cell = processor.index * assessment.grid.axis.length + position;
      const reason = reasonName(assessment.grid.reasons[cell] ?? 0);
      counts[reason] = (counts[reason] ?? 0) + 1;
    }
  }
  return counts;
}

function gapsOf(assessment: Assessment, processor: Processor): GapDocument[] {
  return positionsIn(assessment, processor, isGapState).map((position) =>
    gapDocument(assessment, processor, position),
  );
}

function unknownOf(assessment: Assessment, processor: Processor): UnknownDocument[] {
  return positionsIn(assessment, processor, (state) => state === State.unknown).map((position) => ({
    processor: processor.name,
    date: dateAt(assessment.grid.axis, position),
    ...unknownFailure(assessment, processor, position),
  }));
}

function unexpectedOf(assessment: Assessment, processor: Processor): ResultDocument["unexpected"] {
  const seen = assessment.sight.observed[processor.index];
  return positionsIn(assessment, processor, (state) => state === State.unexpected).map((position) => ({
    processor: processor.name,
    date: dateAt(assessment.grid.axis, position),
    rows: seen?.profile.rows[seen.entries[position] ?? -1] ?? 0,
  }));
}

/** Of the processors that have any, over their whole tables. */
export function strayRowsDocuments(
  assessment: Assessment,
  processors: readonly Processor[],
): readonly StrayRowsDocument[] {
  return processors.flatMap((processor) => {
    const found = strayRowsOf(assessment, processor);
    if (found === null) return [];
    const { withoutDate, afterToday, beforeSchedule } = found;
    return [
      {
        processor: processor.name,
        without_date: withoutDate,
        after_today: afterToday,
        before_schedule: beforeSchedule,
      },
    ];
  });
}

/** By name. */
export function strayScheduleRowsDocuments({ sight }: Assessment): readonly StrayScheduleRowsDocument[] {
  const sorted = [...sight.scheduleStrays].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([schedule, { withoutDate, outOfRange }]) => ({
    schedule,
    without_date: withoutDate,
    out_of_range: outOfRange,
  }));
}

/** By processor, then by date, of the selected cells. */
function staleRunsOf({ grid, elsewhere }: Assessment): StaleRunDocument[] {
  const { processors, from, to } = grid.selection;
  return elsewhere.stale
    .filter(({ processor, day }) => {
      const position = day - grid.axis.first;
      return processors.has(processor) && position >= from && position <= to;
    })
    .toSorted((a, b) => a.processor - b.processor || a.day - b.day || a.startedAt - b.startedAt)
    .map(({ processor, day, startedAt, runId }) => ({
      processor: grid.pipeline.processors[processor]?.name ?? "",
      date: fromDay(day),
      started_at: formatInstant(startedAt),
      run_id: runId,
    }));
}
