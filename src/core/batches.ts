import { type Assessment, scheduleOf } from "./assessment.ts";
import { Changing, Disposition, isGapState, reasonCode } from "./grid.ts";
import type { Processor, RepairUnit } from "./pipeline.ts";
import { batchDatesMax } from "./retry-policy.ts";
import { type DenseSchedule, seasonAt } from "./schedule.ts";

/** Dates that one job would repair. There can be tens of thousands, so they share one list of dates per repair. */
export interface Batch {
  readonly unit: number;
  /** The positions of all ready dates of the repair, ascending; this job takes those from index `from`, `size` of them. */
  readonly ready: readonly number[];
  readonly from: number;
  readonly size: number;
  /** Of the attempts charged so far; the job's attempt is one more. */
  readonly charged: number;
  readonly probe: boolean;
}

/**
 * The chain of dates that a position of a chronological processor belongs to: its season. What is computed from its own past
 * goes on from one season to the next.
 */
export function chainOf(processor: Processor, schedule: DenseSchedule, position: number): number {
  return processor.dependsOnPast ? 0 : seasonAt(schedule, position);
}

/** The positions of a batch, ascending. */
export function positionsIn({ ready, from, size }: Batch): readonly number[] {
  return ready.slice(from, from + size);
}

export function firstPosition({ ready, from }: Batch): number {
  return ready[from] ?? 0;
}

export function lastPosition({ ready, from, size }: Batch): number {
  return ready[from + size - 1] ?? 0;
}

/** Dates that lie so far apart, with no scheduled date between them, do not share a job. */
const unscheduledDaysMax = 7;
const sharedRepair = reasonCode("shared_repair");
const inFlightOverlap = reasonCode("in_flight_overlap");
const probe = reasonCode("probe");

/**
 * The ready dates of one repair, cut into jobs, newest job first (oldest first where a processor is chronological). A job
 * never spans a scheduled date that is not its own, a season, 7 unscheduled days, or the dates of a run in flight, and
 * never mixes dates of different attempts.
 */
export function batchesOf(assessment: Assessment, unitIndex: number): readonly Batch[] {
  const { grid } = assessment;
  const unit = grid.pipeline.repairUnits[unitIndex];
  if (unit === undefined) return [];
  const chronological = unit.processors.some(
    (index) => grid.pipeline.processors[index]?.chronological === true,
  );
  const positions = readyPositions(assessment, unit);
  if (positions.length === 0) return [];
  const taken = rangesInFlight(assessment, unitIndex, unit);
  const free = withoutOverlap(assessment, unit, positions, taken);
  const inChain = chronological ? chainPrefixes(assessment, unit, free) : free;
  return cut(assessment, unitIndex, unit, inChain, taken, chronological);
}

/**
 * Positions at which every open processor of the repair is ready. A shared repair fills all its tables in one run, so it
 * waits until none of them is held back; those that are ready meanwhile say so.
 */
function readyPositions(assessment: Assessment, unit: RepairUnit): number[] {
  const { axis, dispositions, changing, selection } = assessment.grid;
  const { length } = axis;
  const { processors } = unit;
  const ready: number[] = [];
  for (let position = selection.from; position <= selection.to; position++) {
    let isReady = false;
    let isOther = false;
    for (let at = 0; at < processors.length; at++) {
      const cell = (processors[at] ?? 0) * length + position;
      const disposition = dispositions[cell];
      if (disposition === Disposition.ready || changing[cell] === Changing.carried) isReady = true;
      else if (disposition !== Disposition.none) isOther = true;
    }
    if (isReady && !isOther) ready.push(position);
    else if (isReady) putOff(assessment, unit, position, "shared_repair");
  }
  return ready;
}

function putOff(
  assessment: Assessment,
  unit: RepairUnit,
  position: number,
  reason: "shared_repair" | "in_flight_overlap" | "chronological",
) {
  const { grid } = assessment;
  for (const index of unit.processors) {
    const cell = index * grid.axis.length + position;
    if (grid.dispositions[cell] !== Disposition.ready) continue;
    if (reason === "shared_repair") grid.dispositions[cell] = Disposition.blocked;
    grid.reasons[cell] = reasonCode(reason);
  }
}

interface PositionRange {
  readonly from: number;
  readonly to: number;
}

/** The calendar ranges, both ends included, of runs in flight that write one of the unit's tables. */
function rangesInFlight(
  { inFlight, grid }: Assessment,
  unitIndex: number,
  unit: RepairUnit,
): readonly PositionRange[] {
  const { first } = grid.axis;
  return inFlight
    .filter(
      ({ repairUnit, processors }) =>
        repairUnit === unitIndex || processors.some((index) => unit.processors.includes(index)),
    )
    .map(({ days }) => ({ from: (days[0] ?? 0) - first, to: (days.at(-1) ?? 0) - first }));
}

function withoutOverlap(
  assessment: Assessment,
  unit: RepairUnit,
  positions: number[],
  taken: readonly PositionRange[],
): number[] {
  if (taken.length === 0) return positions;
  return positions.filter((position) => {
    const overlaps = taken.some(({ from, to }) => position >= from && position <= to);
    if (overlaps) putOff(assessment, unit, position, "in_flight_overlap");
    return !overlaps;
  });
}

/**
 * A date that was put off just now stops its season's chain as much as one that was not ready in the first place; those
 * behind it wait for the same reason.
 */
function chainPrefixes(assessment: Assessment, unit: RepairUnit, free: readonly number[]): number[] {
  const { grid } = assessment;
  const chronological = unit.processors.filter(
    (index) => grid.pipeline.processors[index]?.chronological === true,
  );
  const isFree = new Set(free);
  const stopped = new Map<string, "shared_repair" | "in_flight_overlap">();
  const kept: number[] = [];
  for (let { from: position } = grid.selection; position <= grid.selection.to; position++) {
    const links = chronological.map((index) => ({
      season: seasonKey(assessment, index, position),
      reason: grid.reasons[index * grid.axis.length + position],
    }));
    if (isFree.has(position)) {
      const stop = links.map(({ season }) => stopped.get(season)).find((reason) => reason !== undefined);
      if (stop === undefined) kept.push(position);
      else putOff(assessment, unit, position, stop);
      continue;
    }
    for (const { season, reason } of links) {
      if (reason === sharedRepair) stopped.set(season, "shared_repair");
      else if (reason === inFlightOverlap) stopped.set(season, "in_flight_overlap");
    }
  }
  return kept;
}

function seasonKey(assessment: Assessment, index: number, position: number): string {
  const processor = assessment.grid.pipeline.processors[index];
  const season = processor === undefined ? -1 : chainOf(processor, scheduleOf(assessment, index), position);
  return `${index}/${season}`;
}

/** What decides whether a date may join the job of the date next to it. */
interface Candidate {
  readonly position: number;
  readonly charged: number;
  readonly datesMax: number;
  readonly probe: boolean;
}

/**
 * From the newest date down, so that the newest job is the full one; from the oldest up for a chronological processor. A
 * batch is a stretch of the ready dates, as no other lies between two of its own.
 */
function cut(
  assessment: Assessment,
  unitIndex: number,
  unit: RepairUnit,
  positions: readonly number[],
  taken: readonly PositionRange[],
  ascending: boolean,
): readonly Batch[] {
  const batches: Batch[] = [];
  const probing = assessment.facts.circuits[unitIndex]?.state === "half_open";
  const sizeMax = unit.batch === "single" || probing ? 1 : unit.maxDatesPerJob;
  const step = ascending ? 1 : -1;
  let last: Candidate | null = null;
  let size = 0;
  // Of all dates of the job: one that has to be tried in a small run keeps the whole run small.
  let datesMax = Infinity;
  const close = (behind: number) => {
    if (last === null) return;
    const from = ascending ? behind - size : behind + 1;
    batches.push({
      unit: unitIndex,
      ready: positions,
      from,
      size,
      charged: last.charged,
      probe: last.probe,
    });
  };
  let at = ascending ? 0 : positions.length - 1;
  for (; at >= 0 && at < positions.length; at += step) {
    const candidate = candidateAt(assessment, unit, positions[at] ?? 0, sizeMax);
    datesMax = Math.min(datesMax, candidate.datesMax);
    if (last !== null && (size >= datesMax || !mayJoin(assessment, unit, taken, last, candidate))) {
      close(at);
      datesMax = candidate.datesMax;
      size = 0;
    }
    size++;
    last = candidate;
  }
  close(at);
  // What is carried forward follows the date that it is computed from, or waits for the job of that date.
  return batches.filter((batch) => {
    if (isReadyAt(assessment, unit, firstPosition(batch))) return true;
    for (const position of positionsIn(batch)) putOff(assessment, unit, position, "chronological");
    return false;
  });
}

function isReadyAt({ grid }: Assessment, unit: RepairUnit, position: number): boolean {
  return unit.processors.some(
    (index) => grid.dispositions[index * grid.axis.length + position] === Disposition.ready,
  );
}

function candidateAt(assessment: Assessment, unit: RepairUnit, position: number, sizeMax: number): Candidate {
  const { grid, facts } = assessment;
  let charged = 0;
  let datesMax = sizeMax;
  let isProbe = false;
  for (const index of unit.processors) {
    const cell = index * grid.axis.length + position;
    if (grid.dispositions[cell] !== Disposition.ready) continue;
    const cellFacts = facts.cellFacts(index, grid.axis.first + position);
    charged = Math.max(charged, cellFacts.charged);
    datesMax = Math.min(datesMax, batchDatesMax(cellFacts, unit.maxAttempts, sizeMax));
    if (grid.reasons[cell] === probe) isProbe = true;
  }
  return { position, charged, datesMax: isProbe ? 1 : datesMax, probe: isProbe };
}

function mayJoin(
  assessment: Assessment,
  unit: RepairUnit,
  taken: readonly PositionRange[],
  last: Candidate,
  candidate: Candidate,
): boolean {
  if (last.charged !== candidate.charged) return false;
  const low = Math.min(last.position, candidate.position);
  const high = Math.max(last.position, candidate.position);
  if (high - low - 1 >= unscheduledDaysMax) return false;
  if (taken.some(({ from }) => from > low && from < high)) return false;
  return unit.processors.every((index) => {
    const schedule = scheduleOf(assessment, index);
    return (
      !hasCellBetween(assessment, index, low, high) && seasonAt(schedule, low) === seasonAt(schedule, high)
    );
  });
}

/** Whether a date between two of a job is one that it must not touch: scheduled, or a gap off the schedule. */
export function hasCellBetween(
  assessment: Pick<Assessment, "grid">,
  processor: number,
  low: number,
  high: number,
): boolean {
  const { grid } = assessment;
  const rank = grid.schedules.get(grid.pipeline.processors[processor]?.schedule ?? "")?.rank;
  if ((rank?.[high] ?? 0) > (rank?.[low + 1] ?? 0)) return true;
  for (let position = low + 1; position < high; position++) {
    if (isGapCell(assessment, processor, position)) return true;
  }
  return false;
}

/** Whether a cell of the grid is a gap. */
export function isGapCell(
  assessment: Pick<Assessment, "grid">,
  processor: number,
  position: number,
): boolean {
  const { grid } = assessment;
  return isGapState(grid.states[processor * grid.axis.length + position] ?? 0);
}
