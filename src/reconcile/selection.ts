import { positionsOf } from "../core/assessment.ts";
import { type Day, fromDay, type IsoDate, toDay } from "../core/iso-date.ts";
import type { RepairEnd } from "../core/ledger-records.ts";
import type { Axis } from "../core/schedule.ts";
import { ReconcilerError } from "../errors.ts";

/** What a person asked to be looked at. */
export interface SelectionSpec {
  /** Null selects every processor. */
  readonly processors: readonly string[] | null;
  readonly startDate: IsoDate | null;
  /** Included, as the start is. */
  readonly endDate: IsoDate | null;
}

/** Every processor on every date up to today. */
export const everything: SelectionSpec = { processors: null, startDate: null, endDate: null };

/** All that a look for the selection sees: every processor up to today, and later dates where it asks for them. */
export function allSeenFor({ endDate }: SelectionSpec, today: Day): SelectionSpec {
  return { ...everything, endDate: endDate !== null && toDay(endDate) > today ? endDate : null };
}

/** Whether a cell is one of those. */
export function selects(
  { processors, startDate, endDate }: SelectionSpec,
  name: string,
  date: IsoDate,
): boolean {
  if (processors !== null && !processors.includes(name)) return false;
  return (startDate === null || date >= startDate) && (endDate === null || date <= endDate);
}

/** Whether a run was about one of those, whatever came of it. */
export function selectsAny(
  selection: SelectionSpec,
  { processors, dates }: Pick<RepairEnd, "processors" | "dates">,
): boolean {
  return processors.some((processor) => dates.some((date) => selects(selection, processor, date)));
}

/**
 * The selected dates as positions on the axis, both ends included.
 * @throws ReconcilerError `usage` where there is none: a verdict on no date at all would be "converged", which a slip in the year
 * must not be
 */
export function selectedPositions(
  { startDate, endDate }: SelectionSpec,
  axis: Axis,
): ReturnType<typeof positionsOf> {
  const range = positionsOf(axis, startDate, endDate);
  if (range.from <= range.to) return range;
  if (endDate !== null && toDay(endDate) < axis.first) {
    throw new ReconcilerError(
      "usage",
      `${endDate} is before the first scheduled date, ${fromDay(axis.first)}`,
      { hint: "give a later date, or let the schedule begin earlier (its start_date)" },
    );
  }
  const last = fromDay(axis.first + axis.length - 1);
  throw new ReconcilerError("usage", `${startDate} is after ${last}, the last date that is looked at`, {
    hint: "to look ahead, give the last date too",
  });
}
