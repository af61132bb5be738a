import { isAccepted, isConverged } from "../core/assess.ts";
import type { Assessment } from "../core/assessment.ts";
import { isGapCell } from "../core/batches.ts";
import { daysOfBaseline } from "../core/breaker.ts";
import { formatDateRuns } from "../core/date-runs.ts";
import { dateAt, Disposition, meetsExpectation, reasonName, State, stateName } from "../core/grid.ts";
import { type Day, fromDay, toDay } from "../core/iso-date.ts";
import type {
  Baseline,
  CellOutcome,
  CycleRecord,
  GapEvent,
  RepairEnd,
  RepairStart,
} from "../core/ledger-records.ts";
import { failureAt, rowsAt } from "../core/observed.ts";
import type { PlannedJob } from "../core/plan.ts";
import { outdatesOf } from "../core/staleness.ts";

/** What a full cycle writes to the ledger beside its repairs. */
export interface CycleUpkeep {
  readonly cycle: CycleRecord;
  readonly events: readonly GapEvent[];
  readonly baselines: readonly Baseline[];
}

export function upkeepOf(
  assessment: Assessment,
  cycleId: string,
  startedAt: number,
  jobs: readonly PlannedJob[],
  scanBytes: number,
): CycleUpkeep {
  const accepted = isAccepted(assessment);
  const { grid } = assessment;
  const count = (state: number) => grid.states.reduce((sum, value) => sum + (value === state ? 1 : 0), 0);
  const cycle: CycleRecord = {
    cycleId,
    startedAt,
    finishedAt: assessment.now,
    converged: isConverged(assessment),
    accepted: accepted && assessment.breakers.massGaps.every((massGap) => massGap === null),
    gaps: grid.dispositions.reduce((sum, value) => sum + (value === Disposition.none ? 0 : 1), 0),
    unknown: count(State.unknown),
    enqueued: jobs.length,
    scanBytes,
  };
  const isDoubted = assessment.breakers.overallMassGap !== null;
  return {
    cycle,
    events: gapEvents(assessment, cycleId),
    baselines: isDoubted ? [] : [...processorBaselines(assessment), ...scheduleBaselines(assessment)],
  };
}

/**
 * Openings of gaps that the ledger does not hold open, and closings of those that it does and that are none any more.
 * Nothing opens or closes for what could not be seen, nor on a schedule that is not believed. A mass gap is taken for a fault
 * of the detector: it opens nothing.
 */
function gapEvents(assessment: Assessment, cycleId: string): GapEvent[] {
  const { grid, facts, now } = assessment;
  const events: GapEvent[] = [];
  const at = (processor: number, position: number, event: "opened" | "closed"): GapEvent => ({
    at: now,
    cycleId,
    processor: grid.pipeline.processors[processor]?.name ?? "",
    date: dateAt(grid.axis, position),
    event,
    state: stateName(grid.states[processor * grid.axis.length + position] ?? 0),
    wasComplete: facts.everComplete(processor, grid.axis.first + position),
  });
  const { scheduleFaults } = assessment.breakers;
  for (const { index, schedule } of grid.pipeline.processors) {
    if (scheduleFaults.has(schedule)) continue;
    for (let position = 0; position < grid.axis.length; position++) {
      const cell = index * grid.axis.length + position;
      if (!isGapCell(assessment, index, position)) continue;
      if (reasonName(grid.reasons[cell] ?? 0) === "mass_gap") continue;
      const known = facts.cellFacts(index, grid.axis.first + position);
      if (!known.openOnRecord || known.openSince === null) events.push(at(index, position, "opened"));
    }
  }
  for (const { processor, day } of facts.openOnRecord) {
    const position = day - grid.axis.first;
    if (position < 0 || position >= grid.axis.length || isGapCell(assessment, processor, position)) continue;
    if (scheduleFaults.has(grid.pipeline.processors[processor]?.schedule ?? "")) continue;
    if (grid.states[processor * grid.axis.length + position] === State.unknown) continue;
    events.push(at(processor, position, "closed"));
  }
  return events;
}

/** The complete cells of each processor, if they differ from what is on record. */
function processorBaselines(assessment: Assessment): Baseline[] {
  const { grid, facts, now, breakers } = assessment;
  const written: Baseline[] = [];
  for (const processor of grid.pipeline.processors) {
    const base = processor.index * grid.axis.length;
    const observed = assessment.sight.observed[processor.index];
    if (observed === undefined || observed.failure !== null || observed.unseen !== null) continue;
    if (breakers.massGaps[processor.index] !== null) continue;
    if (breakers.scheduleFaults.has(processor.schedule)) continue;
    const days: Day[] = [];
    for (let position = 0; position < grid.axis.length; position++) {
      const state = grid.states[base + position];
      if (meetsExpectation(state ?? 0)) days.push(grid.axis.first + position);
    }
    const dates = formatDateRuns(days);
    if (dates === (facts.baselines(processor.index).at(-1)?.dates ?? "")) continue;
    written.push({ subject: "processor", name: processor.name, hash: processor.expect.hash, at: now, dates });
  }
  return written;
}

/**
 * The dates of each schedule, if they differ from what is on record. Of one that is doubted, the dates that it had: a doubt
 * about many small steps must not end because the first of them has become old.
 */
function scheduleBaselines({ grid, facts, now, breakers }: Assessment): Baseline[] {
  const written: Baseline[] = [];
  for (const [name, schedule] of grid.schedules) {
    const known = facts.scheduleBaselines(name);
    const against = breakers.scheduleChanges.get(name)?.against ?? null;
    if (against === null && breakers.scheduleFaults.has(name)) continue;
    const days =
      against === null
        ? Array.from(schedule.positions, (position) => grid.axis.first + position)
        : daysSince(known, against);
    const dates = formatDateRuns(days);
    if (dates === known.at(-1)?.dates) continue;
    written.push({ subject: "schedule", name, hash: "", at: now, dates });
  }
  return written;
}

function daysSince(known: readonly Baseline[], first: Baseline): readonly Day[] {
  const days = known.slice(known.indexOf(first)).flatMap((baseline) => [...daysOfBaseline(baseline)]);
  return [...new Set(days)].sort((a, b) => a - b);
}

/** The end of a start that nobody will end: cells that are complete all the same were repaired, the rest is charged. */
export function lostEnd(assessment: Assessment, start: RepairStart): RepairEnd {
  const { grid, now } = assessment;
  const cells = start.processors.flatMap((name) => {
    const processor = assessment.compiled.byName.get(name);
    return processor === undefined
      ? []
      : start.dates.map((date) => lostCell(assessment, start, processor.index, toDay(date)));
  });
  return {
    repairId: start.repairId,
    repair: start.repair,
    processors: start.processors,
    dates: start.dates,
    attempt: start.attempt,
    startedAt: start.startedAt,
    endedAt: now,
    // None is what only another version's config has: that proves nothing, and must not close a circuit.
    outcome: cells.length > 0 && cells.every(({ outcome }) => outcome === "repaired") ? "repaired" : "lost",
    systemic: null,
    errorCode: "lost",
    message: `its worker ${start.worker} ended, or its deadline passed, before it reported`,
    logTail: null,
    cells,
  };

  function outdatesOfLost(from: Assessment, processor: number, day: Day, run: RepairStart) {
    const own = grid.pipeline.processors[processor];
    const filled = new Set(run.dates.map(toDay));
    const isFilled = (index: number, at: Day) =>
      filled.has(at) && run.processors.includes(grid.pipeline.processors[index]?.name ?? "");
    const isKnown = day >= grid.axis.first && day < grid.axis.first + grid.axis.length;
    return own === undefined || !isKnown ? {} : outdatesOf(from, own, day, isFilled);
  }

  function lostCell(from: Assessment, run: RepairStart, processor: number, day: Day): CellOutcome {
    const position = day - grid.axis.first;
    // Beyond the axis stand the dates of another processor.
    const isKnown = position >= 0 && position < grid.axis.length;
    const known = isKnown ? grid.states[processor * grid.axis.length + position] : undefined;
    const state = known ?? State.unscheduled;
    const observed = from.sight.observed[processor];
    const rows = observed === undefined ? 0 : rowsAt(observed, position);
    const isSeen = isKnown && observed !== undefined && failureAt(observed, day) === null;
    // Off the schedule there is no state, and a run that left no rows did what it had to.
    const isEmptied =
      state === State.unscheduled &&
      isSeen &&
      rows === 0 &&
      grid.pipeline.processors[processor]?.offSchedule === "gap";
    // What was outdated before may have been computed again or not: nobody can tell, so it is computed once more.
    const isComplete = (meetsExpectation(state) && state !== State.outdated) || isEmptied;
    return {
      processor: grid.pipeline.processors[processor]?.name ?? "",
      date: fromDay(day),
      outcome: isComplete ? "repaired" : "lost",
      charged: !isComplete,
      worse: false,
      stateBefore: "",
      stateAfter: stateName(state),
      rowsBefore: 0,
      rowsAfter: rows,
      batchDates: run.dates.length,
      repairHash: run.repairHash,
      expectationHash: grid.pipeline.processors[processor]?.expect.hash ?? "",
      inputs: {},
      outdates: isComplete ? outdatesOfLost(from, processor, day, run) : {},
      notBefore: null,
    };
  }
}
