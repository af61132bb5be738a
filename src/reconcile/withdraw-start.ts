import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import type { ReconcileContext } from "./context.ts";
import type { Session } from "./session.ts";

/** After the first try and twice as long after each further one. */
const firstWaitMs = 1_000;
/** No try is begun after it: a run that is to end because its ledger is away waits for this, too. */
const triesMs = 30_000;

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
  const until = clock.monotonic() + triesMs;
  for (let waitMs = firstWaitMs; ; waitMs *= 2) {
    try {
      await ledger.recordEnd(end);
      session.appendEnd(end);
      return;
    } catch {
      // Why the ledger is away has been told: it is what the job failed with.
    }
    await clock.sleep(waitMs, over);
    if (over.aborted || clock.monotonic() >= until) return;
  }
}

/** Like that of a run that was stopped before it did anything: it charges no cell, and says nothing about the repair. */
function withdrawnEnd(
  { repairId, repair, processors, dates, attempt, startedAt }: RepairStart,
  endedAt: RepairEnd["endedAt"],
): RepairEnd {
  return {
    repairId,
    repair,
    processors,
    dates,
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
