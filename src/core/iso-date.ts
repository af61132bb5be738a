import { ReconcilerError } from "../errors.ts";

declare const isoDateBrand: unique symbol;

/** A calendar date `YYYY-MM-DD` that exists, from 0001-01-01 to 9999-12-31. Never an instant. */
export type IsoDate = string & { readonly [isoDateBrand]: true };

/** A calendar date as whole days since 1970-01-01; the form that arithmetic and dense arrays use. */
export type Day = number;

/** A range of calendar dates; both ends are included. */
export interface DateRange {
  readonly start: IsoDate;
  readonly end: IsoDate;
}

const pattern = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The date that the text names, or null where it names none (2023-02-30, 2023-2-3, a time of day). */
export function tryParseIsoDate(text: string): IsoDate | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  return text as IsoDate;
}

/** @throws ReconcilerError `usage` where the text is not a date that exists. */
export function parseIsoDate(text: string): IsoDate {
  const date = tryParseIsoDate(text);
  if (date === null) {
    throw new ReconcilerError("usage", `expected a date as YYYY-MM-DD, found "${text}"`, {
      hint: "write for example 2024-01-31",
    });
  }
  return date;
}

/** Days since 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
export function toDay(date: IsoDate): Day {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8, 10));
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of `toDay`. Source: H. Hinnant, civil_from_days. */
export function fromDay(value: Day): IsoDate {
  const { year, month, day } = civilOf(value);
  return `${String(year).padStart(4, "0")}-${pad(month)}-${pad(day)}` as IsoDate;
}

/** Year, month (1–12) and day of the month (1–31). */
export function civilOf(value: Day): { year: number; month: number; day: number } {
  const shifted = value + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** ISO day of the week, 1 = Monday … 7 = Sunday. */
export function weekdayOf(value: Day): number {
  return ((((value + 3) % 7) + 7) % 7) + 1;
}

export function addDays(date: IsoDate, days: number): IsoDate {
  return fromDay(toDay(date) + days);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
