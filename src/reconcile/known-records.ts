import type {
  Baseline,
  CellAttempt,
  CycleRecord,
  GapEvent,
  LedgerRecords,
  RepairEnd,
  RepairStart,
} from "../core/ledger-records.ts";

type RecentEnd = LedgerRecords["recentEnds"][number];

/** Of one repair. A process that stands by hears of every end for weeks, and reads the ledger only when it has to. */
const endsPerRepairMax = 200;

/** The records as reading the ledger again would find them, now that the start is on it. What they hold already stays as it is. */
export function withStart(records: LedgerRecords, start: RepairStart): LedgerRecords {
  const { repairId } = start;
  if (isOnRecord(records.unfinished, repairId) || isOnRecord(records.recentEnds, repairId)) return records;
  return {
    ...records,
    unfinished: [...records.unfinished, start],
    startsLast24h: records.startsLast24h + 1,
  };
}

/** The same for an end. */
export function withEnd(records: LedgerRecords, end: RepairEnd): LedgerRecords {
  const { repairId, startedAt, endedAt } = end;
  const unfinished = records.unfinished.filter((start) => start.repairId !== repairId);
  const isStartKnown = unfinished.length < records.unfinished.length;
  if (isOnRecord(records.recentEnds, repairId)) return isStartKnown ? { ...records, unfinished } : records;
  const attempts = end.cells.map((cell): CellAttempt => ({ ...cell, repairId, startedAt, endedAt }));
  return {
    ...records,
    // One that another process began counts for the day's budget as soon as it is heard of.
    startsLast24h: records.startsLast24h + (isStartKnown ? 0 : 1),
    unfinished,
    attempts: [...records.attempts, ...attempts],
    recentEnds: withRecentEnd(records.recentEnds, end),
  };
}

function withRecentEnd(
  ends: readonly RecentEnd[],
  { cells: _cells, logTail: _logTail, ...end }: RepairEnd,
): readonly RecentEnd[] {
  const isOfSame = ({ repair }: RecentEnd): boolean => repair === end.repair;
  const isFull = ends.filter(isOfSame).length >= endsPerRepairMax;
  const oldest = isFull ? ends.find(isOfSame) : undefined;
  return [...ends.filter((known) => known !== oldest), end];
}

/** The same for what a cycle records. */
export function withCycle(
  records: LedgerRecords,
  { scanBytes }: CycleRecord,
  events: readonly GapEvent[],
  baselines: readonly Baseline[],
): LedgerRecords {
  return {
    ...records,
    scanBytesLast24h: records.scanBytesLast24h + scanBytes,
    gapEvents: [...records.gapEvents, ...events],
    baselines: [...records.baselines, ...baselines],
  };
}

function isOnRecord(records: readonly { readonly repairId: string }[], id: string): boolean {
  return records.some(({ repairId }) => repairId === id);
}
