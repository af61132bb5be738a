import { ReconcilerError } from "../errors.ts";
import { calendarDates, occursOn } from "./calendar.ts";
import { type Day, toDay } from "./iso-date.ts";
import { type ScheduleObservation, type ScheduleStrays, scheduleYears } from "./observation.ts";
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
  /** The last day that the schedule may have; null has no end. */
  readonly endDay: Day | null;
  /** The first scheduled day after a day, beyond the axis too where it can be worked out; null where none is known. */
  readonly nextAfter: (day: Day) => Day | null;
  /** Whether the schedule has a day; what the axis does not hold is asked of the calendar, and of a table taken for so. */
  readonly isOn: (day: Day) => boolean;
  /**
   * The last scheduled day that is not after `day`; -Infinity without one. Where the schedule is not known so far ahead,
   * `day` itself: it may have that date.
   */
  readonly lastUpTo: (day: Day) => Day;
}

/** The season that a day belongs to, scheduled or not: that of the last scheduled date up to it, or else of the first. */
export function seasonAt({ season, positions, rank }: DenseSchedule, position: number): number {
  const upTo = rank[position + 1] ?? 0;
  return season[positions[Math.max(0, upTo - 1)] ?? -1] ?? -1;
}

/** The source of a schedule's exceptions as a schedule, to be read like one; null where there is nothing to read. */
export function exceptionsSpec({ name, except }: ScheduleSpec): ScheduleSpec | null {
  if (except === null || except.kind === "dates") return null;
  return {
    name: exceptionsName(name),
    source: except.source,
    startDate: null,
    endDate: null,
    except: null,
    maxGapDays: null,
  };
}

/** What the warehouse is asked for of the schedules: those that it stores, and the exceptions that it stores. */
export function storedSchedules(schedules: readonly ScheduleSpec[]): readonly ScheduleSpec[] {
  return schedules.flatMap((spec) => {
    const exceptions = exceptionsSpec(spec);
    const own = spec.source.kind === "calendar" ? [] : [spec];
    return exceptions === null ? own : [...own, exceptions];
  });
}

/** No name of a schedule has a blank. */
function exceptionsName(schedule: string): string {
  return `${schedule} except`;
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
    const end = spec.endDate === null ? last : Math.min(last, toDay(spec.endDate));
    const whole =
      source.kind === "calendar"
        ? calendarDates(source, start ?? last, end)
        : clip(observed.get(spec.name), start, end);
    const except = exceptDays(spec, observed);
    const found = whole === null || except.size === 0 ? whole : keep(whole, (day) => !except.has(day));
    if (found === null || found.days.length === 0) {
      throw new ReconcilerError("schedule_empty", `schedule "${spec.name}" has no date up to now`, {
        hint: emptyHint(observed.get(spec.name)?.strays),
      });
    }
    all.set(spec.name, found);
  }
  return all;
}

function emptyHint(strays: ScheduleStrays | undefined): string {
  const rows = strays === undefined ? "" : `; ${scheduleStraysText(strays)}`;
  return `check its table, its where and its start_date${rows}; without a schedule nothing is expected, so nothing can be missing`;
}

/** `2 rows have no date and 1 row is dated before 1900 or after 2200`: rows that are no dates of a schedule. */
export function scheduleStraysText({ withoutDate, outOfRange }: ScheduleStrays): string {
  const years = [scheduleYears.start, scheduleYears.end].map((date) => date.slice(0, "YYYY".length));
  const part = (rows: number, one: string, many: string) =>
    rows === 0 ? [] : [rows === 1 ? `1 row ${one}` : `${rows} rows ${many}`];
  const dated = `dated before ${years.join(" or after ")}`;
  return [
    ...part(withoutDate, "has no date", "have no date"),
    ...part(outOfRange, `is ${dated}`, `are ${dated}`),
  ].join(" and ");
}

/** From the first scheduled day of any schedule to `last`, both included. */
export function axisOf(
  schedules: ReadonlyMap<string, ScheduleObservation>,
  last: Day,
  from: Day = Infinity,
): Axis {
  let first = Math.min(last, from);
  for (const { days } of schedules.values()) first = Math.min(first, days[0] ?? last);
  return { first, length: last - first + 1 };
}

/** In the order of `pipeline.schedules`. */
export function denseSchedules(
  pipeline: Pick<Pipeline, "schedules">,
  schedules: ReadonlyMap<string, ScheduleObservation>,
  axis: Axis,
  observed: ReadonlyMap<string, ScheduleObservation> = schedules,
): ReadonlyMap<string, DenseSchedule> {
  const dense = new Map<string, DenseSchedule>();
  for (const spec of pipeline.schedules) {
    const found = schedules.get(spec.name);
    if (found === undefined)
      throw new ReconcilerError("internal", `schedule "${spec.name}" was not observed`);
    dense.set(spec.name, spread(spec, found, axis, exceptDays(spec, observed)));
  }
  return dense;
}

function spread(
  spec: ScheduleSpec,
  found: ScheduleObservation,
  axis: Axis,
  except: ReadonlySet<Day>,
): DenseSchedule {
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
    name: spec.name,
    scheduled,
    units,
    season,
    seasons: found.seasons,
    positions: Int32Array.from(positions),
    rank,
    ...ahead(spec, axis, positions, rank, except),
  };
}

/** No calendar goes longer than a leap year and its exceptions without a date; nothing is searched for longer. */
const searchDaysMax = 3_660;

/** What a schedule has beyond the axis: a calendar is known for ever, a table up to the axis' end, or whole once it has ended. */
function ahead(
  { source, endDate }: ScheduleSpec,
  axis: Axis,
  positions: readonly number[],
  rank: Int32Array,
  except: ReadonlySet<Day>,
): Pick<DenseSchedule, "endDay" | "nextAfter" | "isOn" | "lastUpTo"> {
  const endDay = endDate === null ? null : toDay(endDate);
  const axisEnd = axis.first + axis.length - 1;
  const occurs =
    source.kind === "calendar" ? (day: Day) => occursOn(source, day) && !except.has(day) : () => false;
  const isKnownTo = (day: Day) =>
    source.kind === "calendar" || day <= axisEnd || (endDay !== null && endDay <= axisEnd);
  const onAxis = (day: Day) => (rank[day - axis.first + 1] ?? 0) > (rank[day - axis.first] ?? 0);
  const isOn = (day: Day) => {
    if (day <= axisEnd) return day >= axis.first && onAxis(day);
    return isKnownTo(day) ? occurs(day) && (endDay === null || day <= endDay) : true;
  };
  return {
    endDay,
    isOn,
    nextAfter: (day) => {
      const next = day < axisEnd ? positions[rank[Math.max(0, day - axis.first + 1)] ?? 0] : undefined;
      if (next !== undefined) return axis.first + next;
      // A period that has begun ends when the calendar says so, though the schedule has no further date.
      if (source.kind !== "calendar") return null;
      const from = Math.max(day, endDay === null ? axisEnd : Math.min(axisEnd, endDay)) + 1;
      for (let at = from; at < from + searchDaysMax; at++) if (occurs(at)) return at;
      return null;
    },
    lastUpTo: (day) => {
      if (day > axisEnd) {
        if (!Number.isFinite(day) || !isKnownTo(day)) return endDay === null ? day : Math.min(day, endDay);
        for (let at = endDay === null ? day : Math.min(day, endDay); at > axisEnd; at--)
          if (occurs(at)) return at;
      }
      const known = rank[Math.min(day, axisEnd) - axis.first + 1] ?? 0;
      const position = known === 0 ? undefined : positions[known - 1];
      return position === undefined ? -Infinity : axis.first + position;
    },
  };
}

/** The days that a schedule leaves out. */
function exceptDays(
  { name, except }: ScheduleSpec,
  observed: ReadonlyMap<string, ScheduleObservation>,
): ReadonlySet<Day> {
  if (except === null) return new Set();
  if (except.kind === "dates") return new Set(except.dates.map(toDay));
  return new Set(observed.get(exceptionsName(name))?.days ?? []);
}

function clip(
  found: ScheduleObservation | undefined,
  start: Day | null,
  last: Day,
): ScheduleObservation | null {
  if (found === undefined) return null;
  const [from, to] = [toDay(scheduleYears.start), Math.min(last, toDay(scheduleYears.end))];
  return keep(found, (day) => day >= Math.max(from, start ?? from) && day <= to);
}

function keep(found: ScheduleObservation, isKept: (day: Day) => boolean): ScheduleObservation {
  const kept = [...found.days.keys()].filter((entry) => isKept(found.days[entry] ?? 0));
  return {
    days: Int32Array.from(kept, (entry) => found.days[entry] ?? 0),
    units: Float64Array.from(kept, (entry) => found.units[entry] ?? 0),
    season: Int32Array.from(kept, (entry) => found.season[entry] ?? 0),
    seasons: found.seasons,
  };
}
