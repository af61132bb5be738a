import type { LedgerRecords } from "../core/ledger-records.ts";
import { memoByIdentity } from "../core/memo.ts";
import type { EndedCell, EndedRepair } from "./ports/live-view.ts";

const endedMax = 100;

/** The last repairs that ended, newest first, at most 100, each with those of its cells that are on record. */
export const endedRepairs = memoByIdentity((records: LedgerRecords): readonly EndedRepair[] => {
  const last = records.recentEnds.toSorted((a, b) => b.endedAt - a.endedAt).slice(0, endedMax);
  const cells = new Map<string, EndedCell[]>(last.map(({ repairId }) => [repairId, []]));
  for (const { repairId, processor, date, outcome, rowsBefore, rowsAfter } of records.attempts) {
    cells.get(repairId)?.push({ processor, date, outcome, rowsBefore, rowsAfter });
  }
  return last.map((end) => ({ ...end, cells: cells.get(end.repairId) ?? [] }));
});
