import { type Day, toDay } from "../../core/iso-date.ts";
import {
  noDay,
  type ScheduleObservation,
  type ScheduleStrays,
  scheduleYears,
} from "../../core/observation.ts";
import { type ScheduleSource, type ScheduleSpec, tableText } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { ResultColumns } from "./columns.ts";
import { Unobservable } from "./source.ts";

/** A schedule that the warehouse answers for. */
export type StoredSchedule = Exclude<ScheduleSource, { readonly kind: "calendar" }>;

/** @param found the season names and first days, @param dates the days, units, season names and rows, as sql/<dialect>/ reads them */
export function scheduleObservation(found: ResultColumns, dates: ResultColumns): ScheduleObservation {
  const starts = found.integers(1);
  const seasons = found.strings(0).map((name, index) => ({
    name: name ?? "",
    startDay: (starts[index] ?? 0) satisfies Day,
  }));
  const { regular, strays } = partRows(dates);
  const indexes = new Map(seasons.map(({ name }, index) => [name, index]));
  const [days, units, names] = [dates.integers(0), dates.numbers(1), dates.strings(2)];
  return {
    days: Int32Array.from(regular, (row) => days[row] ?? 0),
    units: Float64Array.from(regular, (row) => units[row] ?? Number.NaN),
    season: Int32Array.from(regular, (row) => indexes.get(names[row] ?? "") ?? 0),
    seasons,
    ...(strays === null ? {} : { strays }),
  };
}

/** The rows of the result that are dates of a schedule, ascending, and a count of those that are none. */
function partRows(dates: ResultColumns): {
  readonly regular: readonly number[];
  readonly strays: ScheduleStrays | null;
} {
  const [days, counts] = [dates.integers(0), dates.numbers(3)];
  const [first, last] = [toDay(scheduleYears.start), toDay(scheduleYears.end)];
  const regular: number[] = [];
  let [withoutDate, outOfRange] = [0, 0];
  for (const [row, day] of days.entries()) {
    if (day === noDay) withoutDate += counts[row] ?? 0;
    else if (day < first || day > last) outOfRange += counts[row] ?? 0;
    else regular.push(row);
  }
  return { regular, strays: withoutDate + outOfRange > 0 ? { withoutDate, outOfRange } : null };
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
