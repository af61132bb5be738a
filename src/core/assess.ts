import { assessDispositions } from "./assess-dispositions.ts";
import { assessStates, type StateArrays } from "./assess-states.ts";
import { type Assessment, type AssessInput, type Breakers, scheduleOf } from "./assessment.ts";
import { isMassGap, massGapOf, type ScheduleChange, scheduleChangeOf, scheduleHole } from "./breaker.ts";
import { Changing, type Grid, isGapState, isUnmet, State } from "./grid.ts";
import type { Day } from "./iso-date.ts";
import { runsElsewhere } from "./run-history.ts";

/**
 * Says of every cell what it is and, of every gap, where it stands. Pure: the same input gives the same assessment.
 */
export function assess(input: AssessInput): Assessment {
  const { compiled, sight } = input;
  const cells = compiled.pipeline.processors.length * sight.axis.length;
  const arrays: StateArrays = {
    states: new Uint8Array(cells),
    reasons: new Uint8Array(cells),
    proceeds: new Uint8Array(cells),
    waiverExpired: new Uint8Array(cells),
    hasExempt: new Uint8Array(compiled.pipeline.processors.length),
    judgedStates: new Uint8Array(cells),
  };
  assessStates(input, arrays);
  const breakers = assessBreakers(input, arrays.states);
  const grid: Grid = {
    pipeline: compiled.pipeline,
    graph: compiled.graph,
    axis: sight.axis,
    now: input.now,
    schedules: sight.schedules,
    selection: input.selection,
    states: arrays.states,
    reasons: arrays.reasons,
    dispositions: new Uint8Array(cells),
    degraded: new Uint8Array(cells),
    progressing: new Uint8Array(cells),
    changing: new Uint8Array(cells),
  };
  const elsewhere = runsElsewhere(compiled.pipeline, sight.runHistory, input.facts, input.now);
  const { proceeds, judgedStates } = arrays;
  const assessment: Assessment = { ...input, grid, breakers, proceeds, judgedStates, elsewhere };
  assessDispositions(assessment, arrays.waiverExpired);
  return assessment;
}

/** Whether nothing speaks against calling the selected range converged; processors of severity `info` do not count. */
export function isConverged(assessment: Assessment): boolean {
  const { grid } = assessment;
  const counting = grid.pipeline.processors.filter(
    ({ index, severity }) => severity !== "info" && grid.selection.processors.has(index),
  );
  if (counting.some(({ schedule }) => assessment.breakers.scheduleFaults.has(schedule))) return false;
  return counting.every((processor) => {
    const base = processor.index * grid.axis.length;
    for (let position = grid.selection.from; position <= grid.selection.to; position++) {
      const state = grid.states[base + position] ?? 0;
      if (state === State.unknown || isGapState(state) || grid.changing[base + position] !== Changing.no)
        return false;
    }
    return true;
  });
}

/** Whether somebody is or will soon be working on a gap that is selected, or on what blocks it. */
export function isProgressing({ grid }: Assessment): boolean {
  const { processors, from, to } = grid.selection;
  return [...processors].some((index) => {
    const base = index * grid.axis.length;
    return grid.progressing.subarray(base + from, base + to + 1).includes(1);
  });
}

/** Whether a breaker speaks against the detector: such a cycle leaves no baseline. */
export function isAccepted({ breakers }: Pick<Assessment, "breakers">): boolean {
  return breakers.overallMassGap === null && breakers.scheduleFaults.size === 0;
}

function assessBreakers(input: AssessInput, states: Uint8Array): Breakers {
  const { pipeline } = input.compiled;
  const { axis } = input.sight;
  const rules = pipeline.safety.massGap;
  let [allComplete, allGaps] = [0, 0];
  const massGaps = pipeline.processors.map((processor) => {
    const base = processor.index * axis.length;
    const { scheduled } = scheduleOf(input, processor.index);
    // A date that left the schedule lost no data, even where its rows are a gap: the schedule's own breaker is for that.
    const isGap = (day: Day) => {
      const position = day - axis.first;
      return scheduled[position] === 1 && isUnmet(states[base + position] ?? 0);
    };
    const gap = massGapOf(input.facts.baselines(processor.index), rules, isGap);
    allComplete += gap.wasComplete;
    allGaps += gap.becameGaps;
    return isMassGap(gap, rules) ? massGapText(gap.becameGaps, gap.wasComplete, rules.maxShare) : null;
  });
  const overall = isMassGap({ wasComplete: allComplete, becameGaps: allGaps }, rules);
  return {
    massGaps,
    overallMassGap: overall ? massGapText(allGaps, allComplete, rules.maxShare) : null,
    ...judgeSchedules(input),
  };
}

function judgeSchedules(input: AssessInput): Pick<Breakers, "scheduleFaults" | "scheduleChanges"> {
  const { pipeline } = input.compiled;
  const { axis } = input.sight;
  const today = Math.min(input.sight.today, axis.first + axis.length);
  const scheduleFaults = new Map<string, string>();
  const scheduleChanges = new Map<string, ScheduleChange>();
  for (const spec of pipeline.schedules) {
    const user = pipeline.processors.find(({ schedule }) => schedule === spec.name);
    if (user === undefined) continue;
    const schedule = scheduleOf(input, user.index);
    const baselines = input.facts.scheduleBaselines(spec.name);
    const change = scheduleChangeOf(schedule, axis.first, today, baselines, pipeline.safety.scheduleChange);
    if (change.believed.length + change.doubted.length > 0) scheduleChanges.set(spec.name, change);
    const fault = change.doubt ?? scheduleHole(spec, schedule, axis.first, today);
    if (fault !== null) scheduleFaults.set(spec.name, fault);
  }
  return { scheduleFaults, scheduleChanges };
}

function massGapText(gaps: number, complete: number, maxShare: number): string {
  return `${gaps} of ${complete} cells that were complete became gaps; more than ${Math.round(maxShare * 100)} % at once is taken for a fault of the detector`;
}
