import type {
  Baseline,
  CellAttempt,
  Decision,
  GapEvent,
  LedgerRecords,
  RepairStart,
  RunTimes,
} from "../../core/ledger-records.ts";
import { attemptsKept } from "../../core/retry-policy.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import type { AttemptRecord, CellName, LedgerActivity } from "../../reconcile/ports.ts";
import type { EndBody, RecordedCycle, RecordedEnd } from "./ledger-bodies.ts";

/** All that a ledger holds, each list in the order in which it was recorded. */
export interface LedgerContents {
  readonly starts: readonly RepairStart[];
  readonly ends: readonly RecordedEnd[];
  readonly cycles: readonly RecordedCycle[];
  readonly decisions: readonly Decision[];
}

const dayMs = 86_400_000;
const eventsPerCell = 10;
const endsPerRepair = 200;
const historyMax = 100;
const activityMax = 10_000;

/** What a cycle reads of the ledger, each list within the bounds that `LedgerRecords` names. */
export function foldRecords(contents: LedgerContents, now: EpochMs): LedgerRecords {
  const { starts, ends, cycles } = contents;
  const [dayAgo, weekAgo] = [now - dayMs, now - 7 * dayMs];
  const ended = new Set(ends.map(({ end }) => end.repairId));
  const attempts = ends.flatMap((recorded) => recorded.attempts).toSorted(endOrder);
  const recentEnds = inOrder(
    ends.map(({ end }) => end).filter((end) => end.endedAt >= weekAgo),
    (end) => end.endedAt,
  );
  return {
    unfinished: starts.filter((start) => !ended.has(start.repairId)).toSorted(startOrder),
    attempts: lastOfEach(attempts, cellKey, attemptsKept),
    recentEnds: withSubjects(
      starts,
      lastOfEach(recentEnds, (end) => end.repair, endsPerRepair).map(withoutLog),
    ),
    gapEvents: lastOfEach(eventsOf(contents), cellKey, eventsPerCell),
    baselines: lastBaselines(cycles, dayAgo),
    decisions: decisionsOf(contents),
    lastToken: starts.reduce((last, start) => Math.max(last, start.token), 0),
    startsLast24h: starts.filter((start) => start.startedAt >= dayAgo).length,
    scanBytesLast24h: cycles
      .filter(({ cycle }) => cycle.finishedAt >= dayAgo)
      .reduce((sum, { cycle }) => sum + cycle.scanBytes, 0),
    runTimes: runTimesOf(ends),
  };
}

/** Every decision, oldest first. */
export function decisionsOf({ decisions }: LedgerContents): readonly Decision[] {
  return inOrder(decisions, (decision) => decision.at);
}

/** The last attempts of one cell with the log of each, oldest first. */
export function historyOf({ starts, ends }: LedgerContents, wanted: CellName): readonly AttemptRecord[] {
  const found: { readonly end: EndBody; readonly attempt: CellAttempt }[] = [];
  // One cell of the ends of years, in the event loop of a daemon that somebody watches.
  for (const { end, attempts } of ends) {
    for (const attempt of attempts) {
      if (attempt.date === wanted.date && attempt.processor === wanted.processor)
        found.push({ end, attempt });
    }
  }
  const last = found.toSorted((a, b) => endOrder(a.attempt, b.attempt)).slice(-historyMax);
  const startOf = startsOf(
    starts,
    last.map(({ end }) => end),
  );
  return last.map(({ end, attempt }) => {
    const start = startOf.get(end.repairId);
    return {
      ...attempt,
      attempt: end.attempt,
      token: start?.token ?? 0,
      worker: start?.worker ?? "",
      errorCode: end.errorCode,
      message: end.message,
      logTail: end.logTail,
      dates: start?.dates ?? [attempt.date],
    };
  });
}

/** What happened since an instant, which is included, oldest first. */
export function activitySince(contents: LedgerContents, since: EpochMs): LedgerActivity {
  const last = <T>(items: readonly T[], at: (item: T) => EpochMs): readonly T[] =>
    inOrder(
      items.filter((item) => at(item) >= since),
      at,
    ).slice(-activityMax);
  const cycles = contents.cycles.map(({ cycle }) => cycle);
  const ends = contents.ends.map(({ end }) => end);
  return {
    gapEvents: last(eventsOf(contents), (event) => event.at),
    ends: withSubjects(
      contents.starts,
      last(ends, (end) => end.endedAt),
    ),
    decisions: last(contents.decisions, (decision) => decision.at),
    cycles: last(cycles, (cycle) => cycle.finishedAt),
  };
}

function eventsOf({ cycles }: LedgerContents): readonly GapEvent[] {
  return inOrder(
    cycles.flatMap(({ events }) => events),
    (event) => event.at,
  );
}

function withoutLog({
  cells: _cells,
  logTail: _logTail,
  ...end
}: EndBody): Omit<EndBody, "cells" | "logTail"> {
  return end;
}

/** The ends with what their runs were to fill, which is in their starts; nothing where that is not on record. */
function withSubjects<T extends Pick<EndBody, "repairId">>(
  starts: readonly RepairStart[],
  ends: readonly T[],
): readonly (T & Pick<RepairStart, "processors" | "dates">)[] {
  const startOf = startsOf(starts, ends);
  return ends.map((end) => {
    const { processors = [], dates = [] } = startOf.get(end.repairId) ?? {};
    return { ...end, processors, dates };
  });
}

function startsOf(
  starts: readonly RepairStart[],
  ends: readonly Pick<EndBody, "repairId">[],
): ReadonlyMap<string, RepairStart> {
  const wanted = new Set(ends.map(({ repairId }) => repairId));
  return new Map(
    starts.filter(({ repairId }) => wanted.has(repairId)).map((start) => [start.repairId, start]),
  );
}

/** Of each the last one, and the last one up to an instant, which is included, or else the first one. */
function lastBaselines(cycles: readonly RecordedCycle[], until: EpochMs): readonly Baseline[] {
  const all = inOrder(
    cycles.flatMap(({ baselines }) => baselines),
    (baseline) => baseline.at,
  );
  const keyOf = ({ subject, name, hash }: Baseline) => JSON.stringify([subject, name, hash]);
  const old = all.filter((baseline) => baseline.at <= until);
  const hasOld = new Set(old.map(keyOf));
  const young = all.filter((baseline) => !hasOld.has(keyOf(baseline)));
  const firsts = lastOfEach(young.toReversed(), keyOf, 1);
  const kept = new Set([...lastOfEach(all, keyOf, 1), ...lastOfEach(old, keyOf, 1), ...firsts]);
  return all.filter((baseline) => kept.has(baseline));
}

/** From the runs that repaired a cell at least. */
function runTimesOf(ends: readonly RecordedEnd[]): readonly RunTimes[] {
  const sums = new Map<string, { runs: number; seconds: number; dates: number }>();
  for (const { end } of ends) {
    const { repair, startedAt, endedAt, cells } = end;
    if (!cells.some((cell) => cell.outcome === "repaired")) continue;
    const sum = sums.get(repair) ?? { runs: 0, seconds: 0, dates: 0 };
    sum.runs += 1;
    sum.seconds += (endedAt - startedAt) / 1000;
    sum.dates += cells.reduce((most, cell) => Math.max(most, cell.batchDates), 1);
    sums.set(repair, sum);
  }
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([repair, { runs, seconds, dates }]) => ({
      repair,
      runs,
      meanSeconds: seconds / runs,
      meanSecondsPerDate: seconds / dates,
    }));
}

function cellKey({ processor, date }: CellName): string {
  return `${date} ${processor}`;
}

function endOrder(a: CellAttempt, b: CellAttempt): number {
  return a.endedAt - b.endedAt || a.startedAt - b.startedAt;
}

function startOrder(a: RepairStart, b: RepairStart): number {
  return a.startedAt - b.startedAt || (a.repairId < b.repairId ? -1 : 1);
}

/** What happened at once stays in the order in which it was recorded. */
function inOrder<T>(items: readonly T[], instantOf: (item: T) => EpochMs): readonly T[] {
  return items.toSorted((a, b) => instantOf(a) - instantOf(b));
}

/** The last of each key, all in the order that they have. */
function lastOfEach<T>(items: readonly T[], keyOf: (item: T) => string, max: number): readonly T[] {
  const counts = new Map<string, number>();
  return items
    .toReversed()
    .filter((item) => {
      const key = keyOf(item);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count <= max;
    })
    .toReversed();
}
