import { type Assessment, positionsOf } from "../../core/assessment.ts";
import { Disposition, isGapState, State, type StateName } from "../../core/grid.ts";
import type { Processor } from "../../core/pipeline.ts";
import { byPhase } from "../../presentation/phases.ts";
import { chooseColumns, type GridColumns } from "../../presentation/grid-columns.ts";
import { worstState } from "../../presentation/states.ts";
import type { PageQuery } from "./query.ts";

/** Columns of the table; the more, the wider it is and the more bytes it takes. */
export const columnsMax = 90;
/** Up to so many columns each date has a cell of its own, to be opened. */
const separateColumnsMax = 45;
export const rowsMax = 50;

/** Columns that follow each other in one season and show the same. */
export interface CellRun {
  readonly state: StateName;
  /** Whether a repair of one of its cells runs, or is queued. */
  readonly work: "running" | "queued" | null;
  /** Its first column, counted over all segments, and how many it spans. */
  readonly column: number;
  readonly span: number;
  /** Positions on the axis, both included. */
  readonly from: number;
  readonly to: number;
  /** Position of the first date that is a cell, and so of the only one where there is one. */
  readonly cell: number;
  /** Cells, and those of them that are in the state. */
  readonly cells: number;
  readonly inState: number;
  readonly isSeasonStart: boolean;
}

export interface GridRow {
  readonly processor: Processor;
  /** In the shown range. */
  readonly gaps: number;
  readonly runs: readonly CellRun[];
}

export interface GridRows {
  readonly columns: GridColumns;
  /** The shown range on the axis, both ends included. */
  readonly from: number;
  readonly to: number;
  /** Of this part, in the order of phases. */
  readonly rows: readonly GridRow[];
  readonly part: number;
  readonly parts: number;
  readonly rowsInAll: number;
  /** Names of the query that no processor or phase has. */
  readonly unknownNames: readonly string[];
}

/** What the table shows of an assessment: rows, and in each the runs of columns that look alike. */
export function gridRows(assessment: Assessment, query: PageQuery): GridRows {
  const { grid } = assessment;
  const { processors: all } = grid.pipeline;
  const range = positionsOf(grid.axis, query.start, query.end);
  const from = Math.max(range.from, grid.selection.from);
  const to = Math.min(range.to, grid.selection.to);
  const narrowed = { ...assessment, grid: { ...grid, selection: { ...grid.selection, from, to } } };
  const named = byPhase(
    all.filter(
      ({ index, name, phase }) =>
        grid.selection.processors.has(index) &&
        (query.processors.length === 0 || query.processors.includes(name)) &&
        (query.phases.length === 0 || query.phases.includes(phase ?? "")),
    ),
  );
  const columns = chooseColumns(narrowed, named, columnsMax);
  const shown = named.filter((processor) => hasState(narrowed, processor, query.states));
  const parts = Math.max(1, Math.ceil(shown.length / rowsMax));
  const part = Math.min(query.part, parts);
  const known = new Set(all.flatMap(({ name, phase }) => [name, phase ?? ""]));
  return {
    columns,
    from,
    to,
    rows: shown
      .slice((part - 1) * rowsMax, part * rowsMax)
      .map((processor) => rowOf(narrowed, processor, columns, query.states)),
    part,
    parts,
    rowsInAll: shown.length,
    unknownNames: [...query.processors, ...query.phases].filter((name) => !known.has(name)),
  };
}

function hasState({ grid }: Assessment, processor: Processor, states: readonly StateName[]): boolean {
  if (states.length === 0) return true;
  const base = processor.index * grid.axis.length;
  return grid.states
    .subarray(base + grid.selection.from, base + grid.selection.to + 1)
    .some((state) => states.some((name) => State[name] === state));
}

function rowOf(
  assessment: Assessment,
  processor: Processor,
  { segments }: GridColumns,
  states: readonly StateName[],
): GridRow {
  const { grid } = assessment;
  const count = segments.reduce((sum, segment) => sum + segment.columns.length, 0);
  const isSeparate = count <= separateColumnsMax;
  const runs: CellRun[] = [];
  let column = 0;
  for (const segment of segments) {
    for (const [offset, positions] of segment.columns.entries()) {
      const next = columnOf(assessment, processor, positions, states, column, offset === 0);
      const last = runs.at(-1);
      if (last !== undefined && !isSeparate && offset > 0 && isAlike(last, next)) {
        runs[runs.length - 1] = merged(last, next);
      } else runs.push(next);
      column++;
    }
  }
  const base = processor.index * grid.axis.length;
  let gaps = 0;
  for (let position = grid.selection.from; position <= grid.selection.to; position++) {
    if (isGapState(grid.states[base + position] ?? 0)) gaps++;
  }
  return { processor, gaps, runs };
}

/** @param states those that are asked for: the worst of them stands for the column, and nothing where it has none */
function columnOf(
  { grid }: Assessment,
  processor: Processor,
  positions: readonly number[],
  states: readonly StateName[],
  column: number,
  isSeasonStart: boolean,
): CellRun {
  const base = processor.index * grid.axis.length;
  const codes = positions.map((position) => grid.states[base + position] ?? State.unscheduled);
  const asked =
    states.length === 0 ? codes : codes.filter((code) => states.some((name) => State[name] === code));
  const state = worstState(asked);
  return {
    state,
    work: workOf(positions.map((position) => grid.dispositions[base + position] ?? Disposition.none)),
    column,
    span: 1,
    from: positions[0] ?? 0,
    to: positions.at(-1) ?? 0,
    cell: positions.find((_, offset) => codes[offset] !== State.unscheduled) ?? -1,
    cells: codes.filter((code) => code !== State.unscheduled).length,
    inState: codes.filter((code) => code === State[state]).length,
    isSeasonStart,
  };
}

function workOf(dispositions: readonly number[]): CellRun["work"] {
  if (dispositions.includes(Disposition.running)) return "running";
  return dispositions.includes(Disposition.queued) ? "queued" : null;
}

function isAlike(a: CellRun, b: CellRun): boolean {
  return a.state === b.state && a.work === b.work;
}

function merged(a: CellRun, b: CellRun): CellRun {
  return {
    ...a,
    span: a.span + b.span,
    to: b.to,
    cell: a.cells > 0 ? a.cell : b.cell,
    cells: a.cells + b.cells,
    inState: a.inState + b.inState,
  };
}
