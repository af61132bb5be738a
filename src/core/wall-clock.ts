import { type Day, parseIsoDate, toDay } from "./iso-date.ts";

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

const dayMs = 86_400_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** The calendar date in a time zone at an instant. */
export function localDayAt(instant: EpochMs, timezone: string): Day {
  return Math.floor((instant + offsetAt(instant, timezone)) / dayMs);
}

/** What the clocks of a zone show at an instant, as the milliseconds of the same time in UTC. */
export function wallTimeAt(instant: EpochMs, timezone: string): EpochMs {
  return instant + offsetAt(instant, timezone);
}

/** Minutes since local midnight at an instant, 0–1439. */
export function minuteOfDayAt(instant: EpochMs, timezone: string): number {
  const local = instant + offsetAt(instant, timezone);
  return Math.floor((local - Math.floor(local / dayMs) * dayMs) / 60_000);
}

/**
 * The instant at which the clocks of a zone show `minuteOfDay` on `day`. A wall time that occurs twice means its first
 * occurrence; one that is skipped means the instant by which the clocks were put forward past it.
 */
export function instantOf(day: Day, minuteOfDay: number, timezone: string): EpochMs {
  const wall = day * dayMs + minuteOfDay * 60_000;
  const before = offsetAt(wall - dayMs, timezone);
  const after = offsetAt(wall + dayMs, timezone);
  const early = wall - Math.max(before, after);
  const late = wall - Math.min(before, after);
  return early + offsetAt(early, timezone) === wall ? early : late;
}

/** Minutes of a wall time such as "06:00"; null where it is none. */
export function tryParseTimeOfDay(text: string): number | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match === null ? null : Number(match[1]) * 60 + Number(match[2]);
}

/** UTC with milliseconds dropped where there are none, as in `2024-01-31T06:00:00Z`. */
export function formatInstant(instant: EpochMs): string {
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

/** What the zone's clocks show minus UTC, in milliseconds. */
function offsetAt(instant: EpochMs, timezone: string): number {
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-CA", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formatters.set(timezone, formatter);
  }
  const parts = new Map(formatter.formatToParts(instant).map((part) => [part.type, part.value]));
  const date = parseIsoDate(
    `${parts.get("year")?.padStart(4, "0")}-${parts.get("month")}-${parts.get("day")}`,
  );
  const seconds =
    Number(parts.get("hour")) * 3600 + Number(parts.get("minute")) * 60 + Number(parts.get("second"));
  return toDay(date) * dayMs + seconds * 1000 - Math.floor(instant / 1000) * 1000;
}
