import { Assumed, type AssessInput, cellContext, scheduleOf } from "./assessment.ts";
import { waiverCovers } from "./decisions.ts";
import { type DueTest, dueTests } from "./due.ts";
import { mayBeEmpty } from "./emptiness.ts";
import { judgeEntry } from "./expectation.ts";
import { isGapState, isUnmet, meetsExpectation, reasonCode, State } from "./grid.ts";
import { toDay } from "./iso-date.ts";
import { keepOffSchedule, offScheduleState } from "./off-schedule.ts";
import { rowsAt } from "./observed.ts";
import type { Edge, Processor, Waiver } from "./pipeline.ts";
import type { DenseSchedule } from "./schedule.ts";
import { markStale } from "./staleness.ts";
import { isOneCell, windowAt } from "./windows.ts";

/** The arrays that assessing fills, one entry per cell. */
export interface StateArrays {
  readonly states: Uint8Array;
  readonly reasons: Uint8Array;
  readonly proceeds: Uint8Array;
  /** 1 where a waiver that covered the cell has expired. */
  readonly waiverExpired: Uint8Array;
  /** By processor: 1 where any of its cells is exempt. */
  readonly hasExempt: Uint8Array;
  /** As `Assessment.judgedStates`. */
  readonly judgedStates: Uint8Array;
}

/** Fills the state of every cell, upstreams first, in the precedence of the vocabulary. */
export function assessStates(input: AssessInput, arrays: StateArrays): void {
  const { pipeline, graph } = input.compiled;
  const due = dueTests(input.compiled, input.sight, input.policy.horizon);
  for (const index of input.compiled.judging.order) {
    const processor = pipeline.processors[index];
    if (processor !== undefined) judgeProcessor(input, processor, arrays.judgedStates);
  }
  arrays.states.set(arrays.judgedStates);
  for (const index of graph.order) {
    const processor = pipeline.processors[index];
    if (processor === undefined) continue;
    keepOffSchedule(input, processor, arrays.states);
    markStale(input, processor, arrays.states);
    markExempt(input, processor, arrays);
    markPending(input, processor, arrays, due[index] ?? (() => false));
    assumeComplete(input, processor, arrays);
    reportBehindExempt(input, processor, arrays);
  }
}

/**
 * Complete, missing, partial, invalid, unknown and unexpected: what the observation alone says.
 * @param states by cell; those of the processors that this one refers to are judged before
 */
function judgeProcessor(input: AssessInput, processor: Processor, states: Uint8Array): void {
  const { axis, today } = input.sight;
  const observed = input.sight.observed[processor.index];
  const judge = input.compiled.judges[processor.index];
  if (observed === undefined || judge === undefined) return;
  const schedule = scheduleOf(input, processor.index);
  const base = processor.index * axis.length;
  if (observed.failure !== null) {
    for (const position of schedule.positions) states[base + position] = State.unknown;
    return;
  }
  const plain = plainRowFloor(judge.expect);
  const isNeverEmpty = !mayBeEmpty(judge.expect);
  const judged = { ...input, judgedStates: states };
  const { entries, profile, unseen } = observed;
  for (let position = 0; position < axis.length; position++) {
    const entry = entries[position] ?? -1;
    if (unseen !== null && unseen.days.has(axis.first + position)) {
      if (schedule.scheduled[position] === 1) states[base + position] = State.unknown;
    } else if (schedule.scheduled[position] === 1) {
      if (entry >= 0 && plain !== null && (profile.rows[entry] ?? 0) >= plain)
        states[base + position] = State.complete;
      else if (entry < 0 && isNeverEmpty) states[base + position] = State.missing;
      else {
        const context = cellContext(judged, processor.index, position);
        states[base + position] = judgeEntry(judge, profile, entry, context);
      }
    } else if (entry >= 0 && axis.first + position < today && (profile.rows[entry] ?? 0) > 0) {
      states[base + position] = offScheduleState(input, processor, position);
    }
  }
}

/** A forecast takes the gaps that it planned for repaired; what a shared run fills besides stays as it was. */
function assumeComplete(
  { assumed, sight }: AssessInput,
  processor: Processor,
  { states }: StateArrays,
): void {
  if (assumed === null) return;
  const base = processor.index * sight.axis.length;
  const scheduled = sight.schedules.get(processor.schedule)?.scheduled;
  for (let position = 0; position < sight.axis.length; position++) {
    const cell = base + position;
    const state = states[cell] ?? State.unscheduled;
    if (assumed[cell] === Assumed.repaired && isGapState(state)) {
      states[cell] = scheduled?.[position] === 1 ? State.complete : State.unscheduled;
    } else if (assumed[cell] === Assumed.outdated && meetsExpectation(state)) states[cell] = State.outdated;
  }
}

/** The floor of an expectation that asks for nothing but rows per date: most cells need no more than a comparison. */
function plainRowFloor(expect: Processor["expect"]): number | null {
  const { rows } = expect;
  const onlyRows =
    rows.perUnit === null &&
    rows.perEntity === null &&
    rows.when === null &&
    rows.max === null &&
    rows.maxPerUnit === null &&
    rows.min > 0;
  const nothingElse =
    expect.coverage === null &&
    expect.quality === null &&
    expect.uniqueKeys.length + expect.notNull.length + expect.checks.length + expect.measures.length === 0;
  return onlyRows && nothingElse ? rows.min : null;
}

function markExempt(input: AssessInput, processor: Processor, arrays: StateArrays): void {
  const { axis } = input.sight;
  const { states, reasons } = arrays;
  const schedule = scheduleOf(input, processor.index);
  const base = processor.index * axis.length;
  const from = processor.available.from === null ? -Infinity : toDay(processor.available.from);
  const to = processor.available.to === null ? Infinity : toDay(processor.available.to);
  const waivers = input.facts.decisions.waivers.filter(({ processors }) =>
    processors.includes(processor.name),
  );
  const exempt = (cell: number, reason: "bootstrap" | "availability" | "waived" | "upstream_exempt") => {
    states[cell] = State.exempt;
    reasons[cell] = reasonCode(reason);
    arrays.hasExempt[processor.index] = 1;
  };
  const exemptAbove = upstreamExemption(input, processor, arrays);
  const isBound = from > -Infinity || to < Infinity;
  if (processor.bootstrapDays === 0 && !isBound && waivers.length === 0 && exemptAbove === null) return;
  for (let position = 0; position < axis.length; position++) {
    const cell = base + position;
    // What waits for another cell is pending by now, and nothing else is.
    if (!isUnmet(states[cell] ?? 0) && states[cell] !== State.pending) continue;
    const day = axis.first + position;
    if (isBootstrap(processor, schedule, day, position)) exempt(cell, "bootstrap");
    else if (day < from || day > to) exempt(cell, "availability");
    else if (applyWaiver(input, waivers, processor, day, cell, arrays)) exempt(cell, "waived");
    else if (schedule.scheduled[position] === 1 && exemptAbove?.(position) === true) {
      if (!input.facts.everComplete(processor.index, day)) exempt(cell, "upstream_exempt");
    }
  }
}

/** What is outdated and has an input that is exempt and has no rows cannot be computed again: it is reported. */
function reportBehindExempt(input: AssessInput, processor: Processor, arrays: StateArrays): void {
  const { axis } = input.sight;
  const base = processor.index * axis.length;
  const { states } = arrays;
  if (!states.subarray(base, base + axis.length).includes(State.outdated)) return;
  const exemptAbove = upstreamExemption(input, processor, arrays);
  if (exemptAbove === null) return;
  for (let position = 0; position < axis.length; position++) {
    if (states[base + position] === State.outdated && exemptAbove(position))
      states[base + position] = State.stale;
  }
}

function isBootstrap(processor: Processor, schedule: DenseSchedule, day: number, position: number): boolean {
  if (processor.bootstrapDays === 0) return false;
  const season = schedule.seasons[schedule.season[position] ?? -1];
  return season !== undefined && day - season.startDay < processor.bootstrapDays;
}

/** Whether a waiver in force covers the cell; notes those that expired and those that let dependents proceed. */
function applyWaiver(
  input: AssessInput,
  waivers: readonly Waiver[],
  processor: Processor,
  day: number,
  cell: number,
  arrays: StateArrays,
): boolean {
  const covering = waivers.filter((waiver) => waiverCovers(waiver, processor.name, day));
  if (covering.length === 0) return false;
  const valid = covering.filter(({ expires }) => expires === null || input.sight.today <= toDay(expires));
  if (valid.length === 0) {
    arrays.waiverExpired[cell] = 1;
    return false;
  }
  if (valid.some(({ downstream }) => downstream === "proceed")) arrays.proceeds[cell] = 1;
  return true;
}

/** Whether the one cell that a hard edge reads is exempt without rows, and this cell was never seen complete. */
function upstreamExemption(
  input: AssessInput,
  processor: Processor,
  arrays: StateArrays,
): ((position: number) => boolean) | null {
  const { axis, observed } = input.sight;
  const resolved = processor.edges
    .filter(({ mode, window }) => mode === "hard" && isOneCell(window))
    .map((edge) => ({ edge, upstreams: upstreamsOf(input, edge) }))
    .filter(({ upstreams }) => upstreams.every(({ index }) => arrays.hasExempt[index] === 1));
  if (resolved.length === 0) return null;
  const own = scheduleOf(input, processor.index);
  const isEmptyExempt = (upstream: Processor, { window }: Edge, reader: number) => {
    const { from: position, to } = windowAt(window, scheduleOf(input, upstream.index), own, reader);
    if (position > to) return false;
    const cell = upstream.index * axis.length + position;
    const seen = observed[upstream.index];
    return (
      arrays.states[cell] === State.exempt &&
      arrays.proceeds[cell] === 0 &&
      (seen === undefined || rowsAt(seen, position) === 0)
    );
  };
  return (position) =>
    resolved.some(({ edge, upstreams }) =>
      upstreams.every((upstream) => isEmptyExempt(upstream, edge, position)),
    );
}

function markPending(
  input: AssessInput,
  processor: Processor,
  { states }: StateArrays,
  isDue: DueTest,
): void {
  const { axis } = input.sight;
  const base = processor.index * axis.length;
  // Due times rise with the date, so that all later cells than the last one that is due are not.
  for (let position = axis.length - 1; position >= 0 && !isDue(position); position--) {
    if (isUnmet(states[base + position] ?? 0)) states[base + position] = State.pending;
  }
}

export function upstreamsOf(input: Pick<AssessInput, "compiled">, edge: Edge): readonly Processor[] {
  return edge.anyOf.flatMap((name) => input.compiled.byName.get(name) ?? []);
}
