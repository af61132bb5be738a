import type { Assessment } from "../core/assessment.ts";
import type { CycleRecord, GapEvent, RepairEnd } from "../core/ledger-records.ts";
import { plan, type PlanLimits } from "../core/plan.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { settleLost } from "./lost-starts.ts";
import type { Session } from "./session.ts";
import { upkeepOf } from "./upkeep.ts";

/** What one may want to see of a cycle while it goes on. */
export interface CycleListener {
  /** It asks its first question now. */
  readonly onCycleStarted: (cycleId: string) => void;
  /** A run that nobody will end any more, once that is on record. */
  readonly onEnded: (end: RepairEnd) => void;
  /** It is on record, with the gaps that it opened and closed. */
  readonly onRecorded: (cycle: CycleRecord, events: readonly GapEvent[]) => void;
  /** What it learnt could not be kept for the next process, which will be billed for it once more. */
  readonly onSurveysNotKept: (thrown: unknown) => void;
}

export interface CycleOptions {
  readonly cycleId: string;
  /** The first cycle of a process makes the ledger where there is none. */
  readonly isFirst: boolean;
  readonly limits: PlanLimits;
  readonly listener: CycleListener;
  readonly signal?: AbortSignal;
  /** Ends with the right to put it on record. */
  readonly term?: AbortSignal;
}

/** Names the next cycle of a process; sorts by its begin. */
export function nextCycleId({ clock, worker }: ReconcileContext, number: number): string {
  return `${Math.round(clock.now()).toString(36)}-${number}-${worker.split("/")[1] ?? "0"}`;
}

/**
 * One full look at everything: what was lost is settled, what opened and closed is recorded, and what was learnt is kept for
 * the next one. Nothing is enqueued.
 * @throws ReconcilerError where the warehouse, a schedule or the ledger fails, or `interrupted` where a signal aborts
 */
export async function runCycle(
  context: ReconcileContext,
  session: Session,
  options: CycleOptions,
): Promise<Assessment> {
  const { ledger, warehouse } = context;
  const { cycleId, isFirst, limits, listener, signal, term } = options;
  context.enterCycle(cycleId);
  listener.onCycleStarted(cycleId);
  await session.refresh(signal);
  const startedAt = session.now();
  await settleLost(context, session, listener.onEnded);
  const assessment = session.assess();
  // What another planner has recorded since would be contradicted by what is older.
  if (term?.aborted === true) {
    throw new ReconcilerError("interrupted", "the cycle was ended before it was on record");
  }
  // Not before: a schedule that is empty or cannot be read leaves nothing behind.
  if (isFirst) await ledger.create();
  const jobs = plan(assessment, limits);
  const { cycle, events, baselines } = upkeepOf(
    assessment,
    cycleId,
    startedAt,
    jobs,
    session.bill.sinceRecord,
  );
  await ledger.recordCycle(cycle, events, baselines);
  session.appendCycle(cycle, events, baselines);
  listener.onRecorded(cycle, events);
  try {
    await warehouse.keepSurveys();
  } catch (thrown) {
    // Without it the next process asks for more, and sees the same.
    if (!(thrown instanceof ReconcilerError)) throw thrown;
    listener.onSurveysNotKept(thrown);
  }
  return assessment;
}
