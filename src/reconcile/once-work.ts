import type { Assessment } from "../core/assessment.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import type { ReconcilerError } from "../errors.ts";

/** How the repairs of a run are done: by this process alone, or together with others. */
export interface OnceWork {
  /** Whether it is told what runs elsewhere; otherwise that shows only in the warehouse and the ledger. */
  readonly hearsOthers: boolean;
  /**
   * Has done what is ready by what the session knows, as far as there are slots for it; not waited for.
   * @param mayBegin whether anything more is to be begun
   * @throws ReconcilerError `ledger_*`, `warehouse_*`
   */
  turn(cycleId: string, mayBegin: boolean): Promise<OnceTurn>;
  /** Takes back what nobody has begun, and resolves when whatever this process runs has ended. Idempotent; never rejects. */
  end(): Promise<void>;
}

export interface OnceTurn {
  readonly assessment: Assessment;
  /** Just begun or enqueued. */
  readonly jobs: readonly PlannedJob[];
  /** Whether repairs of the run go on. */
  readonly isWorking: boolean;
  /** When another turn may find more to do than this one, though nothing of the run has ended; null where none will. */
  readonly againAt: EpochMs | null;
  /** What keeps the processes together is away, so that nothing could be begun; null where it is there. */
  readonly failure: ReconcilerError | null;
}
