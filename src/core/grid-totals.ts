import type { Assessment } from "./assessment.ts";
import { isGapCell } from "./batches.ts";
import { dueAt, type DueTest, dueTests } from "./due.ts";
import { dispositionName, type DispositionName, reasonName, State, type StateName } from "./grid.ts";
import type { Processor } from "./pipeline.ts";
import { countStates } from "./result-document.ts";
import { gapsBehindPoison } from "./stopped-chains.ts";
import type { EpochMs } from "./wall-clock.ts";

/** The cells of one processor in the selected range, in numbers. */
export interface ProcessorTotals {
  readonly processor: Processor;
  readonly states: Readonly<Record<Exclude<StateName, "unscheduled">, number>>;
  /** By reason; a reason without a cell is left out. */
  readonly exempt: ReadonlyMap<string, number>;
  /** By disposition; one without a gap is left out. */
  readonly gaps: ReadonlyMap<DispositionName, number>;
  /** Gaps that wait behind a date that was given up, where that stops a chronological processor's chain. */
  readonly behindPoison: number;
  /** Gaps, and unknown cells that are due. */
  readonly overdue: number;
  /** Since when the ledger has held the oldest of its open gaps open; null where it holds none. */
  readonly openSince: EpochMs | null;
  /** When the gap of the earliest date was due; null without a gap. */
  readonly dueSince: EpochMs | null;
}

/** By processor, in file order; those that are not selected are left out. */
export function gridTotals(assessment: Assessment): readonly ProcessorTotals[] {
  const { grid, compiled, policy } = assessment;
  const due = dueTests(compiled, assessment.sight, policy.horizon);
  return grid.pipeline.processors
    .filter(({ index }) => grid.selection.processors.has(index))
    .map((processor) => totalsOf(assessment, processor, due[processor.index] ?? (() => false)));
}

function totalsOf(assessment: Assessment, processor: Processor, isDue: DueTest): ProcessorTotals {
  const { grid, facts } = assessment;
  const { index } = processor;
  const base = index * grid.axis.length;
  const exempt = new Map<string, number>();
  const gaps = new Map<DispositionName, number>();
  let [overdue, openSince, firstGap]: [number, EpochMs | null, number | null] = [0, null, null];
  for (let position = grid.selection.from; position <= grid.selection.to; position++) {
    const state: number = grid.states[base + position] ?? State.unscheduled;
    if (state === State.exempt) {
      const reason = reasonName(grid.reasons[base + position] ?? 0);
      exempt.set(reason, (exempt.get(reason) ?? 0) + 1);
    } else if (state === State.unknown && isDue(position)) overdue++;
    if (!isGapCell(assessment, index, position)) continue;
    overdue++;
    firstGap ??= position;
    const disposition = dispositionName(grid.dispositions[base + position] ?? 0);
    gaps.set(disposition, (gaps.get(disposition) ?? 0) + 1);
    const since = facts.cellFacts(index, grid.axis.first + position).openSince;
    if (since !== null) openSince = Math.min(openSince ?? since, since);
  }
  const dueSince = firstGap === null ? null : dueAt(assessment.compiled, assessment.sight, index, firstGap);
  return {
    processor,
    states: countStates(assessment, processor),
    exempt,
    gaps,
    behindPoison: gapsBehindPoison(assessment, processor),
    overdue,
    openSince,
    dueSince,
  };
}
