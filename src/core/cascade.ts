import { assess } from "./assess.ts";
import { type Assessment, type AssessInput, Assumed, scheduleOf } from "./assessment.ts";
import { upstreamsOf } from "./assess-states.ts";
import { closedCircuit } from "./breaker.ts";
import { Changing, Disposition } from "./grid.ts";
import type { Day } from "./iso-date.ts";
import type { LedgerFacts } from "./ledger-facts.ts";
import { plan, type PlannedJob } from "./plan.ts";
import { runsElsewhere } from "./run-history.ts";
import { isFollowed, outdatedBy, ownPast } from "./staleness.ts";
import { windowAt } from "./windows.ts";

/** One job of the whole cascade. */
export interface PlannedStep extends PlannedJob {
  /** 1 for what a run would start at once; each next wave needs something of the one before. */
  readonly wave: number;
  /** Ids of the steps whose output it reads. */
  readonly needs: readonly string[];
  /** By the mean of its past runs; null without any. */
  readonly forecastSeconds: number | null;
}

/**
 * Everything that a run would do if every repair worked, wave by wave: assess, plan, take what was planned for repaired and
 * what that outdates for outdated, and again, until nothing more becomes ready. Backoff is waited out and runs in flight
 * succeed, those elsewhere too.
 */
export function cascade(input: AssessInput): readonly PlannedStep[] {
  const { axis } = input.sight;
  const { pipeline } = input.compiled;
  const assumed = new Uint8Array(pipeline.processors.length * axis.length);
  const policy = { ...input.policy, ignoreBackoff: true };
  const assessed = (facts: LedgerFacts) => assess({ ...input, facts, policy, inFlight: [], assumed });
  const under = underWay(input);
  if (under.length > 0) assumeRepaired(assessed(input.facts), assumed, under);
  const steps: PlannedStep[] = [];
  const stepOfCell = new Int32Array(assumed.length).fill(-1);
  const probed = withProvenCircuits(input.facts);
  for (let wave = 1; ; wave++) {
    const assessment = assessed(wave === 1 ? input.facts : probed);
    const jobs = plan(assessment, { jobsMax: Infinity, cellsMax: Infinity, recentSlots: 0, slots: false });
    if (jobs.length === 0) return steps;
    const first = steps.length;
    for (const job of jobs) steps.push(stepOf(assessment, job, wave, steps, stepOfCell));
    const runs = jobs.map((job, offset) => {
      const processors = pipeline.repairUnits[job.repairUnit]?.processors ?? [];
      for (const processor of processors) {
        for (const day of job.days) stepOfCell[processor * axis.length + day - axis.first] = first + offset;
      }
      return { processors, days: job.days };
    });
    assumeRepaired(assessment, assumed, runs);
  }
}

interface AssumedRun {
  readonly processors: readonly number[];
  readonly days: readonly Day[];
}

/** What is queued or running, here and elsewhere. */
function underWay(input: AssessInput): readonly AssumedRun[] {
  const { running } = runsElsewhere(input.compiled.pipeline, input.sight.runHistory, input.facts, input.now);
  return [
    ...input.inFlight,
    ...running.map(({ processor, day }) => ({ processors: [processor], days: [day] })),
  ];
}

/** Takes the cells of runs for repaired, and those that are outdated by it for outdated. */
function assumeRepaired(assessment: Assessment, assumed: Uint8Array, runs: readonly AssumedRun[]): void {
  const { axis, pipeline } = assessment.grid;
  const isOnAxis = (position: number) => position >= 0 && position < axis.length;
  const cellsOf = ({ processors, days }: AssumedRun) =>
    processors.flatMap((processor) =>
      days
        .map((day) => day - axis.first)
        .filter(isOnAxis)
        .map((position) => ({ processor, position })),
    );
  const cells = runs.map(cellsOf);
  for (const { processor, position } of cells.flat()) {
    assumed[processor * axis.length + position] = Assumed.repaired;
  }
  for (const own of cells) {
    const filled = new Set(own.map(({ processor, position }) => processor * axis.length + position));
    const isFilled = (processor: number, position: number) => filled.has(processor * axis.length + position);
    for (const { processor: index, position } of own) {
      const processor = pipeline.processors[index];
      // A run of a shared repair leaves the tables that were whole as they were.
      if (processor === undefined || !isOpen(assessment, index, position)) continue;
      for (const dependent of outdatedBy(assessment, processor, position, isFilled)) {
        if (!isFollowed(assessment, dependent.processor)) continue;
        for (const at of dependent.positions) {
          assumed[dependent.processor.index * axis.length + at] = Assumed.outdated;
        }
      }
    }
  }
}

/** Whether a run of the cell's repair changes the cell. */
function isOpen({ grid }: Assessment, processor: number, position: number): boolean {
  const cell = processor * grid.axis.length + position;
  return grid.dispositions[cell] !== Disposition.none || grid.changing[cell] === Changing.carried;
}

/** The first wave probes what is half open; where every repair works, that closes the circuit. */
function withProvenCircuits(facts: LedgerFacts): LedgerFacts {
  const circuits = facts.circuits.map((circuit) => (circuit.state === "half_open" ? closedCircuit : circuit));
  return { ...facts, circuits };
}

function stepOf(
  assessment: Assessment,
  job: PlannedJob,
  wave: number,
  steps: readonly PlannedStep[],
  stepOfCell: Int32Array,
): PlannedStep {
  const { axis, pipeline } = assessment.grid;
  const unit = pipeline.repairUnits[job.repairUnit];
  const needed = new Set<number>();
  for (const index of unit?.processors ?? []) {
    const own = scheduleOf(assessment, index);
    for (const edge of pipeline.processors[index]?.edges ?? []) {
      for (const upstream of upstreamsOf(assessment, edge)) {
        const upSchedule = scheduleOf(assessment, upstream.index);
        for (const day of job.days) {
          const { from, to } = windowAt(edge.window, upSchedule, own, day - axis.first);
          for (let at = from; at <= to; at++) needed.add(stepOfCell[upstream.index * axis.length + at] ?? -1);
        }
      }
    }
    if (pipeline.processors[index]?.dependsOnPast === true) {
      for (const day of job.days) {
        const { from, to } = windowAt(ownPast, own, own, day - axis.first);
        if (from <= to) needed.add(stepOfCell[index * axis.length + from] ?? -1);
      }
    }
  }
  needed.delete(-1);
  const perDate = assessment.facts.runTimes[job.repairUnit]?.meanSecondsPerDate ?? null;
  return {
    ...job,
    wave,
    needs: [...needed].sort((a, b) => a - b).flatMap((step) => steps[step]?.id ?? []),
    forecastSeconds: perDate === null ? null : Math.round(perDate * job.days.length * 10) / 10,
  };
}
