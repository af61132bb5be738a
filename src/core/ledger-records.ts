import type { IsoDate } from "./iso-date.ts";
import type { EpochMs } from "./wall-clock.ts";

/** How an attempt ended for a cell, or for a whole run. */
export const outcomes = [
  "repaired",
  "ineffective",
  "failed",
  "failed_permanently",
  "timed_out",
  "lost_lock",
  "inputs_moved",
  "lost",
  "skipped",
] as const;
export type Outcome = (typeof outcomes)[number];

/** Faults that say nothing about the date at hand; they open the circuit breaker and charge no cell. */
export const systemicCauses = [
  "authentication",
  "executable_not_found",
  "connection_refused",
  "quota",
] as const;
export type SystemicCause = (typeof systemicCauses)[number];

/** Written before anything is launched: no ledger, no launch. */
export interface RepairStart {
  readonly repairId: string;
  /** The repair unit's name. */
  readonly repair: string;
  readonly processors: readonly string[];
  /** Ascending; the run's range is the first to the last. */
  readonly dates: readonly IsoDate[];
  /** Of the cell with the most charged attempts, this one included; 1 is the first. */
  readonly attempt: number;
  readonly token: number;
  readonly startedAt: EpochMs;
  /** A start without an end by then is `lost`. */
  readonly deadlineAt: EpochMs;
  /** The process that runs it, as `host/pid/start time`. */
  readonly worker: string;
  /** What finds the external run again: its name, id or URL. */
  readonly externalHandle: string | null;
  readonly repairHash: string;
  readonly cycleId: string;
}

export interface RepairEnd {
  readonly repairId: string;
  readonly repair: string;
  /** As in its start, whichever of them have an outcome; none where its start is not on record. */
  readonly processors: readonly string[];
  /** Likewise. */
  readonly dates: readonly IsoDate[];
  /** As in its start. */
  readonly attempt: number;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  readonly outcome: Outcome;
  readonly systemic: SystemicCause | null;
  /** A word for programs, such as `exit_75` or `http_503`; null on success. */
  readonly errorCode: string | null;
  readonly message: string | null;
  /** The end of what the run printed, redacted, at most 4 KiB. */
  readonly logTail: string | null;
  readonly cells: readonly CellOutcome[];
}

export interface CellOutcome {
  readonly processor: string;
  readonly date: IsoDate;
  readonly outcome: Outcome;
  /** Whether it counts as one of the cell's attempts. */
  readonly charged: boolean;
  /** Fewer rows or more violations than before: quarantined at once. */
  readonly worse: boolean;
  readonly stateBefore: string;
  readonly stateAfter: string;
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  /** Dates of the run that it was part of; the next one is at most half of it. */
  readonly batchDates: number;
  readonly repairHash: string;
  readonly expectationHash: string;
  /** The versions of the inputs at the check before the run, by upstream and what was read of it (`inputVersions`). */
  readonly inputs: Readonly<Record<string, string>>;
  /** Cells downstream that were complete and were computed from what this run replaced: runs of dates, by processor. */
  readonly outdates: Readonly<Record<string, string>>;
  /** The other side asked not to be tried before, as with Retry-After. */
  readonly notBefore: EpochMs | null;
}

/** A cell's outcome with the time at which its run ended. */
export interface CellAttempt extends CellOutcome {
  readonly repairId: string;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
}

export interface GapEvent {
  readonly at: EpochMs;
  readonly cycleId: string;
  readonly processor: string;
  readonly date: IsoDate;
  readonly event: "opened" | "closed";
  /** The state that it opened with or closed to. */
  readonly state: string;
  /** Whether the cell was ever seen complete before (on `opened`). */
  readonly wasComplete: boolean;
}

export interface CycleRecord {
  readonly cycleId: string;
  readonly startedAt: EpochMs;
  readonly finishedAt: EpochMs;
  readonly converged: boolean;
  /** False where a breaker for mass gaps or schedules spoke against the detector: the baselines of what it doubts are not kept. */
  readonly accepted: boolean;
  readonly gaps: number;
  readonly unknown: number;
  readonly enqueued: number;
  readonly scanBytes: number;
}

/** What was complete (or, for a schedule, scheduled) in an accepted cycle; written when it changed. */
export interface Baseline {
  readonly subject: "processor" | "schedule";
  readonly name: string;
  /** The expectation's hash; the empty string for a schedule. */
  readonly hash: string;
  readonly at: EpochMs;
  /** Runs of consecutive dates, `2024-01-01..2024-01-03,2024-01-05`; both ends included. */
  readonly dates: string;
}

export const decisionKinds = [
  "waive",
  "unwaive",
  "retry",
  "release",
  "accept",
  "pause",
  "resume",
  "cancel",
  "rebuild",
] as const;
export type DecisionKind = (typeof decisionKinds)[number];

/** What a person decided. A later one of the same kind, or its opposite, overrides for the cells that both name. */
export interface Decision {
  readonly id: string;
  readonly at: EpochMs;
  readonly actor: string;
  readonly reason: string;
  readonly kind: DecisionKind;
  /** Null means every processor. */
  readonly processors: readonly string[] | null;
  /** Null means from the first or up to the last date; both ends included. */
  readonly startDate: IsoDate | null;
  readonly endDate: IsoDate | null;
  /** For `waive` only. */
  readonly waiver: {
    readonly owner: string;
    readonly expires: IsoDate | null;
    readonly downstream: "exempt" | "proceed";
  } | null;
}

/** Mean run times by repair, from runs that repaired something; what a forecast is made of. */
export interface RunTimes {
  readonly repair: string;
  readonly runs: number;
  readonly meanSeconds: number;
  readonly meanSecondsPerDate: number;
}

/** What a cycle reads of the ledger; every list is bounded by the adapter as its comment says. */
export interface LedgerRecords {
  /** Starts without an end. */
  readonly unfinished: readonly RepairStart[];
  /** The last 30 of each cell, oldest first. */
  readonly attempts: readonly CellAttempt[];
  /** Ends of runs of the last 7 days, at most 200 per repair, oldest first; without cells and log. */
  readonly recentEnds: readonly Omit<RepairEnd, "cells" | "logTail">[];
  /** The last 10 of each cell, oldest first. */
  readonly gapEvents: readonly GapEvent[];
  /** Per subject, name and hash: the last one, and the last one that is at least 24 h old or else the first; oldest first. */
  readonly baselines: readonly Baseline[];
  /** All, oldest first. */
  readonly decisions: readonly Decision[];
  /** The largest token of any start; 0 where there is none. */
  readonly lastToken: number;
  readonly startsLast24h: number;
  /** Billed to the cycles that ended in the last 24 h. */
  readonly scanBytesLast24h: number;
  readonly runTimes: readonly RunTimes[];
}

export const emptyLedgerRecords: LedgerRecords = {
  unfinished: [],
  attempts: [],
  recentEnds: [],
  gapEvents: [],
  baselines: [],
  decisions: [],
  lastToken: 0,
  startsLast24h: 0,
  scanBytesLast24h: 0,
  runTimes: [],
};
