import { type Assessment, scheduleOf } from "./assessment.ts";
import { compileEdge, type EdgeJudge } from "./edges.ts";
import {
  Disposition,
  type Grid,
  isGapState,
  isPoison,
  isSelected,
  type ReasonName,
  reasonCode,
  State,
} from "./grid.ts";
import type { Day } from "./iso-date.ts";
import type { Processor, RepairUnit } from "./pipeline.ts";
import { markChanging } from "./changing.ts";
import { chainOf } from "./batches.ts";
import { probeOf } from "./probe.ts";
import { minuteOfDayAt } from "./wall-clock.ts";

const dayMs = 86_400_000;

/** Says of every gap where it stands, upstreams first: a gap downstream depends on where its upstream gaps stand. */
export function assessDispositions(assessment: Assessment, waiverExpired: Uint8Array): void {
  const { grid } = assessment;
  for (const index of grid.graph.order) {
    const processor = grid.pipeline.processors[index];
    if (processor !== undefined) disposeProcessor(assessment, processor, waiverExpired);
  }
}

function disposeProcessor(assessment: Assessment, processor: Processor, waiverExpired: Uint8Array): void {
  const { axis, states } = assessment.grid;
  const { length } = axis;
  const base = processor.index * length;
  let row: Row | null = null;
  for (let position = 0; position < length; position++) {
    if (!isGapState(states[base + position] ?? 0)) continue;
    row ??= rowOf(assessment, processor, waiverExpired);
    disposeCell(row, position, base + position);
    row.chain?.pass(position, base + position);
  }
  const gaps = row;
  markChanging(
    assessment,
    processor,
    (position) => gaps !== null && mayCarry(gaps, position, base + position),
  );
}

/** Whether nothing but its previous date keeps a complete cell from being computed again. */
function mayCarry(row: Row, position: number, cell: number): boolean {
  return (
    row.edges.every((judge) => judge(position).satisfied) &&
    row.unit !== undefined &&
    row.unit.batch !== "single" &&
    (row.chain?.stopper(position) ?? -1) < 0 &&
    cellHold(row, position, cell) === null &&
    row.inFlight[position] === Disposition.none
  );
}

/** What the cells of one processor have in common. */
interface Row {
  readonly assessment: Assessment;
  readonly processor: Processor;
  readonly unit: RepairUnit | undefined;
  /** By position: the disposition of what is queued or running; 0 elsewhere. */
  readonly inFlight: Uint8Array;
  /** The days on which it runs elsewhere. */
  readonly elsewhere: ReadonlySet<Day>;
  readonly edges: readonly EdgeJudge[];
  readonly held: ReasonName | null;
  readonly isSelected: boolean;
  readonly chain: Chain | null;
  /** By cell. */
  readonly waiverExpired: Uint8Array;
}

function rowOf(assessment: Assessment, processor: Processor, waiverExpired: Uint8Array): Row {
  const { grid, proceeds } = assessment;
  const arrays = { ...grid, proceeds };
  return {
    assessment,
    processor,
    unit: grid.pipeline.repairUnits[processor.repairUnit ?? -1],
    inFlight: inFlightOf(assessment, processor),
    elsewhere: new Set(
      assessment.elsewhere.running.filter((run) => run.processor === processor.index).map(({ day }) => day),
    ),
    edges: processor.edges.map((edge) => compileEdge(assessment, arrays, processor, edge)),
    held: processorHold(assessment, processor),
    isSelected: grid.selection.processors.has(processor.index),
    chain: processor.chronological ? newChain(assessment, processor) : null,
    waiverExpired,
  };
}

/** Running, queued, unrepairable, quarantined, blocked, held, backing off, ready: the first that applies. */
function disposeCell(row: Row, position: number, cell: number): void {
  const { assessment, processor, unit } = row;
  const { grid } = assessment;
  const flight = row.inFlight[position] ?? Disposition.none;
  if (flight !== Disposition.none) return set(grid, cell, flight, "", 1);
  const day = grid.axis.first + position;
  if (row.elsewhere.has(day)) return set(grid, cell, Disposition.running, "elsewhere", 1);
  const unrepairable = unrepairableReason(assessment, processor, unit, day, grid.states[cell] ?? 0);
  if (unrepairable !== null) return set(grid, cell, Disposition.unrepairable, unrepairable, 0);
  const facts = assessment.facts.cellFacts(processor.index, day);
  const isProbe = probeOf(assessment, processor, position, facts) !== null;
  if (facts.quarantine !== null && !isProbe) {
    return set(grid, cell, Disposition.quarantined, facts.quarantine.cause, 0);
  }
  let isBlocked = false;
  let isProgressing = true;
  let isDegraded = false;
  for (const judge of row.edges) {
    const verdict = judge(position);
    if (verdict.degraded) isDegraded = true;
    if (verdict.satisfied) continue;
    isBlocked = true;
    if (!verdict.progressing) isProgressing = false;
  }
  const previous = processor.dependsOnPast ? previousDate(assessment, processor, position) : -1;
  if (previous >= 0 && grid.states[cell - position + previous] === State.unknown) isBlocked = true;
  if (isBlocked) return set(grid, cell, Disposition.blocked, "upstream", isProgressing ? 1 : 0);
  const stopper = row.chain?.stopper(position) ?? -1;
  if (stopper >= 0) {
    return set(grid, cell, Disposition.blocked, "chronological", grid.progressing[stopper] ?? 0);
  }
  if (isDegraded) grid.degraded[cell] = 1;
  const hold = cellHold(row, position, cell);
  if (hold !== null) return set(grid, cell, Disposition.held, hold, 0);
  const isBackingOff = !isProbe && !assessment.policy.ignoreBackoff && facts.notBefore > assessment.now;
  if (isBackingOff) return set(grid, cell, Disposition.backingOff, "backoff", 1);
  set(grid, cell, Disposition.ready, isProbe ? "probe" : "", 1);
}

/** The position of a processor's last scheduled date before a position; -1 without one. */
export function previousDate(assessment: Assessment, processor: Processor, position: number): number {
  const { rank, positions } = scheduleOf(assessment, processor.index);
  return positions[(rank[position] ?? 0) - 1] ?? -1;
}

function set(grid: Grid, cell: number, disposition: number, reason: ReasonName, progressing: number): void {
  grid.dispositions[cell] = disposition;
  grid.reasons[cell] = reasonCode(reason);
  grid.progressing[cell] = progressing;
}

function unrepairableReason(
  assessment: Assessment,
  processor: Processor,
  unit: RepairUnit | undefined,
  day: number,
  state: number,
): ReasonName | null {
  if (unit === undefined) return "no_repair";
  if (state !== State.missing && !unit.replaces) return "repair_does_not_replace";
  if (processor.sourceRetentionMs !== null && assessment.now > day * dayMs + processor.sourceRetentionMs) {
    return "source_expired";
  }
  return null;
}

/** What holds every cell of a processor, the first that applies after the cell's own reasons. */
function processorHold(assessment: Assessment, processor: Processor): ReasonName | null {
  const { facts, breakers, now } = assessment;
  const { budgets, timezone, repairUnits } = assessment.compiled.pipeline;
  if (budgets.repairsPerDay !== null && facts.startsLast24h >= budgets.repairsPerDay) return "budget";
  // A repair is looked at before and after it, so that one without bytes to spare could not be proven.
  if (budgets.scanBytesPerDay !== null && facts.scanBytesLast24h >= budgets.scanBytesPerDay) return "budget";
  if (facts.circuits[processor.repairUnit ?? -1]?.state === "open") return "circuit";
  if (breakers.overallMassGap !== null || breakers.massGaps[processor.index] !== null) return "mass_gap";
  if (breakers.scheduleFaults.has(processor.schedule)) return "schedule";
  const unit = repairUnits[processor.repairUnit ?? -1];
  if (unit === undefined) return null;
  if (assessment.sight.unmetPreconditions.has(unit.name)) return "precondition";
  if (unit.windows.length === 0) return null;
  const minute = minuteOfDayAt(now, timezone);
  const inWindow = ({ startMinute, endMinute }: RepairUnit["windows"][number]) =>
    startMinute <= endMinute
      ? minute >= startMinute && minute < endMinute
      : minute >= startMinute || minute < endMinute;
  return unit.windows.some(inWindow) ? null : "repair_window";
}

function cellHold(row: Row, position: number, cell: number): ReasonName | null {
  const { assessment, processor } = row;
  const { axis, selection } = assessment.grid;
  if (!row.isSelected || position < selection.from || position > selection.to) return "not_selected";
  const day = axis.first + position;
  if (isTooOld(assessment, processor, position)) return "age";
  if (assessment.facts.decisions.pausedBy(processor.name, day) !== null) return "paused";
  if (row.waiverExpired[cell] === 1) return "waiver_expired";
  return row.held;
}

function isTooOld({ grid, now, policy }: Assessment, { index }: Processor, position: number): boolean {
  const { maxAgeMs, wanted } = policy;
  if (maxAgeMs === null || now - (grid.axis.first + position) * dayMs <= maxAgeMs) return false;
  return !wanted.some((selection) => isSelected(selection, index, position));
}

/** The codes of cells of this processor that are queued or running, by position. */
function inFlightOf(assessment: Assessment, processor: Processor): Uint8Array {
  const flags = new Uint8Array(assessment.grid.axis.length);
  for (const run of assessment.inFlight) {
    if (!run.processors.includes(processor.index)) continue;
    const code = run.state === "running" ? Disposition.running : Disposition.queued;
    for (const day of run.days) {
      const position = day - assessment.grid.axis.first;
      if (position < 0 || position >= flags.length) continue;
      flags[position] = flags[position] === Disposition.running ? Disposition.running : code;
    }
  }
  return flags;
}

/** A chronological processor's open dates, oldest first: what stops the chain in a season stops all that follows. */
interface Chain {
  /** The cell that stops the chain before this position; -1 where none does. */
  readonly stopper: (position: number) => number;
  readonly pass: (position: number, cell: number) => void;
}

function newChain(assessment: Assessment, processor: Processor): Chain {
  const { grid } = assessment;
  const schedule = scheduleOf(assessment, processor.index);
  const stoppers = new Map<number, number>();
  const chainAt = (position: number) => chainOf(processor, schedule, position);
  const passesOver = (disposition: number | undefined) =>
    disposition === Disposition.ready || (processor.onPoison === "continue" && isPoison(disposition));
  return {
    stopper: (position) => stoppers.get(chainAt(position)) ?? -1,
    pass: (position, cell) => {
      const season = chainAt(position);
      if (!stoppers.has(season) && !passesOver(grid.dispositions[cell])) stoppers.set(season, cell);
    },
  };
}
