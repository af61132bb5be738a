import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import type { ReconcileContext } from "./context.ts";
import type { Session } from "./session.ts";

/** Between two tries; a minute in all, beside what the ledger itself takes for each. */
const waitsMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;

/**
 * Puts on record that nothing came of a start of which nobody knows whether it is on record: a ledger that answered too late may
 * have it, or get it yet. Its cells would wait for its deadline, and be charged for what was never launched. Where the ledger does not
 * answer in time that is so. Never rejects.
 * @param over after it there is no further try
 */
export async function withdrawStart(
  { ledger, clock }: ReconcileContext,
  session: Session,
  start: RepairStart,
  over: AbortSignal,
): Promise<void> {
  const end = withdrawnEnd(start, session.now());
  for (const waitMs of [0, ...waitsMs]) {
    if (waitMs > 0) await clock.sleep(waitMs, over);
    if (waitMs > 0 && over.aborted) return;
    try {
      await ledger.recordEnd(end);
      session.appendEnd(end);
      return;
    } catch {
      // Why the ledger is away has been told: it is what the job failed with.
    }
  }
}

/** Like that of a run that was stopped before it did anything: it charges no cell, and says nothing about the repair. */
function withdrawnEnd(
  { repairId, repair, attempt, startedAt }: RepairStart,
  endedAt: RepairEnd["endedAt"],
): RepairEnd {
  return {
    repairId,
    repair,
    attempt,
    startedAt,
    endedAt,
    outcome: "failed",
    systemic: null,
    errorCode: "cancelled",
    message: "nothing was launched, as the ledger did not confirm its start",
    logTail: null,
    cells: [],
  };
}
