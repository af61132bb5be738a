import { isConverged } from "../core/assess.ts";
import { type Assessment, positionsOf } from "../core/assessment.ts";
import {
  type BreakerDocument,
  breakersOf,
  type ScheduleChangeDocument,
  scheduleChangesOf,
} from "../core/breaker-document.ts";
import {
  dateAt,
  type DispositionName,
  dispositionNames,
  type StateName,
  stateName,
  stateNamesByCode,
} from "../core/grid.ts";
import type { IsoDate } from "../core/iso-date.ts";
import type { Processor } from "../core/pipeline.ts";
import { type StrayRowsDocument, strayRowsDocuments } from "../core/result-document.ts";
import { formatInstant } from "../core/wall-clock.ts";
import type { LiveSight, LiveView } from "../reconcile/ports/live-view.ts";

/** The whole grid, small enough for a page: a run of equal cells is its length and one letter. */
export interface GridDocument {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly revision: number;
  /** When the cells were judged. */
  readonly as_of: string;
  /** When the last look at everything began: no cell was seen before, and some were seen since. */
  readonly looked_at: string;
  /** A look failed, or one that is due did not end: this must not pass for the present. */
  readonly stale: boolean;
  readonly converged: boolean;
  /** Both ends included. */
  readonly range: { readonly start_date: IsoDate; readonly end_date: IsoDate };
  readonly seconds_to_convergence: number | null;
  readonly breakers: readonly BreakerDocument[];
  readonly schedule_changes: readonly ScheduleChangeDocument[];
  /** Rows that stand in no cell, of the processors that have any. */
  readonly stray_rows: readonly StrayRowsDocument[];
  /** What each letter stands for. */
  readonly legend: {
    readonly states: Readonly<Record<string, StateName>>;
    readonly dispositions: Readonly<Record<string, DispositionName>>;
  };
  /** In file order. */
  readonly processors: readonly GridRow[];
}

export interface GridRow {
  readonly processor: string;
  readonly phase: string | null;
  readonly severity: string;
  /** Cells of the range by state; states without one are left out. */
  readonly counts: Readonly<Partial<Record<StateName, number>>>;
  /** Gaps of the range by disposition; those without one are left out. */
  readonly gaps: Readonly<Partial<Record<DispositionName, number>>>;
  /** One letter per calendar day of the range, runs as `31c`. */
  readonly states: string;
  readonly dispositions: string;
}

/** Which part of the grid; both ends included, null is without a limit. */
export interface GridFilter {
  readonly processors: readonly string[] | null;
  readonly phases: readonly string[] | null;
  readonly startDate: IsoDate | null;
  readonly endDate: IsoDate | null;
}

const stateLetters: Readonly<Record<StateName, string>> = {
  unscheduled: ".",
  unknown: "?",
  complete: "c",
  stale: "s",
  exempt: "e",
  pending: "p",
  missing: "m",
  partial: "a",
  invalid: "i",
  unexpected: "x",
};

const dispositionLetters: Readonly<Record<DispositionName, string>> = {
  none: ".",
  running: "r",
  queued: "q",
  unrepairable: "u",
  quarantined: "x",
  blocked: "b",
  held: "h",
  backing_off: "o",
  ready: "y",
};

const legend = { states: inverse(stateLetters), dispositions: inverse(dispositionLetters) };
const lettersOfStates = stateNamesByCode.map((name) => stateLetters[name]);
const lettersOfDispositions = dispositionNames.map((name) => dispositionLetters[name]);

export function gridDocument(view: LiveView, sight: LiveSight, filter: GridFilter): GridDocument {
  const { assessment } = sight;
  const { grid } = assessment;
  const { from, to } = positionsOf(grid.axis, filter.startDate, filter.endDate);
  const rows = grid.pipeline.processors.filter(
    ({ name, phase }) =>
      (filter.processors === null || filter.processors.includes(name)) &&
      (filter.phases === null || filter.phases.includes(phase ?? "")),
  );
  return {
    schema_version: 1,
    pipeline: view.pipeline,
    target: view.target,
    revision: view.revision,
    as_of: formatInstant(assessment.now),
    looked_at: formatInstant(sight.lookedAt),
    stale: sight.isStale,
    converged: isConverged(assessment),
    range: { start_date: dateAt(grid.axis, from), end_date: dateAt(grid.axis, to) },
    seconds_to_convergence: sight.secondsToConvergence,
    breakers: breakersOf(assessment),
    schedule_changes: scheduleChangesOf(assessment),
    stray_rows: strayRowsDocuments(assessment, rows),
    legend,
    processors: rows.map((processor) => gridRow(assessment, processor, from, to)),
  };
}

function gridRow({ grid }: Assessment, processor: Processor, from: number, to: number): GridRow {
  const base = processor.index * grid.axis.length;
  const states = grid.states.subarray(base + from, base + to + 1);
  const dispositions = grid.dispositions.subarray(base + from, base + to + 1);
  return {
    processor: processor.name,
    phase: processor.phase,
    severity: processor.severity,
    counts: countsOf(states, (code) => (code === 0 ? null : stateName(code))),
    gaps: countsOf(dispositions, (code) => (code === 0 ? null : (dispositionNames[code] ?? null))),
    states: runLengths(states, lettersOfStates),
    dispositions: runLengths(dispositions, lettersOfDispositions),
  };
}

function countsOf<Name extends string>(
  codes: Uint8Array,
  nameOf: (code: number) => Name | null,
): Readonly<Partial<Record<Name, number>>> {
  const counts = new Uint32Array(16);
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  const found: Partial<Record<Name, number>> = {};
  counts.forEach((count, code) => {
    const name = nameOf(code);
    if (name !== null && count > 0) found[name] = count;
  });
  return found;
}

/** `ccc.` as `3c.`: a single cell is its letter alone. */
function runLengths(codes: Uint8Array, letters: readonly string[]): string {
  let text = "";
  for (let start = 0; start < codes.length; ) {
    let end = start + 1;
    while (end < codes.length && codes[end] === codes[start]) end++;
    text += `${end - start === 1 ? "" : end - start}${letters[codes[start] ?? 0] ?? "."}`;
    start = end;
  }
  return text;
}

function inverse<Name extends string>(
  letters: Readonly<Record<Name, string>>,
): Readonly<Record<string, Name>> {
  const names: Record<string, Name> = {};
  for (const name in letters) names[letters[name]] = name;
  return names;
}
