import type { DateRange, Day } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import { type ScheduleSource, type ScheduleSpec, tableText } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { type Catalog, quoteColumn, querySource, type Source, Unobservable } from "./catalog.ts";
import { boundRange, datedSource } from "./dates.ts";
import { dateParameter, type RunLimits, type Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";

/** A schedule that the warehouse answers for. */
export type StoredSchedule = Exclude<ScheduleSource, { readonly kind: "calendar" }>;

export async function scheduleSource(
  session: Session,
  catalog: Catalog,
  spec: StoredSchedule,
): Promise<Source> {
  if (spec.kind === "table") return catalog.table(spec.table);
  return querySource(session, spec.sql, `the query in ${spec.file}`);
}

/** @throws ReconcilerError `schedule_failed`, or `interrupted` when called off. */
export async function readSchedule(
  session: Session,
  catalog: Catalog,
  spec: ScheduleSpec,
  stored: StoredSchedule,
  range: DateRange,
  timezone: string,
  limits: RunLimits,
): Promise<ScheduleObservation> {
  try {
    const source = await scheduleSource(session, catalog, stored);
    const season =
      stored.seasonColumn === null
        ? "''"
        : `coalesce(${quoteColumn(source, stored.seasonColumn)}::varchar, '')`;
    const units =
      stored.unitColumn === null ? "count(*)" : `count(distinct ${quoteColumn(source, stored.unitColumn)})`;
    const whole = datedSource(source, stored.dateColumn, null, null, timezone);
    const seasons = await session.run(
      loadSql("read-seasons", { season, day: whole.day, source: source.sql, condition: whole.condition }),
      {},
      limits,
    );
    const { day, condition } = datedSource(source, stored.dateColumn, stored.where, boundRange, timezone);
    const start = spec.startDate !== null && spec.startDate > range.start ? spec.startDate : range.start;
    const dates = await session.run(
      loadSql("read-schedule", { day, units, season, source: source.sql, condition }),
      { start_date: dateParameter(start), end_date: dateParameter(range.end) },
      limits,
    );
    return observationOf(
      seasons.strings(0),
      seasons.integers(1),
      dates.integers(0),
      dates.numbers(1),
      dates.strings(2),
    );
  } catch (error) {
    if (error instanceof ReconcilerError && error.code === "interrupted") throw error;
    throw failed(spec, stored, error);
  }
}

function observationOf(
  names: readonly (string | null)[],
  starts: Int32Array,
  days: Int32Array,
  units: Float64Array,
  seasonNames: readonly (string | null)[],
): ScheduleObservation {
  const seasons = names.map((name, index) => ({
    name: name ?? "",
    startDay: (starts[index] ?? 0) satisfies Day,
  }));
  const indexes = new Map(seasons.map(({ name }, index) => [name, index]));
  const season = Int32Array.from(seasonNames, (name) => indexes.get(name ?? "") ?? 0);
  return { days, units, season, seasons };
}

function failed(spec: ScheduleSpec, stored: StoredSchedule, cause: unknown): ReconcilerError {
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
        : `run the query of schedules.${spec.name} in DuckDB by itself; without the schedule nothing is expected, so that no verdict is given`,
    },
  );
}
