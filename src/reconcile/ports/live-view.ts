import type { Assessment } from "../../core/assessment.ts";
import type { PlannedStep } from "../../core/cascade.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { CellOutcome, Decision, RepairEnd, RepairStart } from "../../core/ledger-records.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import type { ErrorCode } from "../../errors.ts";
import type { OutstandingRepair } from "./repair-queue.ts";

/**
 * What a daemon knows at this moment, for whoever shows it. Plain values that nobody changes any more: what comes later is in
 * the next view. What keeps the daemon from knowing better is said beside what it knew last, and never hides it.
 */
export interface LiveView extends LiveStanding {
  /** Grows whenever anything else here changes, ages aside. It counts from the start of this process. */
  readonly revision: number;
  /** Null until the first look at everything has ended. */
  readonly sight: LiveSight | null;
  /** Repairs on record that have not ended, in any process, oldest first. */
  readonly running: readonly RepairStart[];
  /** What waits in the queue or was just taken from it, in any process, oldest first; at most 1,000. */
  readonly queued: readonly OutstandingRepair[];
  /** Newest first, at most 100, of the last 7 days. */
  readonly ended: readonly EndedRepair[];
  /** What people decided, newest first, at most 100. */
  readonly decisions: readonly Decision[];
  /** Cycles on record of the last 7 days, oldest first, at most 2,000: how the gaps went down. */
  readonly history: readonly HistoryPoint[];
  readonly scan: LiveScan;
}

/** What a daemon knows of itself, without having looked at anything. */
export interface LiveStanding {
  readonly pipeline: string;
  readonly target: string | null;
  /** This process, as the ledger names it; each replica has views and revisions of its own. */
  readonly worker: string;
  readonly role: "all" | "planner" | "worker";
  readonly mode: "observe" | "repair";
  /** Whether this process plans. One that does not looks only while somebody watches it. */
  readonly isLeading: boolean;
  /** Whether it was asked to stop: nothing new begins. */
  readonly isStopping: boolean;
  /** Why the last cycle or look failed; null where it worked, or none has ended yet. */
  readonly cycleFailure: LiveFailure | null;
  /** Why nothing new is enqueued although it could be: Redis, or whatever else keeps processes together, is away. */
  readonly degraded: LiveFailure | null;
  /** Why no repair can be begun or recorded, or what people decided cannot be read; null once a cycle has worked since. */
  readonly repairFailure: LiveFailure | null;
}

/** The grid as it was last seen, with what repairs saw since. */
export interface LiveSight {
  readonly assessment: Assessment;
  /** When the last look at everything began, by the warehouse's clock. What is shown may be as old as that. */
  readonly lookedAt: EpochMs;
  /** How long ago that was when the view was made, by a clock that is never set. */
  readonly ageMs: number;
  /** A look failed since, or one that is due has not ended in its time: what is shown must not pass for the present. */
  readonly isStale: boolean;
  /** Of the repairs that can go on; 0 where there is nothing to repair, null where nobody can tell. */
  readonly secondsToConvergence: number | null;
}

/** What went wrong, and for how long it has been so. */
export interface LiveFailure {
  /** `internal` for what is no error of this program's own. */
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  /** By this machine's clock. */
  readonly since: EpochMs;
}

/** A repair that ended, with those of its cells that are still on record. */
export interface EndedRepair extends Omit<RepairEnd, "logTail" | "cells"> {
  readonly cells: readonly EndedCell[];
}

export interface EndedCell extends Pick<CellOutcome, "outcome" | "rowsBefore" | "rowsAfter"> {
  readonly processor: string;
  readonly date: IsoDate;
}

export interface HistoryPoint {
  readonly at: EpochMs;
  readonly gaps: number;
  readonly unknown: number;
  readonly converged: boolean;
}

export interface LiveScan {
  /** Billed for looks in the last 24 hours; null before the first look. */
  readonly bytesLast24h: number | null;
  /** `budgets.scan_bytes_per_day`; null where there is none. */
  readonly bytesPerDayMax: number | null;
  /** US dollars for 2^40 bytes; null where nothing is ever billed. */
  readonly pricePerTibUsd: number | null;
}

export interface LivePlan {
  /** When the grid that it is made from was assessed. */
  readonly asOf: EpochMs | null;
  readonly steps: readonly PlannedStep[];
}

/** A daemon as the HTTP server sees it. */
export interface LiveDaemon {
  /** For probes: nobody counts as watching who asks for it. */
  standing(): LiveStanding;
  /**
   * What is known now. Cheap where nothing changed. Asking is also what makes a process that does not plan look by itself, so
   * that the next view knows more.
   */
  view(): LiveView;
  /**
   * The whole cascade of repairs that the last view's grid leads to, as `reconcile plan` prints it; empty before the first look.
   * It may cost a second where thousands of cells are gaps, so that it is made anew at most for a tenth of the time, and may
   * be a little older than the view.
   */
  plan(): LivePlan;
  /** Calls `listener`, which must not throw, soon after the revision has grown, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Has a cycle begin as soon as none goes on: this process's own, on record where it plans. Returns at once. */
  cycleNow(): void;
  /** Has the daemon read at once what people decided, instead of within two seconds. */
  heedDecisions(): void;
  /** How long ago, by a clock that is never set, the loop last turned. */
  loopAgeMs(): number;
}
