import { type Day, fromDay, toDay, tryParseIsoDate } from "./iso-date.ts";

/** Runs of consecutive dates as text, `2024-01-01..2024-01-03,2024-01-05`; both ends included. Days ascend. */
export function formatDateRuns(days: Iterable<Day>): string {
  const runs: string[] = [];
  let start: Day | null = null;
  let end: Day = 0;
  const close = () => {
    if (start !== null) runs.push(start === end ? fromDay(start) : `${fromDay(start)}..${fromDay(end)}`);
  };
  for (const day of days) {
    if (start === null || day !== end + 1) {
      close();
      start = day;
    }
    end = day;
  }
  close();
  return runs.join(",");
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
