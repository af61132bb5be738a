import type { StrayRowsDocument, StrayScheduleRowsDocument } from "../core/result-document.ts";
import { scheduleStraysText } from "../core/schedule.ts";
import { counted } from "./numbers.ts";

/** `2 rows without a date`, `1 row dated after today`: what there is of them. */
export function strayTexts(stray: StrayRowsDocument): readonly string[] {
  const kinds = [
    [stray.without_date, "without a date"],
    [stray.after_today, "dated after today"],
    [stray.before_schedule, "dated before the schedule begins"],
  ] as const;
  return kinds.flatMap(([rows, text]) =>
    rows === null || rows === 0 ? [] : `${counted(rows, "row")} ${text}`,
  );
}

/** One sentence for each schedule. */
export function strayScheduleTexts(strays: readonly StrayScheduleRowsDocument[]): readonly string[] {
  return strays.map(({ schedule, without_date: withoutDate, out_of_range: outOfRange }) => {
    const rows = scheduleStraysText({ withoutDate, outOfRange });
    return `${rows}, so the schedule ${schedule} leaves ${withoutDate + outOfRange === 1 ? "it" : "them"} out`;
  });
}
