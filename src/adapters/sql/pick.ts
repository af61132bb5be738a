import type { Profile } from "../../core/observation.ts";

/** Some entries of a profile, in the order of `entries`. */
export function pick(profile: Profile, entries: readonly number[]): Profile {
  const of = (column: Float64Array) => Float64Array.from(entries, (entry) => column[entry] ?? Number.NaN);
  return {
    days: Int32Array.from(entries, (entry) => profile.days[entry] ?? 0),
    rows: of(profile.rows),
    entities: of(profile.entities),
    firstWriteMs: of(profile.firstWriteMs),
    lastWriteMs: of(profile.lastWriteMs),
    metrics: profile.metrics.map(of),
  };
}
