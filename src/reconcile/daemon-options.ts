import type { Assessment } from "../core/assessment.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { CycleListener } from "./cycle.ts";
import type { LeadershipListener } from "./leadership.ts";
import type { PlanningLease, Ticks } from "./ports.ts";
import type { LiveDaemon } from "./ports/live-view.ts";
import type { RepairEvents } from "./ports/repair-events.ts";
import type { RepairQueue } from "./ports/repair-queue.ts";

export type DaemonRole = "all" | "planner" | "worker";

/** How the processes of one pipeline work together. */
export interface Coordination {
  /** Whether there may be other processes. */
  readonly isShared: boolean;
  readonly queue: RepairQueue;
  readonly events: RepairEvents;
  readonly lease: PlanningLease;
}

export interface DaemonOptions {
  readonly role: DaemonRole;
  /** `observe` looks and records what opens and closes, and repairs nothing. */
  readonly mode: "observe" | "repair";
  /** Older cells are left alone; null leaves none. */
  readonly maxAgeMs: number | null;
  /** Of one cycle; it counts as failed then, and the next one begins anew. */
  readonly cycleTimeoutMs: number;
  /** For running repairs to end by themselves after a stop; then they are cancelled. */
  readonly shutdownGraceMs: number;
  readonly coordination: Coordination;
  readonly ticks: Ticks;
  readonly listener: DaemonListener;
  /** Left out where nobody is shown anything. */
  readonly show?: Show;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/** What lets people see the daemon while it runs. */
export interface Show {
  readonly target: string | null;
  /** US dollars for 2^40 bytes; null where nothing is ever billed. */
  readonly pricePerTibUsd: number | null;
  /** Before anything else; what it throws ends the daemon. It is closed when nothing runs any more. */
  readonly open: (live: LiveDaemon) => Promise<{ close(): Promise<void> }>;
}

/** What logs and metrics want to see of a daemon. */
export interface DaemonListener extends LeadershipListener, CycleListener {
  readonly onCycle: (assessment: Assessment, cycleId: string) => void;
  readonly onCycleFailed: (thrown: unknown, cycleId: string) => void;
  readonly onPlanned: (assessment: Assessment, jobs: readonly PlannedJob[]) => void;
  readonly onStarted: (start: RepairStart) => void;
  readonly onEnded: (end: RepairEnd) => void;
  /** So many jobs run in this process now. */
  readonly onRunning: (jobs: number) => void;
  /** A repair could not be begun or recorded, or what people decided could not be read: nothing more is begun until a cycle has worked. */
  readonly onRepairFailed: (thrown: unknown) => void;
  readonly onStopping: (running: number) => void;
}
