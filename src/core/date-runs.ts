import { type Day, fromDay, toDay, tryParseIsoDate } from "./iso-date.ts";

/** Runs of consecutive dates as text, `2024-01-01..2024-01-03,2024-01-05`; both ends included. Days ascend. */
export function formatDateRuns(days: Iterable<Day>): string {
  return runsOf(days)
    .map(({ start, end }) => (start === end ? fromDay(start) : `${fromDay(start)}..${fromDay(end)}`))
    .join(",");
}

const runsMax = 8;

/** The same for a person: `2024-01-01 to 2024-01-03, 2024-01-05`, with the number of dates that are left out. */
export function datesText(days: readonly Day[]): string {
  const runs = runsOf(days);
  const shown = runs.length > runsMax ? runs.slice(0, runsMax - 1) : runs;
  const texts = shown.map(({ start, end }) =>
    start === end ? fromDay(start) : `${fromDay(start)} to ${fromDay(end)}`,
  );
  const left = days.length - shown.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  return left === 0 ? texts.join(", ") : `${texts.join(", ")} and ${left} more dates`;
}

interface DateRun {
  readonly start: Day;
  /** Included. */
  readonly end: Day;
}

function runsOf(days: Iterable<Day>): readonly DateRun[] {
  const runs: DateRun[] = [];
  for (const day of days) {
    const last = runs.at(-1);
    if (last !== undefined && day === last.end + 1) runs[runs.length - 1] = { start: last.start, end: day };
    else runs.push({ start: day, end: day });
  }
  return runs;
}

/** The inverse of `formatDateRuns`; what is no run of dates is passed over. */
export function parseDateRuns(text: string): Set<Day> {
  const days = new Set<Day>();
  for (const run of text.split(",")) {
    const [first, last] = run.split("..");
    const start = tryParseIsoDate(first ?? "");
    const end = tryParseIsoDate(last ?? first ?? "");
    if (start === null || end === null) continue;
    for (let day = toDay(start); day <= toDay(end); day++) days.add(day);
  }
  return days;
}
