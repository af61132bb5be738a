import { type AssessInput, dateContext, scheduleOf } from "./assessment.ts";
import { upstreamsOf } from "./assess-states.ts";
import { completenessOf } from "./expectation.ts";
import { Changing, Disposition, isGapState, isUnmet, meetsExpectation, reasonCode, State } from "./grid.ts";
import { rowsAt } from "./observed.ts";
import type { Edge, Processor } from "./pipeline.ts";
import type { DenseSchedule } from "./schedule.ts";
import { isOneCell, type PositionRange, windowAt } from "./windows.ts";

/** The cells as far as they are assessed: those of the upstreams are. */
export interface EdgeArrays {
  readonly states: Uint8Array;
  readonly dispositions: Uint8Array;
  readonly progressing: Uint8Array;
  readonly proceeds: Uint8Array;
  readonly reasons: Uint8Array;
  readonly changing: Uint8Array;
}

/** How far one upstream cell satisfies an edge. */
const Satisfied = { no: 0, yes: 1, degraded: 2 } as const;

export interface EdgeVerdict {
  readonly satisfied: boolean;
  /** Satisfied, yet by less than all of the input. */
  readonly degraded: boolean;
  /** Not satisfied, but somebody is working on it, or it will come by itself. */
  readonly progressing: boolean;
}

const satisfied: EdgeVerdict = { satisfied: true, degraded: false, progressing: true };
const degradedVerdict: EdgeVerdict = { satisfied: true, degraded: true, progressing: true };
const waiting: EdgeVerdict = { satisfied: false, degraded: false, progressing: true };
const stuck: EdgeVerdict = { satisfied: false, degraded: false, progressing: false };

/** Judges one edge for cells of one processor; reads the upstreams' arrays, so these must be assessed before. */
export type EdgeJudge = (position: number) => EdgeVerdict;

export function compileEdge(
  input: AssessInput,
  arrays: EdgeArrays,
  processor: Processor,
  edge: Edge,
): EdgeJudge {
  const judge = compileRead(input, arrays, processor, edge);
  if (processor.offSchedule !== "gap") return judge;
  const { scheduled } = scheduleOf(input, processor.index);
  const emptied = compileEmptied(input, arrays, processor, edge);
  return (position) => (scheduled[position] === 1 ? judge(position) : emptied(position));
}

const onSameDate = { kind: "same_date" } as const;

/**
 * A date off the schedule is to have no rows, so that nothing has to be there for it. But rows upstream that are to go
 * themselves would be read once more.
 */
function compileEmptied(input: AssessInput, arrays: EdgeArrays, processor: Processor, edge: Edge): EdgeJudge {
  const judges = upstreamsOf(input, edge).map((upstream) => ({
    judge: cellJudge(input, arrays, processor, upstream, { ...edge, window: onSameDate }),
    scheduled: scheduleOf(input, upstream.index).scheduled,
  }));
  return (position) => {
    for (const { judge, scheduled } of judges) {
      const verdict = scheduled[position] === 1 ? satisfied : judge(position);
      if (!verdict.satisfied) return verdict;
    }
    return satisfied;
  };
}

function compileRead(input: AssessInput, arrays: EdgeArrays, processor: Processor, edge: Edge): EdgeJudge {
  const alternatives = upstreamsOf(input, edge).map((upstream) =>
    isOneCell(edge.window)
      ? cellJudge(input, arrays, processor, upstream, edge)
      : windowJudge(input, arrays, processor, upstream, edge),
  );
  const [only] = alternatives;
  if (alternatives.length === 1 && only !== undefined) return only;
  return (position) => {
    const verdicts = alternatives.map((judge) => judge(position));
    const best = verdicts.find((verdict) => verdict.satisfied && !verdict.degraded);
    return (
      best ??
      verdicts.find((verdict) => verdict.satisfied) ??
      (verdicts.some((verdict) => verdict.progressing) ? waiting : stuck)
    );
  };
}

/** Whether an upstream cell, taken by itself, satisfies an edge. */
function cellSatisfies(
  input: AssessInput,
  arrays: Pick<EdgeArrays, "states" | "proceeds">,
  upstream: Processor,
  edge: Pick<Edge, "minCompleteness">,
  position: number,
): (typeof Satisfied)[keyof typeof Satisfied] {
  const cell = upstream.index * input.sight.axis.length + position;
  const state: number = arrays.states[cell] ?? State.unknown;
  switch (state) {
    case State.unscheduled:
    case State.unexpected:
    case State.complete:
    case State.stale:
    case State.outdated:
      return Satisfied.yes;
    case State.exempt: {
      const observed = input.sight.observed[upstream.index];
      if (observed !== undefined && rowsAt(observed, position) > 0) return Satisfied.yes;
      return arrays.proceeds[cell] === 1 ? Satisfied.degraded : Satisfied.no;
    }
    case State.partial:
    case State.pending:
      return reachesCompleteness(input, upstream, edge, position) ? Satisfied.yes : Satisfied.no;
    default:
      return Satisfied.no;
  }
}

function reachesCompleteness(
  input: AssessInput,
  upstream: Processor,
  edge: Pick<Edge, "minCompleteness">,
  position: number,
): boolean {
  if (edge.minCompleteness === null) return false;
  const observed = input.sight.observed[upstream.index];
  const judge = input.compiled.judges[upstream.index];
  if (observed === undefined || judge === undefined) return false;
  const context = dateContext(scheduleOf(input, upstream.index), input.sight.axis, position);
  const entry = observed.entries[position] ?? -1;
  return completenessOf(judge, observed.profile, entry, context) >= edge.minCompleteness;
}

/** Whether an upstream cell is there and will soon be another one: what outdates the cell is waited for. */
function isAboutToChange(
  arrays: Pick<EdgeArrays, "states" | "changing">,
  { mode, stale }: Pick<Edge, "mode" | "stale">,
  cell: number,
): boolean {
  return (
    stale &&
    mode === "hard" &&
    (arrays.changing[cell] === Changing.later || arrays.changing[cell] === Changing.carried) &&
    meetsExpectation(arrays.states[cell] ?? State.unscheduled)
  );
}

const sharedRepair = reasonCode("shared_repair");

/** Whether a soft edge waits on this cell: only while somebody is working on it, or the plan put it off for now. */
function isWorkedOn(arrays: EdgeArrays, cell: number): boolean {
  const disposition = arrays.dispositions[cell];
  return (
    disposition === Disposition.ready ||
    disposition === Disposition.queued ||
    disposition === Disposition.running ||
    disposition === Disposition.backingOff ||
    (disposition === Disposition.held && arrays.progressing[cell] === 1) ||
    (disposition === Disposition.blocked && arrays.reasons[cell] === sharedRepair)
  );
}

/** An edge that reads one cell: it must be there itself. What lies outside of the axis is not scheduled. */
function cellJudge(
  input: AssessInput,
  arrays: EdgeArrays,
  processor: Processor,
  upstream: Processor,
  edge: Edge,
): EdgeJudge {
  const base = upstream.index * input.sight.axis.length;
  const readAt = oneCellOf(input, processor, upstream, edge);
  return (position) => {
    const read = readAt(position);
    if (read < 0) return satisfied;
    const cell = base + read;
    const isTogether = read === position && isFilledTogether(arrays, processor, upstream, cell);
    if (!isTogether && isAboutToChange(arrays, edge, cell)) return waiting;
    const verdict = cellSatisfies(input, arrays, upstream, edge, read);
    if (verdict === Satisfied.yes) return satisfied;
    if (verdict === Satisfied.degraded) return degradedVerdict;
    if (isTogether) return satisfied;
    if (edge.mode === "soft") {
      const waits = isWorkedOn(arrays, cell) && withinWait(input, processor, edge, position);
      return waits ? waiting : degradedVerdict;
    }
    return willProgress(arrays, cell) ? waiting : stuck;
  };
}

/** The position of the one cell that an edge reads; -1 without one. */
function oneCellOf(
  input: AssessInput,
  processor: Processor,
  upstream: Processor,
  { window }: Edge,
): (position: number) => number {
  if (window.kind === "same_date") return (position) => position;
  const [read, own] = [scheduleOf(input, upstream.index), scheduleOf(input, processor.index)];
  return (position) => {
    const { from, to } = windowAt(window, read, own, position);
    return from > to ? -1 : from;
  };
}

/** One run of a shared repair fills both tables: a gap of its own date upstream is no reason to wait for that run. */
function isFilledTogether(
  arrays: Pick<EdgeArrays, "dispositions">,
  processor: Processor,
  upstream: Processor,
  upstreamCell: number,
): boolean {
  return (
    processor.repairUnit !== null &&
    processor.repairUnit === upstream.repairUnit &&
    (arrays.dispositions[upstreamCell] ?? Disposition.none) !== Disposition.none
  );
}

/** A soft edge waits at most `wait` from the opening of the gap that waits. */
function withinWait(input: AssessInput, processor: Processor, edge: Edge, position: number): boolean {
  if (edge.waitMs === null) return true;
  const facts = input.facts.cellFacts(processor.index, input.sight.axis.first + position);
  return input.now - (facts.openSince ?? input.now) < edge.waitMs;
}

function willProgress(arrays: EdgeArrays, cell: number): boolean {
  const state = arrays.states[cell];
  return state === State.unknown || state === State.pending || arrays.progressing[cell] === 1;
}

/**
 * A window counts its cells by prefix sums: satisfied ones, degrading ones, and those that somebody is working on, which
 * alone can block. Enough of the first two and the settled rest satisfy it.
 */
function windowJudge(
  input: AssessInput,
  arrays: EdgeArrays,
  processor: Processor,
  upstream: Processor,
  edge: Edge,
): EdgeJudge {
  const { length } = input.sight.axis;
  const base = upstream.index * length;
  const upSchedule = scheduleOf(input, upstream.index);
  const ownSchedule = scheduleOf(input, processor.index);
  const counted = new Int32Array(length + 1);
  const fulfilled = new Int32Array(length + 1);
  const working = new Int32Array(length + 1);
  for (let position = 0; position < length; position++) {
    let [isCounted, isFulfilled, isWorking] = [0, 0, 0];
    if (isRead(upSchedule, arrays, base, position)) {
      isCounted = 1;
      if (isAboutToChange(arrays, edge, base + position)) isWorking = 1;
      else if (cellSatisfies(input, arrays, upstream, edge, position) === Satisfied.yes) isFulfilled = 1;
      else if (edge.mode === "soft") isWorking = isWorkedOn(arrays, base + position) ? 1 : 0;
      else isWorking = willProgress(arrays, base + position) ? 1 : 0;
    }
    counted[position + 1] = (counted[position] ?? 0) + isCounted;
    fulfilled[position + 1] = (fulfilled[position] ?? 0) + isFulfilled;
    working[position + 1] = (working[position] ?? 0) + isWorking;
  }
  const within = (sums: Int32Array, from: number, to: number) => (sums[to + 1] ?? 0) - (sums[from] ?? 0);
  return (position) => {
    const { from, to } = windowAt(edge.window, upSchedule, ownSchedule, position);
    if (from > to) return satisfied;
    const total = within(counted, from, to);
    const holdsOwn = from <= position && to >= position && within(counted, position, position) === 1;
    const together = holdsOwn && isFilledTogether(arrays, processor, upstream, base + position);
    const own = together ? 1 - within(fulfilled, position, position) : 0;
    const complete = within(fulfilled, from, to) + own;
    if (reachesShare(complete, total, edge)) return satisfied;
    const unsettled = within(working, from, to) - own * within(working, position, position);
    const waits = edge.mode === "hard" || withinWait(input, processor, edge, position);
    return waits && !reachesShare(total - unsettled, total, edge) ? waiting : degradedVerdict;
  };
}

/** Whether a day of the upstream counts: a scheduled one, or one off the schedule whose rows are to be taken away first. */
function isRead(
  { scheduled }: DenseSchedule,
  { states }: Pick<EdgeArrays, "states">,
  base: number,
  position: number,
): boolean {
  const state = states[base + position] ?? State.unscheduled;
  return scheduled[position] === 1 || isUnmet(state) || state === State.pending;
}

/** By division: 0.55 × 20 is more than 11, but 11 ÷ 20 is 0.55. */
function reachesShare(cells: number, total: number, edge: Edge): boolean {
  return total === 0 || cells / total >= edge.minShare;
}

/**
 * The upstream cells that keep an edge from being satisfied at a position, oldest first; none where it is satisfied. Of
 * `any_of` all of them, as any of them would do.
 */
export function blockingCells(
  input: AssessInput,
  arrays: EdgeArrays,
  processor: Processor,
  edge: Edge,
  position: number,
): readonly { processor: Processor; position: number }[] {
  if (edge.mode === "soft" && !withinWait(input, processor, edge, position)) return [];
  const blocking: { processor: Processor; position: number }[] = [];
  const isOff = scheduleOf(input, processor.index).scheduled[position] !== 1;
  const read = isOff ? { ...edge, window: onSameDate } : edge;
  for (const upstream of upstreamsOf(input, edge)) {
    if (isOff && scheduleOf(input, upstream.index).scheduled[position] === 1) continue;
    const positions = blockingPositions(input, arrays, processor, upstream, read, position);
    if (positions.length === 0 && isOff) continue;
    if (positions.length === 0) return [];
    for (const at of positions) blocking.push({ processor: upstream, position: at });
  }
  return blocking;
}

function blockingPositions(
  input: AssessInput,
  arrays: EdgeArrays,
  processor: Processor,
  upstream: Processor,
  edge: Edge,
  position: number,
): readonly number[] {
  const upSchedule = scheduleOf(input, upstream.index);
  const base = upstream.index * input.sight.axis.length;
  const isOne = isOneCell(edge.window);
  const { from, to } = windowAt(edge.window, upSchedule, scheduleOf(input, processor.index), position);
  const waitedFor: number[] = [];
  let [total, fulfilled] = [0, 0];
  for (let at = from; at <= to; at++) {
    if (!isRead(upSchedule, arrays, base, at)) continue;
    total++;
    const verdict = cellSatisfies(input, arrays, upstream, edge, at);
    const together = at === position && isFilledTogether(arrays, processor, upstream, base + at);
    if (!together && isAboutToChange(arrays, edge, base + at)) waitedFor.push(at);
    else if (together || verdict === Satisfied.yes || (isOne && verdict === Satisfied.degraded)) fulfilled++;
    else if (isOne && edge.mode === "hard") waitedFor.push(at);
    else if (edge.mode === "soft" ? isWorkedOn(arrays, base + at) : willProgress(arrays, base + at)) {
      waitedFor.push(at);
    }
  }
  const isSatisfied =
    reachesShare(fulfilled, total, edge) || reachesShare(total - waitedFor.length, total, edge);
  return isSatisfied ? [] : waitedFor;
}

/** What an edge reads of one upstream for a cell. */
export interface ReadCells extends PositionRange {
  readonly upstream: Processor;
  /** Of the upstream's dates in that range: the scheduled ones, and those of them that satisfy the edge. */
  readonly scheduled: number;
  readonly satisfied: number;
}

export function readCells(
  input: AssessInput,
  arrays: EdgeArrays,
  processor: Processor,
  edge: Edge,
  position: number,
): readonly ReadCells[] {
  return upstreamsOf(input, edge).map((upstream) => {
    const upSchedule = scheduleOf(input, upstream.index);
    const { from, to } = windowAt(edge.window, upSchedule, scheduleOf(input, processor.index), position);
    let [scheduled, fulfilled] = [0, 0];
    for (let at = from; at <= to; at++) {
      if (!isRead(upSchedule, arrays, upstream.index * input.sight.axis.length, at)) continue;
      scheduled++;
      if (cellSatisfies(input, arrays, upstream, edge, at) === Satisfied.yes) fulfilled++;
    }
    return { upstream, from, to, scheduled, satisfied: fulfilled };
  });
}

/** Whether a cell is one that a root cause is looked for in: a gap, unknown or pending. */
export function isTroubled(state: number | undefined): boolean {
  return state !== undefined && (isGapState(state) || state === State.unknown || state === State.pending);
}
