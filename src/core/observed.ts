import type { Day } from "./iso-date.ts";
import type { ObservationFailure, ProcessorObservation, Profile, Unseen } from "./observation.ts";
import type { Axis } from "./schedule.ts";

/** A processor's observation spread over the axis. */
export interface Observed {
  readonly profile: Profile;
  /** The profile's entry for each position of the axis; -1 where there are no rows. */
  readonly entries: Int32Array;
  /** Why nothing could be seen; null where it was. */
  readonly failure: ObservationFailure | null;
  /** Dates that were left out; null where there are none. */
  readonly unseen: Unseen | null;
}

const nothing: Profile = {
  days: new Int32Array(),
  rows: new Float64Array(),
  entities: new Float64Array(),
  firstWriteMs: new Float64Array(),
  lastWriteMs: new Float64Array(),
  metrics: [],
};

export function alignObservation(observation: ProcessorObservation | undefined, axis: Axis): Observed {
  const entries = new Int32Array(axis.length).fill(-1);
  if (observation === undefined) {
    const failure = { code: "query_failed", message: "it was not observed" } as const;
    return { profile: nothing, entries, failure, unseen: null };
  }
  if (observation.kind === "failed") {
    return { profile: nothing, entries, failure: observation.failure, unseen: null };
  }
  const { days } = observation.profile;
  for (let entry = 0; entry < days.length; entry++) {
    const position = (days[entry] ?? 0) - axis.first;
    if (position >= 0 && position < axis.length) entries[position] = entry;
  }
  return { profile: observation.profile, entries, failure: null, unseen: observation.unseen };
}

/** Why a cell could not be seen; null where it was. */
export function failureAt({ failure, unseen }: Observed, day: Day): ObservationFailure | null {
  return failure ?? (unseen?.days.has(day) === true ? unseen.failure : null);
}

export function rowsAt(observed: Observed, position: number): number {
  const entry = observed.entries[position] ?? -1;
  return entry < 0 ? 0 : (observed.profile.rows[entry] ?? 0);
}

/**
 * What tells one content of a cell from another: rows, entities, last write. Two equal versions are taken for the same
 * content.
 */
export function versionAt(observed: Observed, position: number): string {
  const entry = observed.entries[position] ?? -1;
  // A date without rows is in the profile or not, by what other tables hold.
  if (entry < 0 || observed.profile.rows[entry] === 0) return "0";
  const { rows, entities, lastWriteMs } = observed.profile;
  return [rows[entry], entities[entry], lastWriteMs[entry]]
    .map((value) => (value === undefined || Number.isNaN(value) ? "" : String(value)))
    .join("/");
}

/** A profile in which the days from `from` to `to`, both included, are as a later observation saw them. */
export function replaceDays(profile: Profile, later: Profile, from: Day, to: Day): Profile {
  const before = profile.days.findIndex((day) => day >= from);
  const head = before < 0 ? profile.days.length : before;
  const after = profile.days.findIndex((day) => day > to);
  const tail = after < 0 ? profile.days.length : after;
  const laterFrom = firstAtLeast(later.days, from);
  const laterTo = firstAtLeast(later.days, to + 1);
  const splice = (column: Float64Array, update: Float64Array | undefined) =>
    Float64Array.from([
      ...column.subarray(0, head),
      ...(update ?? new Float64Array()).subarray(laterFrom, laterTo),
      ...column.subarray(tail),
    ]);
  return {
    days: Int32Array.from([
      ...profile.days.subarray(0, head),
      ...later.days.subarray(laterFrom, laterTo),
      ...profile.days.subarray(tail),
    ]),
    rows: splice(profile.rows, later.rows),
    entities: splice(profile.entities, later.entities),
    firstWriteMs: splice(profile.firstWriteMs, later.firstWriteMs),
    lastWriteMs: splice(profile.lastWriteMs, later.lastWriteMs),
    metrics: profile.metrics.map((column, index) => splice(column, later.metrics[index])),
  };
}

function firstAtLeast(days: Int32Array, day: Day): number {
  const found = days.findIndex((value) => value >= day);
  return found < 0 ? days.length : found;
}
