import type { IsoDate } from "./iso-date.ts";
import { fromDay } from "./iso-date.ts";
import type { Graph } from "./graph.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Axis, DenseSchedule } from "./schedule.ts";
import type { EpochMs } from "./wall-clock.ts";

/**
 * A code is the place in its list. `unscheduled` is no state of a cell: there is none on that day; `unexpected` is a day
 * that is not scheduled and has rows all the same.
 */
export const stateNames = [
  "unscheduled",
  "unknown",
  "complete",
  "stale",
  "exempt",
  "pending",
  "missing",
  "partial",
  "invalid",
  "unexpected",
] as const;
export type StateName = (typeof stateNames)[number];

/**
 * `stale` is reported; `outdated` is a stale cell that is a gap: it is to be computed again. Both are called stale to people.
 */
export const State = {
  unscheduled: 0,
  unknown: 1,
  complete: 2,
  stale: 3,
  exempt: 4,
  pending: 5,
  missing: 6,
  partial: 7,
  invalid: 8,
  unexpected: 9,
  outdated: 10,
} as const satisfies Record<StateName | "outdated", number>;

/**
 * `later`: somebody is or will soon be working on it, or on what it is computed from. `carried`: it meets its expectation, and
 * the job that fills its own previous date computes it again right behind that one. `written`: a run has filled it and has not
 * ended, so that what it outdates is not on record yet.
 */
export const Changing = { no: 0, later: 1, carried: 2, written: 3 } as const;

/** The name of each state by its code. */
export const stateNamesByCode: readonly StateName[] = [...stateNames, "stale"];

export const dispositionNames = [
  "none",
  "running",
  "queued",
  "unrepairable",
  "quarantined",
  "blocked",
  "held",
  "backing_off",
  "ready",
] as const;
export type DispositionName = (typeof dispositionNames)[number];

export const Disposition = {
  none: 0,
  running: 1,
  queued: 2,
  unrepairable: 3,
  quarantined: 4,
  blocked: 5,
  held: 6,
  backingOff: 7,
  ready: 8,
} as const;

export const exemptReasons = ["bootstrap", "availability", "waived", "upstream_exempt"] as const;

/** Why a cell is what it is, beyond its state and disposition; a code is the place in the list. */
export const reasonNames = [
  "",
  ...exemptReasons,
  // running
  "elsewhere",
  // unrepairable
  "no_repair",
  "repair_does_not_replace",
  "source_expired",
  // quarantined
  "attempts_used_up",
  "permanent_error",
  "made_worse",
  "reopened",
  // blocked
  "upstream",
  "chronological",
  "shared_repair",
  // held
  "age",
  "budget",
  "circuit",
  "mass_gap",
  "schedule",
  "paused",
  "waiver_expired",
  "repair_window",
  "precondition",
  "not_selected",
  // backing off
  "backoff",
  // ready
  "probe",
  "next",
  "jobs_max",
  "concurrency",
  "pool",
  "warehouse_file",
  "cells_per_cycle_max",
  "in_flight_overlap",
] as const;
export type ReasonName = (typeof reasonNames)[number];

const reasonCodes = new Map<ReasonName, number>(reasonNames.map((name, code) => [name, code]));

export function reasonCode(name: ReasonName): number {
  return reasonCodes.get(name) ?? 0;
}

/** The cells that a run is about; upstreams are assessed beyond it. Positions on the axis, both ends included. */
export interface Selection {
  readonly processors: ReadonlySet<number>;
  readonly from: number;
  readonly to: number;
}

export function isSelected(
  { processors, from, to }: Selection,
  processor: number,
  position: number,
): boolean {
  return position >= from && position <= to && processors.has(processor);
}

/** Every cell of a pipeline, row by row: cell (processor p, position i) is at `p * axis.length + i`. */
export interface Grid {
  readonly pipeline: Pipeline;
  readonly graph: Graph;
  readonly axis: Axis;
  readonly now: EpochMs;
  readonly schedules: ReadonlyMap<string, DenseSchedule>;
  readonly selection: Selection;
  readonly states: Uint8Array;
  readonly dispositions: Uint8Array;
  readonly reasons: Uint8Array;
  /** 1 where the cell's output is, or would be, made from less than all of its inputs. */
  readonly degraded: Uint8Array;
  /** 1 where somebody is or will soon be working on the gap, or on what blocks it. */
  readonly progressing: Uint8Array;
  /** Whether repairs under way or to come will change what a cell holds, as a code of `Changing`. */
  readonly changing: Uint8Array;
}

export function dateAt(axis: Axis, position: number): IsoDate {
  return fromDay(axis.first + position);
}

/** Whether a cell does not meet its expectation, and nothing excuses it. */
export function isUnmet(state: number): boolean {
  // The three stand side by side in the list: most cells are complete, and one comparison tells them apart.
  return state >= State.missing && state <= State.invalid;
}

/** Whether a state is a gap. */
export function isGapState(state: number): boolean {
  return isUnmet(state) || state === State.outdated;
}

/** Whether a cell meets its expectation, whether or not its inputs have changed since. */
export function meetsExpectation(state: number): boolean {
  return state === State.complete || state === State.stale || state === State.outdated;
}

/** Whether a gap was given up, so that it stops the chain of a chronological processor with `on_poison: stop`. */
export function isPoison(disposition: number | undefined): boolean {
  return disposition === Disposition.quarantined || disposition === Disposition.unrepairable;
}

export function stateName(code: number): StateName {
  return stateNamesByCode[code] ?? "unscheduled";
}

export function dispositionName(code: number): DispositionName {
  return dispositionNames[code] ?? "none";
}

export function reasonName(code: number): ReasonName {
  return reasonNames[code] ?? "";
}
