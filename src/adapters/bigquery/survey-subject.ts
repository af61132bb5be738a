import { hashOf } from "../../core/hash.ts";
import type { Day } from "../../core/iso-date.ts";
import type { ProcessorObservation } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import { type EpochMs, localDayAt } from "../../core/wall-clock.ts";
import { failureOf } from "../sql/profile-all.ts";
import { type Catalog, pathOf, pathSql, type TablePath } from "./catalog.ts";
import { type PartitionDates, partitionDates } from "./partition-days.ts";
import type { PartitionsFound } from "./partitions.ts";
import { type ArmContexts, type ProfileSource, shapeOfProfile } from "./profile.ts";
import { readsOf } from "./reads.ts";
import type { Remembered, SeenTable, TableNow } from "./remembered.ts";
import type { Spans } from "./spans.ts";
import type { TableState } from "./table-state.ts";

/** A processor as a survey meets it. */
export type Subject =
  /** It cannot be observed at all. */
  | { readonly kind: "failed"; readonly processor: Processor; readonly observation: ProcessorObservation }
  /** No metadata tells whether what it reads changed: a view, an external table, SQL that reads other tables or the clock. */
  | { readonly kind: "untracked"; readonly processor: Processor }
  | Tracked;

export interface Tracked {
  readonly kind: "tracked";
  readonly processor: Processor;
  /** As in `Remembered`. */
  readonly ground: string;
  /** One for each of its readings. */
  readonly tables: readonly TrackedTable[];
}

interface TrackedTable {
  /** Names the table, however it was written. */
  readonly key: string;
  readonly path: TablePath;
  readonly state: TableState;
  /** Names and types, in their order. */
  readonly columns: readonly (readonly [string, string])[];
  /** Null where its partitions say nothing about the dates. */
  readonly dates: PartitionDates | null;
}

export function subjectOf(
  processor: Processor,
  { api, timezone, processors, schedules }: ProfileSource,
  catalog: Catalog,
  contextOf: ArmContexts,
): Subject {
  let shape = "";
  const failure = failureOf(() => {
    shape = shapeOfProfile(processor, contextOf);
  });
  if (failure !== null) return { kind: "failed", processor, observation: failure };
  const reads = readsOf(processor, processors, schedules);
  const tables: TrackedTable[] = [];
  for (const read of reads.tables) {
    const { table } = read;
    const state = catalog.state(table);
    if (state === null) return { kind: "untracked", processor };
    const path = pathOf(table, api.project);
    const source = catalog.table(table);
    const columns = [...source.columns.values()].map(({ name, type }) => [name, type] as const);
    const dates = partitionDates(state.partitioning, read, source, timezone);
    tables.push({ key: pathSql(path), path, state, columns, dates });
  }
  if (!reads.isWhole) return { kind: "untracked", processor };
  // A column that was renamed is in no partition's metadata, and the statement may well say the same of another one.
  const grounds = tables.map(({ state, columns }) => [state.created, state.partitioning, columns]);
  const ground = hashOf([shape, grounds]);
  return { kind: "tracked", processor, ground, tables };
}

/** The tables whose partitions have to be looked at, since they changed since they were remembered. */
export function tablesToRead(
  { ground, tables }: Tracked,
  before: Remembered | undefined,
): readonly TrackedTable[] {
  const known = before?.ground === ground ? before.tables : [];
  return tables.filter(
    ({ dates, state }, index) => dates !== null && known[index]?.version !== state.version,
  );
}

/** The tables of a subject now, or the first look at partitions that came to nothing. */
export function tablesNow(
  { ground, tables }: Tracked,
  before: Remembered | undefined,
  found: ReadonlyMap<string, PartitionsFound>,
): readonly TableNow[] | Exclude<PartitionsFound, { kind: "read" | "refused" }> {
  const known = before?.ground === ground ? before.tables : [];
  const now: TableNow[] = [];
  for (const [index, { key, state, dates }] of tables.entries()) {
    const { version, expirationMs } = state;
    const rest = { version, dates, expirationMs, isBuffered: state.bufferedSince !== null };
    const look = found.get(key);
    const old = known[index];
    // What is remembered of a version is complete, even where another processor had its partitions read.
    if (old?.version === state.version) now.push({ ...rest, ...seenOf(old) });
    else if (dates === null || look === undefined || look.kind === "refused")
      now.push({ ...rest, stamps: null, isAhead: false });
    else if (look.kind === "read")
      now.push({ ...rest, stamps: look.stamps, isAhead: look.modifiedMs > state.modifiedMs });
    else return look;
  }
  return now;
}

function seenOf({ stamps, isAhead }: SeenTable): Pick<SeenTable, "stamps" | "isAhead"> {
  return { stamps, isAhead };
}

/** At the least, the days that rows in a streaming buffer are taken to be of. */
const bufferedDays = 2;

/**
 * The days that may change without any metadata telling: those since the oldest row in a streaming buffer arrived, and some
 * before. Rows that are streamed for older dates are seen once they are in their partition.
 */
export function unsettledDays({ tables }: Tracked, timezone: string, now: EpochMs, lastDay: Day): Spans {
  const since = tables.flatMap(({ state }) => state.bufferedSince ?? []);
  if (since.length === 0) return [];
  const arrived = localDayAt(Math.min(...since), timezone);
  const recent = Math.min(localDayAt(now, timezone), lastDay) - bufferedDays;
  return [{ from: Math.min(arrived, recent), to: Number.POSITIVE_INFINITY }];
}
