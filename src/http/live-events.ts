import { isConverged } from "../core/assess.ts";
import { gridTotals } from "../core/grid-totals.ts";
import { memoByIdentity } from "../core/memo.ts";
import type { Assessment } from "../core/assessment.ts";
import { formatInstant } from "../core/wall-clock.ts";
import type { LiveFailure, LiveView } from "../reconcile/ports/live-view.ts";
import {
  type EndedDocument,
  endedDocument,
  type RunningDocument,
  runningDocument,
} from "./repairs-document.ts";

/** What is told to those who watch. */
export type LiveEvent =
  | { readonly event: "view"; readonly data: ViewSummary }
  | { readonly event: "repair_started"; readonly data: RunningDocument }
  | { readonly event: "repair_ended"; readonly data: EndedDocument };

/** A view in numbers: whoever shows more asks for it when the revision has grown. */
export interface ViewSummary {
  readonly revision: number;
  readonly leading: boolean;
  readonly stopping: boolean;
  /** Null before the first look. */
  readonly sight: SightSummary | null;
  readonly running: number;
  readonly queued: number;
  readonly cycle_failure: FailureDocument | null;
  readonly degraded: FailureDocument | null;
  readonly repair_failure: FailureDocument | null;
}

export interface SightSummary {
  readonly as_of: string;
  readonly looked_at: string;
  readonly age_seconds: number;
  readonly stale: boolean;
  readonly converged: boolean;
  readonly gaps: number;
  readonly unknown: number;
  readonly seconds_to_convergence: number | null;
}

export interface FailureDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly since: string;
}

/** What the second view says that the first one did not: repairs that began and ended, oldest first, and the new state of all. */
export function newsOf(before: LiveView, now: LiveView): readonly LiveEvent[] {
  const running = new Set(before.running.map(({ repairId }) => repairId));
  const ended = new Set(before.ended.map(({ repairId }) => repairId));
  // A process that has just looked for the first time has no news of the repairs of a week.
  const isFirst = before.sight === null;
  return [
    ...(isFirst ? [] : now.running)
      .filter(({ repairId }) => !running.has(repairId))
      .map((start) => ({ event: "repair_started", data: runningDocument(start) }) as const),
    ...(isFirst ? [] : now.ended)
      .filter(({ repairId }) => !ended.has(repairId))
      .toReversed()
      .map((end) => ({ event: "repair_ended", data: endedDocument(end) }) as const),
    viewEvent(now),
  ];
}

export function viewEvent(view: LiveView): LiveEvent {
  return { event: "view", data: summaryOf(view) };
}

function summaryOf(view: LiveView): ViewSummary {
  const { sight } = view;
  return {
    revision: view.revision,
    leading: view.isLeading,
    stopping: view.isStopping,
    sight:
      sight === null
        ? null
        : {
            as_of: formatInstant(sight.assessment.now),
            looked_at: formatInstant(sight.lookedAt),
            age_seconds: Math.round(sight.ageMs / 1000),
            stale: sight.isStale,
            ...totalsOf(sight.assessment),
            seconds_to_convergence: sight.secondsToConvergence,
          },
    running: view.running.length,
    queued: view.queued.filter(({ state }) => state === "queued").length,
    cycle_failure: failureDocument(view.cycleFailure),
    degraded: failureDocument(view.degraded),
    repair_failure: failureDocument(view.repairFailure),
  };
}

const totalsOf = memoByIdentity((assessment: Assessment) => {
  const rows = gridTotals(assessment);
  const gaps = rows.flatMap((row) => [...row.gaps.values()]);
  return {
    converged: isConverged(assessment),
    gaps: gaps.reduce((sum, count) => sum + count, 0),
    unknown: rows.reduce((sum, { states }) => sum + states.unknown, 0),
  };
});

function failureDocument(failure: LiveFailure | null): FailureDocument | null {
  if (failure === null) return null;
  const { code, message, hint, since } = failure;
  return { code, message, hint, since: formatInstant(since) };
}
