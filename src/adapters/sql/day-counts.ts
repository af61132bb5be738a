import type { Day } from "../../core/iso-date.ts";
import { noDay, type OutsideRows } from "../../core/observation.ts";

/** How many rows a table has on some days; those without a date stand on `noDay`. No order. */
export interface DayCounts {
  readonly days: Int32Array;
  readonly rows: Float64Array;
}

/** Rows outside of a range of days, both ends included. */
export function outsideRows(
  { days, rows }: DayCounts,
  { from, to }: { readonly from: Day; readonly to: Day },
): { readonly [Part in keyof OutsideRows]: number } {
  const found = { withoutDate: 0, before: 0, after: 0 };
  for (const [entry, day] of days.entries()) {
    const count = rows[entry] ?? 0;
    if (day === noDay) found.withoutDate += count;
    else if (day < from) found.before += count;
    else if (day > to) found.after += count;
  }
  return found;
}
