import fc from "fast-check";
import type { IsoDate } from "../../src/core/iso-date.ts";
import type { EdgeWindow, ScheduleSpec } from "../../src/core/pipeline.ts";

type Calendar = Extract<ScheduleSpec["source"], { readonly kind: "calendar" }>;

/** Built-in calendars of every length, dated by their first or last day. */
export const arbitraryCalendar: fc.Arbitrary<Calendar> = fc.record({
  kind: fc.constant("calendar" as const),
  every: fc.constantFrom("day", "weekday", "week", "week", "month", "month", "quarter", "year"),
  weekday: fc.constantFrom(1, 5, 7),
  day: fc.constantFrom("first", "last"),
});

/** Dates that are left out of a schedule, of the given ones. */
export function arbitraryExceptions(dates: fc.Arbitrary<IsoDate>): fc.Arbitrary<ScheduleSpec["except"]> {
  const listed = fc.record({
    kind: fc.constant("dates" as const),
    dates: fc.uniqueArray(dates, { maxLength: 3 }),
  });
  return fc.option(listed, { freq: 1 });
}

const reach = { days: fc.integer({ min: 1, max: 6 }), sameDate: fc.boolean() };
const steps = { dates: fc.integer({ min: 1, max: 4 }), sameDate: fc.boolean() };

/** Edges that read more or other dates than the cell's own, before it and after it. */
export const arbitraryWindow: fc.Arbitrary<EdgeWindow> = fc.oneof(
  fc.record({ kind: fc.constantFrom("days" as const, "days_ahead" as const), ...reach }),
  fc.record({ kind: fc.constantFrom("dates" as const, "dates_ahead" as const), ...steps }),
  fc.record({ kind: fc.constantFrom("since_previous" as const, "until_next" as const) }),
  fc.record({ kind: fc.constant("offset_days" as const), days: fc.constantFrom(-3, -1, 1, 2) }),
  fc.record({ kind: fc.constant("offset_dates" as const), dates: fc.constantFrom(-2, -1, 1, 3) }),
);
