import { toDay } from "../core/iso-date.ts";
import type { LedgerRecords } from "../core/ledger-records.ts";
import type { Observations, RunHistoryObservation } from "../core/observation.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import type { ReconcileContext } from "./context.ts";
import { observe } from "./observe.ts";
import type { ScanBill } from "./scan-bill.ts";
import type { SelectionSpec } from "./selection.ts";

/** What warehouse and ledger say, read together. */
interface Knowledge {
  /** On the monotonic clock, at or before the `now` of the observations. */
  readonly askedAt: number;
  readonly records: LedgerRecords;
  readonly observations: Observations;
}

interface KnowledgeRequest {
  /** An instant instead of now. */
  readonly asOf: EpochMs | null;
  readonly selection: SelectionSpec;
  /** Bounds what the look may be billed for. */
  readonly bill: ScanBill;
  /** What the look before knew of runs elsewhere; null at first. */
  readonly runHistoryBefore: () => RunHistoryObservation | null;
  readonly signal: AbortSignal | null;
}

/** @throws ReconcilerError as `observe` and `Ledger.read` do, `interrupted` where the signal aborts */
export async function readKnowledge(
  context: ReconcileContext,
  { asOf, selection: { endDate }, bill, runHistoryBefore, signal }: KnowledgeRequest,
): Promise<Knowledge> {
  const { clock, compiled, ledger, warehouse } = context;
  // Before the question, as the looking itself takes time too: a repair must not seem to end before it wrote.
  const askedAt = clock.monotonic();
  const now = asOf ?? (await warehouse.now());
  // What was spent bounds what the look may spend.
  const records = await ledger.read(now);
  const observations = await observe(context, {
    now,
    lastDay: endDate === null ? null : toDay(endDate),
    budgetBytes: bill.budget(compiled.pipeline.budgets, records.scanBytesLast24h),
    runHistory: runHistoryBefore(),
    ...(signal === null ? {} : { signal }),
  });
  return { askedAt, records, observations };
}
