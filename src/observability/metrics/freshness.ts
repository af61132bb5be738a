import type { Assessment } from "../../core/assessment.ts";
import { dueAt, dueTests, lastDuePosition } from "../../core/due.ts";
import { State } from "../../core/grid.ts";
import type { Day } from "../../core/iso-date.ts";
import type { Processor, Severity } from "../../core/pipeline.ts";

/** Cells that became due longer ago are history: when they are filled says nothing about how fresh data arrives. */
const windowDays = 30;

/** A cell that was seen complete for the first time. */
export interface Arrival {
  readonly severity: Severity;
  /** After it was due; 0 where it came before. */
  readonly seconds: number;
}

/**
 * Finds the cells that became complete from one look to the next. A cell counts once, and only where it is known that it was
 * not complete before: this process saw it pending or as a gap, or the ledger holds its gap open. So a first look at a
 * long history counts nothing, and neither does what was complete once, was lost and came back.
 */
export class Freshness {
  /** By processor index: days on which the cell was seen incomplete, and never complete. */
  #awaited: ReadonlyMap<number, ReadonlySet<Day>> = new Map();
  /** By processor index: days that count no more. */
  #settled: ReadonlyMap<number, ReadonlySet<Day>> = new Map();

  look(assessment: Assessment): readonly Arrival[] {
    const { compiled, policy, grid } = assessment;
    const due = dueTests(compiled, assessment.sight, policy.horizon);
    const arrivals: Arrival[] = [];
    const [awaited, settled] = [new Map<number, Set<Day>>(), new Map<number, Set<Day>>()];
    for (const processor of grid.pipeline.processors) {
      const { index } = processor;
      const lastDue = lastDuePosition(due[index] ?? (() => false), grid.axis);
      const from = grid.axis.first + Math.max(0, lastDue - windowDays + 1);
      const [open, done] = [new Set<Day>(), new Set<Day>()];
      for (let day = from; day < grid.axis.first + grid.axis.length; day++) {
        const fate = this.#fateOf(assessment, index, day);
        if (fate === "awaited") open.add(day);
        else if (fate !== "ignored") done.add(day);
        if (fate === "arrived") arrivals.push(arrivalOf(assessment, processor, day));
      }
      awaited.set(index, open);
      settled.set(index, done);
    }
    this.#awaited = awaited;
    this.#settled = settled;
    return arrivals;
  }

  #fateOf(
    { grid, facts }: Assessment,
    index: number,
    day: Day,
  ): "ignored" | "awaited" | "arrived" | "settled" {
    if (this.#settled.get(index)?.has(day) === true) return "settled";
    const isAwaited = this.#awaited.get(index)?.has(day) === true;
    switch (grid.states[index * grid.axis.length + day - grid.axis.first]) {
      case State.complete:
      case State.stale:
      case State.outdated:
        if (isAwaited || facts.cellFacts(index, day).openOnRecord) return "arrived";
        return "settled";
      case State.pending:
      case State.missing:
      case State.partial:
      case State.invalid:
        return facts.everComplete(index, day) ? "settled" : "awaited";
      // Nobody knows: what was known before holds.
      case State.unknown:
        return isAwaited ? "awaited" : "ignored";
      default:
        return "ignored";
    }
  }
}

function arrivalOf({ compiled, sight, grid, now }: Assessment, processor: Processor, day: Day): Arrival {
  const lateMs = now - dueAt(compiled, sight, processor.index, day - grid.axis.first);
  return { severity: processor.severity, seconds: Math.max(0, lateMs / 1000) };
}
