import { ReconcilerError } from "../errors.ts";
import { calendarDates } from "./calendar.ts";
import { type Day, toDay } from "./iso-date.ts";
import type { ScheduleObservation } from "./observation.ts";
import type { Pipeline, ScheduleSpec } from "./pipeline.ts";

/** The calendar days of a grid; position `i` is day `first + i`. */
export interface Axis {
  readonly first: Day;
  readonly length: number;
}

/** A schedule spread over the axis, an entry per calendar day. */
export interface DenseSchedule {
  readonly name: string;
  /** 1 where the day is scheduled. */
  readonly scheduled: Uint8Array;
  readonly units: Float64Array;
  /** Index into `seasons`; -1 where the day is not scheduled. */
  readonly season: Int16Array;
  readonly seasons: readonly { readonly name: string; readonly startDay: Day }[];
  /** Positions of the scheduled days, ascending. */
  readonly positions: Int32Array;
  /** How many scheduled days lie before each position; one entry more than the axis. */
  readonly rank: Int32Array;
}

/**
 * The observed schedules with the calendars filled in, for dates up to and with `last`.
 * @throws ReconcilerError `schedule_empty` where a schedule has no date at all: nothing would ever be expected.
 */
export function completeSchedules(
  specs: readonly ScheduleSpec[],
  observed: ReadonlyMap<string, ScheduleObservation>,
  last: Day,
): ReadonlyMap<string, ScheduleObservation> {
  const all = new Map<string, ScheduleObservation>();
  for (const spec of specs) {
    const { source } = spec;
    const start = spec.startDate === null ? null : toDay(spec.startDate);
    const found =
      source.kind === "calendar"
        ? calendarDates(source, start ?? last, last)
        : clip(observed.get(spec.name), start, last);
    if (found === null || found.days.length === 0) {
      throw new ReconcilerError("schedule_empty", `schedule "${spec.name}" has no date up to now`, {
        hint: "check its table, its where and its start_date; without a schedule nothing is expected, so nothing can be missing",
      });
    }
    all.set(spec.name, found);
  }
  return all;
}

/** From the first scheduled day of any schedule to `last`, both included. */
export function axisOf(schedules: ReadonlyMap<string, ScheduleObservation>, last: Day): Axis {
  let first = last;
  for (const { days } of schedules.values()) first = Math.min(first, days[0] ?? last);
  return { first, length: last - first + 1 };
}

/** In the order of `pipeline.schedules`. */
export function denseSchedules(
  pipeline: Pick<Pipeline, "schedules">,
  schedules: ReadonlyMap<string, ScheduleObservation>,
  axis: Axis,
): ReadonlyMap<string, DenseSchedule> {
  const dense = new Map<string, DenseSchedule>();
  for (const spec of pipeline.schedules) {
    const found = schedules.get(spec.name);
    if (found === undefined)
      throw new ReconcilerError("internal", `schedule "${spec.name}" was not observed`);
    dense.set(spec.name, spread(spec.name, found, axis));
  }
  return dense;
}

function spread(name: string, found: ScheduleObservation, axis: Axis): DenseSchedule {
  const scheduled = new Uint8Array(axis.length);
  const units = new Float64Array(axis.length);
  const season = new Int16Array(axis.length).fill(-1);
  const positions: number[] = [];
  found.days.forEach((day, entry) => {
    const position = day - axis.first;
    if (position < 0 || position >= axis.length) return;
    scheduled[position] = 1;
    units[position] = found.units[entry] ?? 0;
    season[position] = found.season[entry] ?? 0;
    positions.push(position);
  });
  const rank = new Int32Array(axis.length + 1);
  for (let i = 0; i < axis.length; i++) rank[i + 1] = (rank[i] ?? 0) + (scheduled[i] ?? 0);
  return {
    name,
    scheduled,
    units,
    season,
    seasons: found.seasons,
    positions: Int32Array.from(positions),
    rank,
  };
}

function clip(
  found: ScheduleObservation | undefined,
  start: Day | null,
  last: Day,
): ScheduleObservation | null {
  if (found === undefined) return null;
  const kept = [...found.days.keys()].filter((entry) => {
    const day = found.days[entry] ?? 0;
    return day <= last && (start === null || day >= start);
  });
  return {
    days: Int32Array.from(kept, (entry) => found.days[entry] ?? 0),
    units: Float64Array.from(kept, (entry) => found.units[entry] ?? 0),
    season: Int32Array.from(kept, (entry) => found.season[entry] ?? 0),
    seasons: found.seasons,
  };
}
