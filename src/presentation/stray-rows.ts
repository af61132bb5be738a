import type { StrayRowsDocument } from "../core/result-document.ts";
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
