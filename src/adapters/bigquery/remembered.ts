import type { Day } from "../../core/iso-date.ts";
import type { Profile } from "../../core/observation.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import { afterMoving, type Outside, type OutsideAsk, unknownOutside } from "./outside.ts";
import { daysOfPartitions, type PartitionDates, undatedOf } from "./partition-days.ts";
import { pick } from "../sql/pick.ts";
import { cursorOf, everyDay, intersect, since, type Spans, spansOf, subtract, union } from "./spans.ts";

/** When each partition was last written and how many rows it has, as `<microseconds>/<rows>`, by its id. */
export type Stamps = ReadonlyMap<string, string>;

/** A table as a survey found it, for one of the readings of a profile. */
export interface SeenTable {
  readonly version: string;
  /** Null where the table is known as a whole only. */
  readonly stamps: Stamps | null;
  /** Whether a partition was written after the table was looked at: then the next change of the version may be that one. */
  readonly isAhead: boolean;
}

/** The same now, with what it takes to compare. */
export interface TableNow extends SeenTable {
  /** Null where `stamps` is. */
  readonly dates: PartitionDates | null;
  readonly isBuffered: boolean;
  /** As in `TableState`. */
  readonly expirationMs: number | null;
}

/** What surveys know of one processor; never changed, so that a survey that fails leaves the one before. */
export interface Remembered {
  /** Of the statement that profiles it and of the tables that this reads: another one makes all of this void. */
  readonly ground: string;
  /** In the order of its readings. */
  readonly tables: readonly SeenTable[];
  /** The days for which `profile` says what a query saw since the last change of what it reads. */
  readonly settled: Spans;
  readonly profile: Profile;
  /** What queries counted of the processor's own table outside of the dates of a survey. */
  readonly outside: Outside;
  /** When everything was asked anew for the last time. */
  readonly freshAt: EpochMs;
  /** The days from here on were asked anew since that was due; null where it is not under way. */
  readonly refreshedFrom: Day | null;
}

export function nothingRemembered(ground: string, tables: readonly SeenTable[], now: EpochMs): Remembered {
  return {
    ground,
    tables: tables.map(seen),
    settled: [],
    profile: noProfile,
    outside: unknownOutside,
    freshAt: now,
    refreshedFrom: null,
  };
}

const none = new Float64Array();
export const noProfile: Profile = {
  days: new Int32Array(),
  rows: none,
  entities: none,
  firstWriteMs: none,
  lastWriteMs: none,
  metrics: [],
};

/**
 * What is still known now that the tables are as they are: without the days that a changed partition may hold.
 * @param tables as `before.tables`, reading by reading
 */
export function afterChanges(before: Remembered, tables: readonly TableNow[]): Remembered {
  const moved = tables.map((table, index) => movedDays(before.tables[index], table));
  return {
    ...before,
    tables: tables.map(seen),
    settled: subtract(before.settled, spansOf(moved.flatMap(({ days }) => days))),
    outside: afterMoving(before.outside, moved[0] ?? allMoved),
  };
}

const allMoved: OutsideAsk = { withoutDate: true, days: [everyDay] };
const noneMoved: OutsideAsk = { withoutDate: false, days: [] };

function movedDays(before: SeenTable | undefined, now: TableNow): OutsideAsk {
  if (before?.version === now.version) return noneMoved;
  const isKnown = before !== undefined && before.stamps !== null && now.stamps !== null;
  if (!isKnown || now.dates === null) return allMoved;
  const moved = new Set<string>();
  for (const [id, stamp] of now.stamps ?? []) if (before.stamps.get(id) !== stamp) moved.add(id);
  // A partition whose last row was deleted is in no list any more.
  for (const id of before.stamps.keys()) if (now.stamps?.has(id) !== true) moved.add(id);
  // The table changed and none of its partitions tells where. Rows that arrive in the streaming buffer do that; else it may
  // be anywhere.
  if (moved.size === 0) return now.isBuffered || before.isAhead ? noneMoved : allMoved;
  const { dates } = now;
  const isUndated = [...moved].some((id) => undatedOf(id, dates) !== "none");
  return { withoutDate: isUndated, days: daysOfPartitions(moved, dates) };
}

function seen({ version, stamps, isAhead }: SeenTable): SeenTable {
  return { version, stamps, isAhead };
}

/**
 * What is known once some days were asked.
 * @param unsettled days that may have changed again already, so that they are known for this moment alone
 */
export function afterAsking(before: Remembered, asked: Spans, answer: Profile, unsettled: Spans): Remembered {
  return {
    ...before,
    settled: subtract(union(before.settled, asked), unsettled),
    profile: joinProfiles(within(before.profile, subtract(before.settled, asked)), answer),
  };
}

/** The profile of some days of a profile. */
export function within(profile: Profile, days: Spans): Profile {
  const isIn = cursorOf(days);
  const kept: number[] = [];
  for (const [entry, day] of profile.days.entries()) if (isIn(day)) kept.push(entry);
  return kept.length === profile.days.length ? profile : pick(profile, kept);
}

/** Of two profiles without a day in common. */
export function joinProfiles(one: Profile, other: Profile): Profile {
  if (one.days.length === 0) return other;
  if (other.days.length === 0) return one;
  const join = (left: Float64Array, right: Float64Array | undefined) =>
    Float64Array.from([...left, ...(right ?? [])]);
  const all: Profile = {
    days: Int32Array.from([...one.days, ...other.days]),
    rows: join(one.rows, other.rows),
    entities: join(one.entities, other.entities),
    firstWriteMs: join(one.firstWriteMs, other.firstWriteMs),
    lastWriteMs: join(one.lastWriteMs, other.lastWriteMs),
    metrics: one.metrics.map((column, index) => join(column, other.metrics[index])),
  };
  const order = [...all.days.keys()].toSorted((a, b) => (all.days[a] ?? 0) - (all.days[b] ?? 0));
  return pick(all, order);
}

/** The days whose turn it is to be asked anew though nothing changed; newest first, as the budget allows. */
export function toRefresh({ settled, refreshedFrom }: Remembered, range: Spans): Spans {
  const known = intersect(range, settled);
  if (refreshedFrom === null) return known;
  return subtract(known, since([everyDay], refreshedFrom));
}

/** Notes which of the days of `toRefresh` were asked anew; none is left of them when all were. */
export function afterRefreshing(before: Remembered, asked: Spans, range: Spans, now: EpochMs): Remembered {
  const last = subtract(toRefresh(before, range), asked).at(-1);
  return last === undefined
    ? { ...before, freshAt: now, refreshedFrom: null }
    : { ...before, refreshedFrom: last.to + 1 };
}
