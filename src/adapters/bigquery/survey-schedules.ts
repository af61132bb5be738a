import { hashOf } from "../../core/hash.ts";
import type { DateRange } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import type { ScheduleSpec } from "../../core/pipeline.ts";
import { eachOf } from "../sql/each-of.ts";
import { Unobservable } from "../sql/source.ts";
import type { Catalog } from "./catalog.ts";
import type { Limits } from "./limits.ts";
import type { ProfileSource } from "./profile.ts";
import { isRepeatable } from "./reads.ts";
import { readSchedule } from "./schedules.ts";
import type { TableState } from "./table-state.ts";

/** A schedule as it was read, good as long as the key is the same. */
export interface RememberedSchedule {
  /** Of its table at that moment, the dates and what was asked. */
  readonly key: string;
  readonly observation: ScheduleObservation;
}

export interface SchedulesRequest {
  readonly specs: readonly ScheduleSpec[];
  readonly range: DateRange;
  readonly known: ReadonlyMap<string, RememberedSchedule>;
  readonly limits: () => Limits;
}

export interface SchedulesFound {
  readonly observations: ReadonlyMap<string, ScheduleObservation>;
  /** What may be remembered of those that were read. */
  readonly learnt: ReadonlyMap<string, RememberedSchedule>;
}

const statementsAtOnce = 4;

/**
 * Reads the schedules that changed, or of which that is not known.
 * @throws ReconcilerError `schedule_failed`, or `interrupted` when called off
 */
export async function surveySchedules(
  { jobs, timezone }: ProfileSource,
  catalog: Catalog,
  { specs, range, known, limits }: SchedulesRequest,
): Promise<SchedulesFound> {
  const observations = new Map<string, ScheduleObservation>();
  const learnt = new Map<string, RememberedSchedule>();
  await eachOf(specs, statementsAtOnce, async (spec) => {
    if (spec.source.kind === "calendar") return;
    const key = keyOf(spec, catalog, range, timezone);
    const before = known.get(spec.name);
    if (key !== null && before?.key === key) {
      observations.set(spec.name, before.observation);
      return;
    }
    const schedule = { spec, stored: spec.source };
    const observation = await readSchedule(jobs, catalog, schedule, { range, timezone }, limits());
    observations.set(spec.name, observation);
    if (key !== null) learnt.set(spec.name, { key, observation });
  });
  return { observations, learnt };
}

/** Null where nothing tells whether it changed: then it is read each time, which is cheap. */
function keyOf(spec: ScheduleSpec, catalog: Catalog, range: DateRange, timezone: string): string | null {
  const { source } = spec;
  if (source.kind !== "table" || !isRepeatable(source.where)) return null;
  const found = lookUp(catalog, source.table);
  if (found === null || found.state.bufferedSince !== null) return null;
  const { created, version } = found.state;
  return hashOf([source, spec.startDate, range, timezone, created, version, found.columns]);
}

function lookUp(
  catalog: Catalog,
  table: Parameters<Catalog["table"]>[0],
): { readonly state: TableState; readonly columns: readonly (readonly [string, string])[] } | null {
  try {
    const state = catalog.state(table);
    if (state === null) return null;
    return { state, columns: [...catalog.table(table).columns].map(([name, { type }]) => [name, type]) };
  } catch (error) {
    // Reading it says what is wrong.
    if (error instanceof Unobservable) return null;
    throw error;
  }
}
