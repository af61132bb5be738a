import type { CompiledPipeline } from "../core/assessment.ts";
import type { CellLock, Clock, Ledger, Warehouse } from "./ports.ts";
import type { Executor } from "./ports/executor.ts";

/** What a run works with; `compose` makes it. */
export interface ReconcileContext {
  readonly compiled: CompiledPipeline;
  readonly warehouse: Warehouse;
  readonly ledger: Ledger;
  readonly lock: CellLock;
  readonly executor: Executor;
  readonly clock: Clock;
  /** This process, as the ledger names it. */
  readonly worker: string;
  /** Told the id of each cycle before the cycle asks anything, so that what asks can name it. */
  readonly enterCycle: (cycleId: string) => void;
  /** Whether the process that the ledger names is provably dead. */
  readonly isWorkerDead: (worker: string) => boolean;
}
