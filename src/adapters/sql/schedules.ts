import type { Day } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import { type ScheduleSource, type ScheduleSpec, tableText } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { Unobservable } from "./source.ts";

/** A schedule that the warehouse answers for. */
export type StoredSchedule = Exclude<ScheduleSource, { readonly kind: "calendar" }>;

/** What sql/<dialect>/read-seasons.sql and read-schedule.sql return, by column. */
export interface ScheduleColumns {
  readonly seasonNames: readonly (string | null)[];
  readonly seasonStarts: Int32Array;
  readonly days: Int32Array;
  readonly units: Float64Array;
  /** The season's name of each day. */
  readonly seasons: readonly (string | null)[];
}

export function scheduleObservation(columns: ScheduleColumns): ScheduleObservation {
  const seasons = columns.seasonNames.map((name, index) => ({
    name: name ?? "",
    startDay: (columns.seasonStarts[index] ?? 0) satisfies Day,
  }));
  const indexes = new Map(seasons.map(({ name }, index) => [name, index]));
  const season = Int32Array.from(columns.seasons, (name) => indexes.get(name ?? "") ?? 0);
  return { days: columns.days, units: columns.units, season, seasons };
}

/** @throws ReconcilerError `schedule_failed`, or `interrupted` when called off. */
export function scheduleFailed(
  spec: ScheduleSpec,
  stored: StoredSchedule,
  warehouse: string,
  cause: unknown,
): ReconcilerError {
  if (cause instanceof ReconcilerError && cause.code === "interrupted") return cause;
  const where = stored.kind === "table" ? tableText(stored.table) : stored.file;
  const missing = cause instanceof Unobservable && cause.code === "not_found";
  return new ReconcilerError(
    "schedule_failed",
    `the schedule ${spec.name} could not be read from ${where}: ${messageOf(cause)}`,
    {
      path: `schedules.${spec.name}`,
      cause,
      hint: missing
        ? `correct the names in schedules.${spec.name}, or create what is missing`
        : `run the query of schedules.${spec.name} in ${warehouse} by itself; without the schedule nothing is expected, so that no verdict is given`,
    },
  );
}

/** A query whose columns are asked for cannot wait for values. */
export function refuseParameters(names: readonly string[], label: string): void {
  if (names.length === 0) return;
  const found = names.map((name) => `$${name}`).join(", ");
  throw new Unobservable("query_failed", `${label}: expected no parameters, found ${found}`);
}
