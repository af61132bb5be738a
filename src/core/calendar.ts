import { assertNever } from "../errors.ts";
import { civilOf, type Day, weekdayOf } from "./iso-date.ts";
import type { ScheduleObservation } from "./observation.ts";
import type { ScheduleSpec } from "./pipeline.ts";

type Calendar = Extract<ScheduleSpec["source"], { kind: "calendar" }>;

/** The dates of a built-in calendar from `first` to `last`, both included; one unit each, one season. */
export function calendarDates(calendar: Calendar, first: Day, last: Day): ScheduleObservation {
  const days: number[] = [];
  for (let day = first; day <= last; day++) {
    if (occursOn(calendar, day)) days.push(day);
  }
  return {
    days: Int32Array.from(days),
    units: new Float64Array(days.length).fill(1),
    season: new Int32Array(days.length),
    seasons: [{ name: "", startDay: first }],
  };
}

/** Whether a day is one of the calendar's, whatever its first and last date are. */
export function occursOn(calendar: Calendar, day: Day): boolean {
  switch (calendar.every) {
    case "day":
      return true;
    case "weekday":
      return weekdayOf(day) <= 5;
    case "week":
      return weekdayOf(day) === calendar.weekday;
    case "month":
      return isPeriodDay(calendar.day, day, 1);
    case "quarter":
      return isPeriodDay(calendar.day, day, 3);
    case "year":
      return isPeriodDay(calendar.day, day, 12);
    default:
      return assertNever(calendar.every, "calendar");
  }
}

/** Whether a day is the first, or the last, of a period of so many months; periods are counted from January. */
function isPeriodDay(which: Calendar["day"], day: Day, months: number): boolean {
  // The last day of a period is the one before the first of the next.
  const { day: dayOfMonth, month } = civilOf(which === "first" ? day : day + 1);
  return dayOfMonth === 1 && (month - 1) % months === 0;
}
