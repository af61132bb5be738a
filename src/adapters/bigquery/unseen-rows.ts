import type { ObservationFailure, OutsideRows, Profile } from "../../core/observation.ts";
import { type Processor, tableText } from "../../core/pipeline.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import { unseenRowsMessage } from "./hidden.ts";
import { rowsOfStamp } from "./outside-plan.ts";
import { beginOfPartition, daysOfPartitions, undatedOf } from "./partition-days.ts";
import type { Remembered, TableNow } from "./remembered.ts";
import { cursorOf, type Span, type Spans, spansOf, subtract } from "./spans.ts";

/** What a survey saw of a processor's own table. */
export interface SeenOwn {
  readonly processor: Processor;
  /** Null where no metadata tells of it. */
  readonly own: TableNow | null;
  readonly profile: Profile;
  readonly outside: OutsideRows;
  /** The days of the range that were seen. */
  readonly seen: Spans;
  readonly range: Spans;
  readonly now: EpochMs;
}

/**
 * The days on which metadata counts rows and the profile sees none: something hides them. Only this direction tells anything,
 * as metadata leaves out what has just arrived. Nothing is told of a processor with a `where`, which may leave all rows out, nor
 * of partitions that may have expired since the metadata was written. Rows that are deleted between both readings leave their
 * days unknown until the next survey.
 */
export function daysOfUnseenRows(saw: SeenOwn): Spans {
  const { processor, own, profile, seen, range, now } = saw;
  if (own === null || processor.where !== null) return [];
  if (own.dates === null) return isNothingSeen(saw) && rowsOfStamp(own.version) > 0 ? range : [];
  const { dates, expirationMs } = own;
  const withRows: Span[] = [];
  for (const [entry, day] of profile.days.entries())
    if ((profile.rows[entry] ?? 0) > 0) withRows.push({ from: day, to: day });
  const hasRows = spansOf(withRows);
  const hidden: Span[] = [];
  for (const [id, stamp] of own.stamps ?? []) {
    // Numbers that are no date may be all that such a partition has.
    const isDated = !id.startsWith("__") && undatedOf(id, dates) === "none";
    const days = isDated && rowsOfStamp(stamp) > 0 ? daysOfPartitions([id], dates) : [];
    if (days.length === 0 || subtract(days, seen).length > 0) continue;
    if (expirationMs !== null && beginOfPartition(id) + expirationMs <= now) continue;
    const isSeen = cursorOf(hasRows);
    if (!daysOf(days).some(isSeen)) hidden.push(...days);
  }
  return spansOf(hidden);
}

function isNothingSeen({ profile, outside, seen, range }: SeenOwn): boolean {
  const { withoutDate, before, after } = outside;
  const isAllSeen = subtract(range, seen).length === 0;
  return (
    isAllSeen && withoutDate === 0 && before === 0 && after === 0 && profile.rows.every((rows) => rows === 0)
  );
}

function daysOf(spans: Spans): readonly number[] {
  return spans.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

export function unseenFailure({ table }: Processor): ObservationFailure {
  return { code: "permission", message: unseenRowsMessage(tableText(table)) };
}

/** Days of unseen rows are asked again, and so are the partitions of the table: its metadata may be late. */
export function afterUnseen(remembered: Remembered, days: Spans): Remembered {
  const [own, ...others] = remembered.tables;
  if (own === undefined || days.length === 0) return remembered;
  return {
    ...remembered,
    settled: subtract(remembered.settled, days),
    tables: [{ ...own, version: "", isAhead: true }, ...others],
  };
}
