import { type AssessInput, type CompiledPipeline, scheduleOf } from "./assessment.ts";
import { daysOfBaseline } from "./breaker.ts";
import { State } from "./grid.ts";
import { type Day, toDay } from "./iso-date.ts";
import type { LedgerFacts } from "./ledger-facts.ts";
import { failureAt } from "./observed.ts";
import type { Processor } from "./pipeline.ts";

/** The state of a past date that is not scheduled and has rows. */
export function offScheduleState(input: AssessInput, processor: Processor, position: number): number {
  if (processor.offSchedule === "allow") return State.unscheduled;
  if (processor.offSchedule === "report") return State.unexpected;
  const { positions } = scheduleOf(input, processor.index);
  // What lies before the schedule was never its own, unless the ledger knows that it had the date.
  const isOwn =
    position > (positions[0] ?? Infinity) ||
    wasScheduled(input, processor, input.sight.axis.first + position);
  return isOwn ? State.invalid : State.unexpected;
}

function wasScheduled({ facts }: Pick<AssessInput, "facts">, processor: Processor, day: Day): boolean {
  return (
    facts.cellFacts(processor.index, day).openOnRecord ||
    facts.scheduleBaselines(processor.schedule).some((baseline) => daysOfBaseline(baseline).has(day))
  );
}

/** Rows off the schedule that were seen before are not gone because nobody could look: nothing closes for them. */
export function keepOffSchedule(input: AssessInput, processor: Processor, states: Uint8Array): void {
  const observed = input.sight.observed[processor.index];
  if (processor.offSchedule !== "gap" || observed === undefined) return;
  if (observed.failure === null && observed.unseen === null) return;
  const { axis } = input.sight;
  const base = processor.index * axis.length;
  const { scheduled } = scheduleOf(input, processor.index);
  for (let position = 0; position < axis.length; position++) {
    const day = axis.first + position;
    if (scheduled[position] === 1 || failureAt(observed, day) === null) continue;
    if (input.facts.cellFacts(processor.index, day).openOnRecord) states[base + position] = State.unknown;
  }
}

/**
 * The first date that a schedule is known to have had, where rows off the schedule are gaps: the grid begins there, so that
 * the first dates of a schedule can leave it too. Infinity without one.
 */
export function firstKnownDay({ pipeline }: CompiledPipeline, facts: LedgerFacts): Day {
  const taking = pipeline.processors.filter(({ offSchedule }) => offSchedule === "gap");
  if (taking.length === 0) return Infinity;
  const startOf = (schedule: string): Day => {
    const startDate = pipeline.schedules.find(({ name }) => name === schedule)?.startDate ?? null;
    return startDate === null ? -Infinity : toDay(startDate);
  };
  const { openOnRecord } = facts;
  const days = taking.flatMap(({ schedule, index }) => {
    const known = facts.scheduleBaselines(schedule).flatMap((baseline) => {
      const [first] = daysOfBaseline(baseline);
      return first === undefined ? [] : [first];
    });
    const open = openOnRecord.filter(({ processor }) => processor === index).map(({ day }) => day);
    return [...known, ...open].filter((day) => day >= startOf(schedule));
  });
  return days.reduce((first, day) => Math.min(first, day), Infinity);
}
