import { assess } from "./assess.ts";
import { type Assessment, type AssessInput, scheduleOf } from "./assessment.ts";
import { upstreamsOf } from "./assess-states.ts";
import { closedCircuit } from "./breaker.ts";
import type { LedgerFacts } from "./ledger-facts.ts";
import { plan, type PlannedJob } from "./plan.ts";
import { runsElsewhere } from "./run-history.ts";
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
 * Everything that a run would do if every repair worked, wave by wave: assess, plan, take what was planned for complete,
 * and again, until nothing more becomes ready. Backoff is waited out and runs in flight succeed, those elsewhere too.
 */
export function cascade(input: AssessInput): readonly PlannedStep[] {
  const { axis } = input.sight;
  const assumed = new Uint8Array(input.compiled.pipeline.processors.length * axis.length);
  for (const run of input.inFlight) {
    for (const processor of run.processors)
      for (const day of run.days) assume(assumed, input, processor, day);
  }
  const elsewhere = runsElsewhere(input.compiled.pipeline, input.sight.runHistory, input.facts, input.now);
  for (const { processor, day } of elsewhere.running) assume(assumed, input, processor, day);
  const steps: PlannedStep[] = [];
  const stepOfCell = new Int32Array(assumed.length).fill(-1);
  const policy = { ...input.policy, ignoreBackoff: true };
  const probed = withProvenCircuits(input.facts);
  for (let wave = 1; ; wave++) {
    const facts = wave === 1 ? input.facts : probed;
    const assessment = assess({ ...input, facts, policy, inFlight: [], assumed });
    const jobs = plan(assessment, { jobsMax: Infinity, cellsMax: Infinity, recentSlots: 0, slots: false });
    if (jobs.length === 0) return steps;
    const first = steps.length;
    for (const job of jobs) steps.push(stepOf(assessment, job, wave, steps, stepOfCell));
    for (const [offset, job] of jobs.entries()) {
      for (const processor of input.compiled.pipeline.repairUnits[job.repairUnit]?.processors ?? []) {
        for (const day of job.days) {
          stepOfCell[processor * axis.length + day - axis.first] = first + offset;
          assume(assumed, input, processor, day);
        }
      }
    }
  }
}

/** The first wave probes what is half open; where every repair works, that closes the circuit. */
function withProvenCircuits(facts: LedgerFacts): LedgerFacts {
  const circuits = facts.circuits.map((circuit) => (circuit.state === "half_open" ? closedCircuit : circuit));
  return { ...facts, circuits };
}

function assume(assumed: Uint8Array, input: AssessInput, processor: number, day: number): void {
  const position = day - input.sight.axis.first;
  if (position >= 0 && position < input.sight.axis.length)
    assumed[processor * input.sight.axis.length + position] = 1;
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
