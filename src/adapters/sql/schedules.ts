import type { Day } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import { type ScheduleSource, type ScheduleSpec, tableText } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { ResultColumns } from "./columns.ts";
import { Unobservable } from "./source.ts";

/** A schedule that the warehouse answers for. */
export type StoredSchedule = Exclude<ScheduleSource, { readonly kind: "calendar" }>;

/** @param found the season names and first days, @param dates the days, units and season names, as sql/<dialect>/ reads them */
export function scheduleObservation(found: ResultColumns, dates: ResultColumns): ScheduleObservation {
  const starts = found.integers(1);
  const seasons = found.strings(0).map((name, index) => ({
    name: name ?? "",
    startDay: (starts[index] ?? 0) satisfies Day,
  }));
  const indexes = new Map(seasons.map(({ name }, index) => [name, index]));
  const season = Int32Array.from(dates.strings(2), (name) => indexes.get(name ?? "") ?? 0);
  return { days: dates.integers(0), units: dates.numbers(1), season, seasons };
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
  const known = cause instanceof ReconcilerError ? cause.hint : null;
  const advice = known ?? `run the query of schedules.${spec.name} in ${warehouse} by itself`;
  return new ReconcilerError(
    "schedule_failed",
    `the schedule ${spec.name} could not be read from ${where}: ${messageOf(cause)}`,
    {
      path: `schedules.${spec.name}`,
      cause,
      hint: missing
        ? `correct the names in schedules.${spec.name}, or create what is missing`
        : `${advice}; without the schedule nothing is expected, so that no verdict is given`,
    },
  );
}

/** A query whose columns are asked for cannot wait for values. */
export function refuseParameters(names: readonly string[], label: string): void {
  if (names.length === 0) return;
  const found = names.map((name) => `$${name}`).join(", ");
  throw new Unobservable("query_failed", `${label}: expected no parameters, found ${found}`);
}
