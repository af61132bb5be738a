import type { Assessment } from "./assessment.ts";
import { dueTests } from "./due.ts";
import { dateAt, isGapState, type ReasonName, reasonName, State } from "./grid.ts";
import type { CycleRecord, GapEvent } from "./ledger-records.ts";
import type { Processor } from "./pipeline.ts";
import type { EpochMs } from "./wall-clock.ts";

/** What the present is compared with. */
export type ReportBefore =
  /** Another look at the same pipeline. */
  | { readonly kind: "assessment"; readonly assessment: Assessment }
  /** Openings and closings, oldest first, from which the state at that instant follows. */
  | {
      readonly kind: "ledger";
      readonly since: EpochMs;
      readonly events: readonly GapEvent[];
      readonly isPartial: boolean;
    };

/** What a cell counts as. */
export type Category = "complete" | "pending" | "unknown" | "gap" | { readonly exempt: ReasonName };

/** What a cell counted as then; null where there was none. */
export type Past = (processor: Processor, position: number, now: Category) => Category | null;

/**
 * What the ledger says of the past: the state at `since`, or, without one or with an earlier one, at the first cycle on
 * record.
 * @param activity all that the ledger tells, oldest first
 * @param eventsMax so many of each it tells at most: with so many, older ones may be missing
 * @returns null where no cycle is on record
 */
export function beforeFromLedger(
  activity: { readonly cycles: readonly CycleRecord[]; readonly gapEvents: readonly GapEvent[] },
  since: EpochMs | null,
  eventsMax: number,
): ReportBefore | null {
  const first = activity.cycles[0];
  if (first === undefined) return null;
  return {
    kind: "ledger",
    // What a cycle opens it records with the instant at which it finished.
    since: Math.max(since ?? 0, first.finishedAt),
    events: activity.gapEvents,
    isPartial: Math.max(activity.gapEvents.length, activity.cycles.length) >= eventsMax,
  };
}

/** Null where there is no cell. */
export function categoryAt({ grid }: Assessment, processor: Processor, position: number): Category | null {
  const cell = processor.index * grid.axis.length + position;
  const state: number = grid.states[cell] ?? State.unscheduled;
  if (isGapState(state)) return "gap";
  switch (state) {
    case State.complete:
    case State.stale:
      return "complete";
    case State.exempt:
      return { exempt: reasonName(grid.reasons[cell] ?? 0) };
    case State.pending:
      return "pending";
    case State.unknown:
      return "unknown";
    default:
      return null;
  }
}

export function pastOf(assessment: Assessment, before: ReportBefore): Past {
  return before.kind === "ledger" ? recorded(assessment, before) : lookedAt(before.assessment);
}

function lookedAt(past: Assessment): Past {
  return (processor, position) => {
    const own = past.compiled.byName.get(processor.name);
    return own === undefined ? null : categoryAt(past, own, position);
  };
}

/** The first thing that happened to a cell after an instant tells what it was then; if nothing did, it is what it was. */
function recorded(
  { compiled, sight, grid }: Assessment,
  { since, events }: Extract<ReportBefore, { kind: "ledger" }>,
): Past {
  const firsts = new Map<string, { readonly wasGap: boolean; readonly wasComplete: boolean }>();
  const open = new Set<string>();
  for (const { at, processor, date, event, wasComplete } of events) {
    const cell = `${processor}/${date}`;
    if (at <= since) {
      // What was found at that very instant belongs to the past.
      if (event === "opened") open.add(cell);
      else open.delete(cell);
    } else if (!firsts.has(cell)) firsts.set(cell, { wasGap: event === "closed", wasComplete });
  }
  const wasDueAt = dueTests(compiled, sight, since);
  return (processor, position, now) => {
    const cell = `${processor.name}/${dateAt(grid.axis, position)}`;
    const first = firsts.get(cell);
    if (open.has(cell) || first?.wasGap === true) return "gap";
    if (first?.wasComplete === true) return "complete";
    const wasDue = wasDueAt[processor.index]?.(position) === true;
    if (first === undefined && wasDue) return now;
    return typeof now === "object" ? now : "pending";
  };
}
