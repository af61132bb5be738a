import { isConverged } from "../../core/assess.ts";
import type { Assessment } from "../../core/assessment.ts";
import { isGapCell } from "../../core/batches.ts";
import {
  dateAt,
  Disposition,
  dispositionName,
  reasonName,
  State,
  type StateName,
  stateName,
} from "../../core/grid.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import { memoByIdentity } from "../../core/memo.ts";
import { unknownFailure } from "../../core/empty-cell.ts";
import { nextProbeAt } from "../../core/probe.ts";
import type { Processor } from "../../core/pipeline.ts";
import { countStates } from "../../core/result-document.ts";
import { rootCauses } from "../../core/root-causes.ts";
import { formatInstant } from "../../core/wall-clock.ts";
import { type Causes, causesOf, type StandingGap } from "../../presentation/cause-groups.ts";

/**
 * So many blocked gaps are followed to what they wait for, those of the newest dates. Following each of a long history that is
 * empty takes a quarter of a minute, in which the daemon could do nothing else.
 */
const tracedMax = 2_000;

/** What the page counts and tells of a grid, beside its cells. */
export interface Snapshot {
  readonly converged: boolean;
  readonly range: { readonly start_date: IsoDate; readonly end_date: IsoDate };
  readonly states: Readonly<Record<Exclude<StateName, "unscheduled">, number>>;
  readonly gaps: number;
  readonly unknown: readonly UnknownGroup[];
  readonly causes: Causes;
  /** Blocked gaps that were not followed to what they wait for. */
  readonly untraced: number;
}

/** Cells of one processor that could not be observed for the same reason. */
export interface UnknownGroup {
  readonly processor: string;
  readonly code: string;
  readonly message: string;
  /** Ascending. */
  readonly dates: readonly IsoDate[];
}

/** Made once for each assessment, as many people may look at the same. */
export const snapshotOf: (assessment: Assessment) => Snapshot = memoByIdentity((assessment: Assessment) => {
  const { grid } = assessment;
  const processors = grid.pipeline.processors.filter(({ index }) => grid.selection.processors.has(index));
  const open = processors.flatMap((processor) => openCells(assessment, processor));
  const blocked = open.filter(isBlocked).toSorted((a, b) => b.position - a.position);
  const traced = new Set(blocked.slice(0, tracedMax));
  const unknown = processors.flatMap((processor) => unknownGroups(assessment, processor));
  const standing = open
    .filter((cell) => !isBlocked(cell) || traced.has(cell))
    .map((cell) => standingGap(assessment, cell));
  const { axis, selection } = grid;
  return {
    converged: isConverged(assessment),
    range: { start_date: dateAt(axis, selection.from), end_date: dateAt(axis, selection.to) },
    states: sumOfStates(processors.map((processor) => countStates(assessment, processor))),
    gaps: open.length,
    unknown,
    causes: causesOf({
      gaps: standing,
      unknown: unknown.flatMap(({ processor, dates }) => dates.map((date) => ({ processor, date }))),
    }),
    untraced: blocked.length - traced.size,
  };
});

interface OpenCell {
  readonly processor: Processor;
  readonly position: number;
  readonly disposition: number;
}

function isBlocked({ disposition }: OpenCell): boolean {
  return disposition === Disposition.blocked;
}

function openCells(assessment: Assessment, processor: Processor): readonly OpenCell[] {
  const { axis, dispositions, selection } = assessment.grid;
  const cells: OpenCell[] = [];
  for (let position = selection.from; position <= selection.to; position++) {
    if (!isGapCell(assessment, processor.index, position)) continue;
    const disposition = dispositions[processor.index * axis.length + position] ?? Disposition.none;
    cells.push({ processor, position, disposition });
  }
  return cells;
}

function standingGap(assessment: Assessment, at: OpenCell): StandingGap {
  const { grid, facts } = assessment;
  const { processor, position, disposition } = at;
  const cell = processor.index * grid.axis.length + position;
  const known = facts.cellFacts(processor.index, grid.axis.first + position);
  const probeAt =
    disposition === Disposition.quarantined ? nextProbeAt(assessment, processor, position, known) : null;
  const nextAt = disposition === Disposition.backingOff ? known.notBefore : probeAt;
  return {
    processor: processor.name,
    date: dateAt(grid.axis, position),
    state: stateName(grid.states[cell] ?? 0),
    disposition: dispositionName(disposition),
    reason: reasonName(grid.reasons[cell] ?? 0),
    attempts: known.charged,
    next_attempt_at: nextAt === null ? null : formatInstant(nextAt),
    root_causes: isBlocked(at)
      ? rootCauses(assessment, at).map((root) => ({
          processor: root.processor.name,
          date: dateAt(grid.axis, root.position),
        }))
      : [],
  };
}

function unknownGroups(assessment: Assessment, processor: Processor): readonly UnknownGroup[] {
  const { grid } = assessment;
  const { index, name } = processor;
  const groups = new Map<string, { processor: string; code: string; message: string; dates: IsoDate[] }>();
  for (let position = grid.selection.from; position <= grid.selection.to; position++) {
    if (grid.states[index * grid.axis.length + position] !== State.unknown) continue;
    const { code, message } = unknownFailure(assessment, processor, position);
    const known = groups.get(`${code}/${message}`);
    if (known === undefined)
      groups.set(`${code}/${message}`, {
        processor: name,
        code,
        message,
        dates: [dateAt(grid.axis, position)],
      });
    else known.dates.push(dateAt(grid.axis, position));
  }
  return [...groups.values()];
}

function sumOfStates(all: readonly Snapshot["states"][]): Snapshot["states"] {
  const sum = (state: keyof Snapshot["states"]) => all.reduce((total, states) => total + states[state], 0);
  return {
    unknown: sum("unknown"),
    complete: sum("complete"),
    stale: sum("stale"),
    exempt: sum("exempt"),
    pending: sum("pending"),
    missing: sum("missing"),
    partial: sum("partial"),
    invalid: sum("invalid"),
    unexpected: sum("unexpected"),
  };
}
