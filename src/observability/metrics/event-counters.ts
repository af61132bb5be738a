import { isAccepted, isConverged } from "../../core/assess.ts";
import type { Assessment } from "../../core/assessment.ts";
import type { CycleRecord, GapEvent, RepairEnd } from "../../core/ledger-records.ts";
import { ReconcilerError } from "../../errors.ts";
import type { DaemonListener } from "../../reconcile/daemon-options.ts";
import type { Clock } from "../../reconcile/ports.ts";
import type { DeliveryListener } from "../../reconcile/ports/notifier.ts";
import type { labelValues } from "../metric-catalog.ts";
import type { Instruments } from "./instruments.ts";

/** What is counted as it happens, in whichever process it does. */
export interface EventCounters
  extends Omit<DaemonListener, "onPlanned" | "onStarted" | "onStopping">,
    Pick<DeliveryListener, "onDelivery"> {
  readonly onUnreadable: () => void;
  readonly onStalled: () => void;
  readonly onLockServer: (news: { readonly failing: number }) => void;
  readonly onWiped: () => void;
}

/** Failures that say that the ledger could not be read or written. */
const ledgerCodes: ReadonlySet<string> = new Set(["ledger_unavailable", "ledger_missing", "write_failed"]);

export function eventCounters(instruments: Instruments, clock: Clock): EventCounters {
  let isLeading = false;
  let begunAt: number | null = null;
  const cycleEnded = (outcome: CycleOutcome) => {
    instruments.add("cycles_total", { outcome }, 1);
    // One that waited for its turn in vain took no time.
    if (begunAt !== null) {
      instruments.observe("cycle_duration_seconds", {}, (clock.monotonic() - begunAt) / 1000);
    }
    begunAt = null;
  };
  return {
    onCycleStarted() {
      begunAt = clock.monotonic();
    },
    onRecorded: (cycle, events) => countRecord(instruments, clock, cycle, events),
    onCycle: (assessment) => cycleEnded(isLeading ? verdictOf(assessment) : "not_leading"),
    onCycleFailed(thrown) {
      cycleEnded("failed");
      // It was read, and said nothing.
      if (codeOf(thrown) === "schedule_empty")
        instruments.add("scan_errors_total", { reason: "schedule" }, 1);
      countLedgerFailure(instruments, thrown);
    },
    onEnded: (end) => countRepair(instruments, end),
    onRunning: (jobs) => instruments.set("running_jobs", {}, jobs),
    onRepairFailed(thrown) {
      instruments.add("repairs_unrecorded_total", {}, 1);
      countLedgerFailure(instruments, thrown);
    },
    onLeading(leading) {
      isLeading = leading;
      instruments.set("leader", {}, leading ? 1 : 0);
    },
    onDegraded: (thrown) => instruments.set("coordination_degraded", {}, thrown === null ? 0 : 1),
    onUnreadable: () => instruments.add("unreadable_jobs_total", {}, 1),
    onStalled: () => instruments.add("stalled_consumers_total", {}, 1),
    onLockServer: ({ failing }) => instruments.set("lock_servers_failing", {}, failing),
    onWiped: () => instruments.add("redis_wipes_total", {}, 1),
    onSurveysNotKept: () => instruments.add("surveys_not_kept_total", {}, 1),
    onDelivery({ kinds, outcome }) {
      for (const event of kinds) instruments.add("notifications_total", { event, outcome }, 1);
    },
  };
}

type CycleOutcome = (typeof labelValues.cycle_outcome)[number];

function verdictOf(assessment: Assessment): CycleOutcome {
  if (!isAccepted(assessment)) return "not_accepted";
  return isConverged(assessment) ? "converged" : "not_converged";
}

function countRecord(
  instruments: Instruments,
  clock: Clock,
  { unknown, accepted }: CycleRecord,
  events: readonly GapEvent[],
): void {
  const now = clock.now() / 1000;
  instruments.set("last_completed_cycle_timestamp_seconds", {}, now);
  if (unknown === 0 && accepted) instruments.set("last_successful_cycle_timestamp_seconds", {}, now);
  for (const { event, wasComplete, processor } of events) {
    if (event === "opened" && wasComplete) instruments.add("reopened_gaps_total", { processor }, 1);
  }
}

function countRepair(
  instruments: Instruments,
  { repair, outcome, errorCode, startedAt, endedAt }: RepairEnd,
): void {
  instruments.add("repairs_total", { repair, outcome }, 1);
  if (errorCode === "fence_refused") instruments.add("fence_refusals_total", {}, 1);
  // When a run ended that nobody saw end is not known.
  if (errorCode !== "lost") {
    instruments.observe("repair_duration_seconds", { repair }, (endedAt - startedAt) / 1000);
  }
}

function countLedgerFailure(instruments: Instruments, thrown: unknown): void {
  if (ledgerCodes.has(codeOf(thrown) ?? "")) instruments.add("ledger_failures_total", {}, 1);
}

function codeOf(thrown: unknown): string | null {
  return thrown instanceof ReconcilerError ? thrown.code : null;
}
