import { type Assessment, type AssessInput, scheduleOf } from "./assessment.ts";
import { formatDateRuns } from "./date-runs.ts";
import { Disposition, meetsExpectation, State } from "./grid.ts";
import type { Day } from "./iso-date.ts";
import { failureAt, type Observed, rowsAt, versionAt } from "./observed.ts";
import type { Edge, EdgeWindow, Processor } from "./pipeline.ts";
import { isOneCell, readersOf, slidingMaximum, windowAt } from "./windows.ts";

/** How a processor that is computed from its own previous scheduled date reads itself. */
export const ownPast: EdgeWindow = { kind: "offset_dates", dates: -1 };

/** One upstream of a processor, and what each cell reads of it. */
export interface Reading {
  readonly upstream: Processor;
  readonly window: EdgeWindow;
  /** The key under which the ledger has its version. */
  readonly key: string;
}

/** What a processor reads such that a change of it outdates the cell; its own past among it. */
export function staleReadings(
  input: Pick<AssessInput, "compiled">,
  processor: Processor,
): readonly Reading[] {
  const readings = processor.edges.filter(({ stale }) => stale).flatMap((edge) => readingsOf(input, edge));
  if (!processor.dependsOnPast) return readings;
  return [...readings, { upstream: processor, window: ownPast, key: keyOf(processor.name, ownPast) }];
}

function readingsOf(
  { compiled }: Pick<AssessInput, "compiled">,
  { anyOf, window }: Edge,
): readonly Reading[] {
  return anyOf.flatMap((name) => {
    const upstream = compiled.byName.get(name);
    return upstream === undefined ? [] : [{ upstream, window, key: keyOf(name, window) }];
  });
}

/** The same date goes by the upstream's name alone: earlier releases recorded it so. */
function keyOf(upstream: string, window: EdgeWindow): string {
  if (window.kind === "same_date") return upstream;
  const { kind, ...reach } = window;
  return [upstream, kind, ...Object.values(reach)].join(" ");
}

/**
 * The versions of what a cell is computed from, by key: of every upstream on its own date, and of all else that outdates it.
 * What cannot be seen is left out.
 */
export function inputVersions(
  input: Pick<AssessInput, "compiled" | "sight">,
  processor: Processor,
  position: number,
): Readonly<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const reading of recordedReadings(input, processor)) {
    const version = versionOf(input, processor, reading, position);
    if (version !== null) versions[reading.key] = version;
  }
  return versions;
}

function recordedReadings(input: Pick<AssessInput, "compiled">, processor: Processor): readonly Reading[] {
  const sameDate = processor.edges
    .filter(({ window }) => window.kind === "same_date")
    .flatMap((edge) => readingsOf(input, edge));
  return [...sameDate, ...staleReadings(input, processor)];
}

/**
 * The versions that a run computed a cell from: those before it, except of a cell that the same run filled. What is carried
 * forward reads the date before it as the run left it.
 * @param filled whether the run filled the cell of a processor on a day
 */
export function inputsOfRun(
  input: Pick<AssessInput, "compiled" | "sight">,
  processor: Processor,
  position: number,
  { before, filled }: { readonly before: Readonly<Record<string, string>>; readonly filled: Filled },
): Readonly<Record<string, string>> {
  const versions: Record<string, string> = { ...before };
  for (const reading of recordedReadings(input, processor)) {
    const { upstream, window, key } = reading;
    if (!isOneCell(window)) continue;
    const schedule = scheduleOf(input, upstream.index);
    const { from, to } = windowAt(window, schedule, scheduleOf(input, processor.index), position);
    if (from > to || !filled(upstream.index, input.sight.axis.first + from)) continue;
    const version = versionOf(input, processor, reading, position);
    if (version !== null) versions[key] = version;
  }
  return versions;
}

type Filled = (processor: number, day: Day) => boolean;

/** Null where part of it cannot be seen. */
function versionOf(
  input: Pick<AssessInput, "compiled" | "sight">,
  processor: Processor,
  { upstream, window }: Reading,
  position: number,
): string | null {
  const observed = input.sight.observed[upstream.index];
  if (observed === undefined || observed.failure !== null) return null;
  const schedule = scheduleOf(input, upstream.index);
  const { from, to } = windowAt(window, schedule, scheduleOf(input, processor.index), position);
  if (observed.unseen !== null) {
    for (let at = from; at <= to; at++) {
      if (failureAt(observed, input.sight.axis.first + at) !== null) return null;
    }
  }
  if (window.kind === "same_date") return versionAt(observed, from);
  // A date that joins or leaves the schedule can make it another one.
  if (isOneCell(window))
    return from > to ? "none" : `${input.sight.axis.first + from} ${versionAt(observed, from)}`;
  let sum = 0;
  for (let at = from; at <= to; at++) {
    if (schedule.scheduled[at] === 1) sum += contentHash(observed, input.sight.axis.first + at, at);
  }
  return `sum ${sum.toString(36)}`;
}

/** 32 bits of what `versionAt` tells apart; the sum over a window stays exact for any number of dates. */
function contentHash({ entries, profile }: Observed, day: Day, position: number): number {
  const entry = entries[position] ?? -1;
  if (entry < 0) return 0;
  let hash = day | 0;
  for (const column of [profile.rows, profile.entities, profile.lastWriteMs]) {
    const value = column[entry] ?? Number.NaN;
    const [low, high] = Number.isNaN(value) ? [-1, -1] : [value | 0, Math.floor(value / 2 ** 32) | 0];
    // The finalizer of MurmurHash3: each bit of the input changes half of the output.
    for (const part of [low, high]) {
      hash = Math.imul(hash ^ part ^ ((hash ^ part) >>> 16), 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
  }
  return hash >>> 0;
}

/** Whether a run of the processor's repair replaces what is there. */
export function canRecompute({ compiled }: Pick<AssessInput, "compiled">, processor: Processor): boolean {
  return compiled.pipeline.repairUnits[processor.repairUnit ?? -1]?.replaces === true;
}

/** Whether the processor's cells are computed again once a repair of this pipeline has changed their input. */
export function isFollowed({ compiled }: Pick<AssessInput, "compiled">, processor: Processor): boolean {
  if (processor.stale !== "follow" && processor.stale !== "repair") return false;
  return canRecompute({ compiled }, processor);
}

/** Marks the complete cells of a processor whose input changed after them: `outdated` where that is a gap, else `stale`. */
export function markStale(input: AssessInput, processor: Processor, states: Uint8Array): void {
  if (processor.stale === "ignore") return;
  const { axis, observed } = input.sight;
  const own = observed[processor.index];
  if (own === undefined || own.failure !== null) return;
  const base = processor.index * axis.length;
  const isRecomputable = canRecompute(input, processor);
  const mark = (position: number, state: number) => {
    if (states[base + position] !== State.complete) return;
    const isWanted = state === State.stale && isRecomputable && isToRebuild(input, processor, own, position);
    states[base + position] = isWanted ? State.outdated : state;
  };
  const byUs = isFollowed(input, processor) ? State.outdated : State.stale;
  for (const [day, at] of input.facts.outdated(processor.index)) {
    const position = day - axis.first;
    // What somebody wrote after the change was computed from the changed input.
    if (position >= 0 && position < axis.length && !(firstWriteAt(own, position) > at)) mark(position, byUs);
  }
  const byOthers = processor.stale === "repair" ? State.outdated : State.stale;
  const readings = staleReadings(input, processor);
  const judged = changedSinceRecord(input, processor, own, readings, (position) => mark(position, byOthers));
  if (processor.writtenAtColumn === null) return;
  for (const reading of readings) {
    if (reading.upstream.writtenAtColumn === null || observed[reading.upstream.index]?.failure !== null)
      continue;
    const isLater = writtenLater(input, processor, own, reading);
    for (let position = 0; position < axis.length; position++) {
      if (states[base + position] !== State.complete || !isLater(position)) continue;
      if (judged.get(position)?.has(reading.key) !== true) mark(position, byOthers);
    }
  }
}

/** Whether a person wants the stale cell computed again, and nobody has done so since. */
function isToRebuild(
  { facts, sight }: AssessInput,
  { name, index }: Processor,
  own: Observed,
  position: number,
): boolean {
  const day = sight.axis.first + position;
  const at = facts.decisions.rebuiltAt(name, day);
  return at > (facts.made(index).get(day)?.at ?? 0) && !(firstWriteAt(own, position) > at);
}

function firstWriteAt({ entries, profile }: Observed, position: number): number {
  return profile.firstWriteMs[entries[position] ?? -1] ?? Number.NaN;
}

/**
 * Compares the inputs of the cells that repairs of ours made with what the ledger recorded of them.
 * @returns the keys that the record decided, by position: write times say nothing more about them
 */
function changedSinceRecord(
  input: AssessInput,
  processor: Processor,
  own: Observed,
  readings: readonly Reading[],
  changed: (position: number) => void,
): ReadonlyMap<number, ReadonlySet<string>> {
  const { axis } = input.sight;
  const judged = new Map<number, Set<string>>();
  if (readings.length === 0) return judged;
  for (const [day, made] of input.facts.made(processor.index)) {
    const position = day - axis.first;
    if (position < 0 || position >= axis.length) continue;
    // What others wrote after our repair was made from what they read, not from what we recorded.
    if (firstWriteAt(own, position) > made.at) continue;
    for (const reading of readings) {
      const recorded = made.inputs[reading.key];
      if (recorded === undefined) continue;
      const keys = judged.get(position) ?? new Set<string>();
      judged.set(position, keys.add(reading.key));
      const version = versionOf(input, processor, reading, position);
      if (version !== null && version !== recorded && hasInput(input, processor, reading, position))
        changed(position);
    }
  }
  return judged;
}

/** Rows of an upstream on a date that it is not scheduled on outdate nothing, and neither does input that is gone. */
function hasInput(
  input: AssessInput,
  processor: Processor,
  { upstream, window }: Reading,
  position: number,
): boolean {
  const schedule = scheduleOf(input, upstream.index);
  const { from, to } = windowAt(window, schedule, scheduleOf(input, processor.index), position);
  const observed = input.sight.observed[upstream.index];
  for (let at = from; at <= to; at++) {
    if (schedule.scheduled[at] === 1 && (observed?.entries[at] ?? -1) >= 0) return true;
  }
  return false;
}

/** Whether an upstream's last write is after the cell's first one. */
function writtenLater(
  input: AssessInput,
  processor: Processor,
  own: Observed,
  { upstream, window }: Reading,
): (position: number) => boolean {
  const { axis, observed } = input.sight;
  const up = observed[upstream.index];
  if (up === undefined) return () => false;
  const [upSchedule, ownSchedule] = [scheduleOf(input, upstream.index), scheduleOf(input, processor.index)];
  const lastWrites = new Float64Array(axis.length).fill(Number.NaN);
  up.entries.forEach((entry, position) => {
    if (entry < 0 || upSchedule.scheduled[position] !== 1) return;
    if (failureAt(up, axis.first + position) !== null) return;
    lastWrites[position] = up.profile.lastWriteMs[entry] ?? Number.NaN;
  });
  const newest =
    window.kind === "same_date"
      ? lastWrites
      : slidingMaximum(lastWrites, axis.length, (position) =>
          windowAt(window, upSchedule, ownSchedule, position),
        );
  return (position) => (newest[position] ?? -Infinity) > firstWriteAt(own, position);
}

/**
 * The cells that a change of one cell outdates: those that read it and have rows, those that nobody can see, and those that are
 * being computed from what it was. A gap with rows may close without being computed again, once its input is whole.
 * @param filled whether a cell is filled by the very run that makes the change, and so from the changed input
 */
export function outdatedBy(
  assessment: Assessment,
  changed: Processor,
  position: number,
  filled: (processor: number, position: number) => boolean,
): readonly { readonly processor: Processor; readonly positions: readonly number[] }[] {
  const { grid } = assessment;
  const dependents = [
    ...(grid.graph.dependents[changed.index] ?? []),
    ...(changed.dependsOnPast ? [changed.index] : []),
  ];
  return dependents.flatMap((index) => {
    const processor = grid.pipeline.processors[index];
    if (processor === undefined || processor.stale === "ignore") return [];
    const [upSchedule, ownSchedule] = [scheduleOf(assessment, changed.index), scheduleOf(assessment, index)];
    const found = new Set<number>();
    for (const { upstream, window } of staleReadings(assessment, processor)) {
      if (upstream.index !== changed.index) continue;
      const hasLeft = upSchedule.scheduled[position] !== 1;
      const windowOf = (at: number) => {
        const read = windowAt(window, upSchedule, ownSchedule, at);
        // A date that left the schedule was counted by all whose dates lie on both sides of it.
        if (!hasLeft || window.kind !== "offset_dates") return read;
        return window.dates < 0 ? { from: read.from, to: at - 1 } : { from: at + 1, to: read.to };
      };
      const { from, to } = readersOf(windowOf, grid.axis.length, position);
      for (let at = from; at <= to; at++) {
        if (ownSchedule.scheduled[at] !== 1 || filled(index, at)) continue;
        if (isThere(assessment, index, at)) found.add(at);
      }
    }
    return found.size === 0 ? [] : [{ processor, positions: [...found].sort((a, b) => a - b) }];
  });
}

function isThere({ grid, sight }: Assessment, processor: number, position: number): boolean {
  const observed = sight.observed[processor];
  const cell = processor * grid.axis.length + position;
  const state = grid.states[cell] ?? State.unscheduled;
  return (
    meetsExpectation(state) ||
    (observed !== undefined && rowsAt(observed, position) > 0) ||
    state === State.unknown ||
    grid.dispositions[cell] === Disposition.running
  );
}

/** What `outdatedBy` finds, as the ledger records it: runs of dates, by processor. */
export function outdatesOf(
  assessment: Assessment,
  changed: Processor,
  day: Day,
  filled: (processor: number, day: Day) => boolean,
): Readonly<Record<string, string>> {
  const { first } = assessment.grid.axis;
  const outdated = outdatedBy(assessment, changed, day - first, (processor, at) =>
    filled(processor, first + at),
  );
  return Object.fromEntries(
    outdated.map(({ processor, positions }) => [
      processor.name,
      formatDateRuns(positions.map((position) => first + position)),
    ]),
  );
}
