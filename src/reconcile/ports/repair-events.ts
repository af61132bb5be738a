import type { SelectionSpec } from "../selection.ts";

/** What a process tells the others of its pipeline. */
export type RepairEvent =
  | RepairNews
  /** A person wants the planner to look at everything now. */
  | { readonly kind: "cycle_wanted" }
  /** A process that repairs would plan: one that only observes is to let it. */
  | { readonly kind: "lease_wanted" }
  | RepairsWanted;

/**
 * A run of `--once` waits for repairs, and says so again every two seconds: whoever plans is to see to them whatever their age, and one that only
 * observes is to let the run plan.
 */
export interface RepairsWanted {
  readonly kind: "repairs_wanted";
  /** Of the run's process. */
  readonly worker: string;
  readonly selection: SelectionSpec;
}

/** What became of a repair. */
export interface RepairNews {
  /** `verified`: the look after a run was made, and is not on record yet. */
  readonly kind: "verified" | "ended";
  /** Of the job that was taken from the queue. */
  readonly jobId: string;
  /** Plain JSON, null where there is none. It may come from another version of this program: it is to be validated. */
  readonly body: unknown;
}

/**
 * Tells every process at once what happened to a repair, or what a person wants. Best effort: what is lost, the next cycle sees in the warehouse
 * and the ledger.
 */
export interface RepairEvents {
  /**
   * Tells all who listen, in this process too. A body that is too large for the transport is left out: null arrives.
   * @throws ReconcilerError `redis_*` where nobody may have been told
   */
  publish(event: RepairEvent): Promise<void>;
  /** Calls `listener`, which must not throw, for every event from about now on, until the returned function is called. */
  subscribe(listener: (event: RepairEvent) => void): () => void;
  /** Idempotent; never throws. */
  close(): Promise<void>;
}
