import type { Assessment } from "../core/assessment.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import type { CycleListener } from "./cycle.ts";
import type { Coordination } from "./daemon-options.ts";
import type { SessionOptions } from "./session.ts";

export interface OnceOptions extends Omit<SessionOptions, "horizon"> {
  /** One cycle: what becomes ready by its repairs is left for the next run. */
  readonly singlePass: boolean;
  /** How long, in all, to wait for backoff and for runs elsewhere. */
  readonly maxWaitMs: number;
  /** With other processes of the pipeline; null where the run is alone. */
  readonly coordination: Coordination | null;
  readonly listener: RunListener;
  readonly signal: AbortSignal;
}

/** What a person or a log may want to see of a run while it goes on. */
export interface RunListener extends CycleListener {
  /** After each full look at the warehouse. */
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  /** After each assessment; `jobs` were just enqueued. */
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  /** So many jobs run now. */
  readonly onRunning: (jobs: number) => void;
  /**
   * Nothing goes on here: until a backoff ends, or (null) until what runs elsewhere has ended, which nobody can foretell. Told once
   * for each such wait, however often it is looked whether it is over.
   */
  readonly onWaiting: (until: EpochMs | null) => void;
  /** Another process plans, and was asked for what is selected: its workers do it. */
  readonly onAsking: () => void;
  /** What keeps the processes together is away, or back (null). */
  readonly onDegraded: (thrown: unknown) => void;
  /** It was told to stop while so many repairs run. */
  readonly onStopping: (running: number) => void;
}

/** How far a run is. */
export interface RunProgress {
  readonly repaired: number;
  /** Cells, those included that are repaired. */
  readonly total: number;
  /** Repairs that go on. */
  readonly running: number;
  /** Repairs that ended without having filled all that they were to. */
  readonly failures: number;
  /** By the pace so far; null while there is too little to go by. */
  readonly secondsLeft: number | null;
}

export interface OnceResult {
  readonly assessment: Assessment;
  /** Those that touch the selection, whoever ran them, in the order in which they ended. */
  readonly repairs: readonly RepairEnd[];
  readonly converged: boolean;
  readonly stopped: boolean;
  /** Billed for all its looks. */
  readonly scanBytes: number;
}
