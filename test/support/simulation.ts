import { assess } from "../../src/core/assess.ts";
import { alignSight, type Assessment, type AssessInput, compilePipeline } from "../../src/core/assessment.ts";
import { isGapCell } from "../../src/core/batches.ts";
import { Changing, dateAt, dispositionName, isGapState, stateName } from "../../src/core/grid.ts";
import { type Day, fromDay, toDay } from "../../src/core/iso-date.ts";
import { foldLedger, type InFlight } from "../../src/core/ledger-facts.ts";
import { type CellAttempt, emptyLedgerRecords, type GapEvent } from "../../src/core/ledger-records.ts";
import type { ProcessorObservation, ScheduleObservation } from "../../src/core/observation.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { inputsOfRun, inputVersions, outdatesOf } from "../../src/core/staleness.ts";
import { plan, type PlannedJob } from "../../src/core/plan.ts";
import { nextReadyAt } from "../../src/reconcile/next-ready.ts";

/** A warehouse of one number per cell, repairs that obey a rule, and a clock that jumps to the next thing that happens. */
export interface World {
  readonly pipeline: Pipeline;
  readonly schedules: ReadonlyMap<string, ScheduleObservation>;
  readonly first: Day;
  readonly days: number;
  /** Rows by processor, then by day from `first` on. */
  readonly rows: number[][];
  /** Processors whose query fails. */
  readonly unseen: ReadonlySet<number>;
  readonly now: number;
  /** What a run of a cell does; asked once per cell and run. */
  readonly rule: (processor: number, day: Day, run: number) => "fill" | "fail" | "nothing" | "give_up";
}

/** What the property tests look at each time that something was planned. */
export interface Moment {
  readonly input: AssessInput;
  /** After the plan marked what it puts off. */
  readonly assessment: Assessment;
  readonly jobs: readonly PlannedJob[];
  readonly attempts: readonly CellAttempt[];
}

export interface Ending {
  readonly assessment: Assessment;
  readonly attempts: readonly CellAttempt[];
  readonly rounds: number;
}

interface Running {
  readonly job: PlannedJob;
  /** As it was when the job began: which cells were open is decided then. */
  readonly start: Assessment;
  readonly startedAt: number;
  readonly endsAt: number;
}

export const requiredRows = 4;
const secondsPerRun = 90;
const limits = { jobsMax: 5, cellsMax: 40, recentSlots: 1, slots: true };

/**
 * Looks, plans, starts, lets the next run end, and again, until there is nothing to run or to wait for.
 * @throws RangeError where it does not come to an end in `roundsMax` rounds
 */
export function simulate(world: World, roundsMax: number, onPlanned: (moment: Moment) => void): Ending {
  const attempts: CellAttempt[] = [];
  const events: GapEvent[] = [];
  const running: Running[] = [];
  let now = world.now;
  for (let rounds = 1; rounds <= roundsMax; rounds++) {
    const input = lookAt(world, now, attempts, events, running);
    const assessment = assess(input);
    events.push(...openings(assessment));
    const jobs = plan(assessment, limits);
    onPlanned({ input, assessment, jobs, attempts });
    for (const [index, job] of jobs.entries()) {
      running.push({
        job,
        start: assessment,
        startedAt: now,
        endsAt: now + (secondsPerRun + 7 * index) * 1000,
      });
    }
    const next = running.toSorted((a, b) => a.endsAt - b.endsAt)[0];
    if (next !== undefined) {
      running.splice(running.indexOf(next), 1);
      now = next.endsAt;
      attempts.push(...endRun(world, assessment, next, attempts));
      continue;
    }
    const wakeAt = nextAttemptAt(assessment);
    if (wakeAt === null) return { assessment, attempts, rounds };
    now = wakeAt;
  }
  throw new RangeError(`did not end in ${roundsMax} rounds`);
}

/** An assessment of the world as it is, without history or runs. */
export function inputAtFirst(world: World): AssessInput {
  return lookAt(world, world.now, [], [], []);
}

function lookAt(
  world: World,
  now: number,
  attempts: readonly CellAttempt[],
  gapEvents: readonly GapEvent[],
  running: readonly Running[],
): AssessInput {
  const { pipeline } = world;
  const compiled = compilePipeline(pipeline);
  const observations = {
    now,
    schedules: world.schedules,
    processors: new Map(pipeline.processors.map(({ name, index }) => [name, observe(world, index)])),
    unmetPreconditions: new Map<string, string>(),
    runHistory: null,
    scanBytes: 0,
  };
  const sight = alignSight(compiled, observations, now);
  const inFlight = running.map(
    ({ job }): InFlight => ({
      repairUnit: job.repairUnit,
      state: "running",
      processors: pipeline.repairUnits[job.repairUnit]?.processors ?? [],
      days: job.days,
    }),
  );
  return {
    compiled,
    sight,
    facts: foldLedger(
      pipeline,
      { ...emptyLedgerRecords, attempts: [...attempts], gapEvents: [...gapEvents] },
      now,
    ),
    inFlight,
    now,
    policy: { maxAgeMs: null, wanted: [], horizon: world.now, ignoreBackoff: false },
    selection: {
      processors: new Set(pipeline.processors.map(({ index }) => index)),
      from: 0,
      to: sight.axis.length - 1,
    },
    assumed: null,
  };
}

function observe(world: World, processor: number): ProcessorObservation {
  if (world.unseen.has(processor)) {
    return { kind: "failed", failure: { code: "query_failed", message: "it failed" } };
  }
  const seen = (world.rows[processor] ?? []).flatMap((rows, offset) => (rows > 0 ? [{ rows, offset }] : []));
  const none = new Float64Array(seen.length).fill(Number.NaN);
  return {
    kind: "observed",
    unseen: null,
    profile: {
      days: Int32Array.from(seen, ({ offset }) => world.first + offset),
      rows: Float64Array.from(seen, ({ rows }) => rows),
      entities: none,
      firstWriteMs: none,
      lastWriteMs: none,
      metrics: [],
    },
  };
}

function openings({ grid, facts, now }: Assessment): GapEvent[] {
  return grid.pipeline.processors.flatMap(({ name, index }) =>
    Array.from({ length: grid.axis.length }, (_, position) => position)
      .filter((position) => isGapCell({ grid }, index, position))
      .filter((position) => !facts.cellFacts(index, grid.axis.first + position).openOnRecord)
      .map((position) => ({
        at: now,
        cycleId: "c",
        processor: name,
        date: dateAt(grid.axis, position),
        event: "opened" as const,
        state: stateName(grid.states[index * grid.axis.length + position] ?? 0),
        wasComplete: false,
      })),
  );
}

/** Fills what the rule fills and records every cell that was open when the run began. */
function endRun(
  world: World,
  assessment: Assessment,
  { job, start, startedAt, endsAt }: Running,
  before: readonly CellAttempt[],
): CellAttempt[] {
  const { grid } = start;
  const unit = world.pipeline.repairUnits[job.repairUnit];
  const isFilled = (index: number, day: number) =>
    unit?.processors.includes(index) === true && job.days.includes(day);
  const made = (unit?.processors ?? []).flatMap((index) => {
    const processor = world.pipeline.processors[index];
    const own = world.rows[index];
    if (processor === undefined || own === undefined) return [];
    return job.days.flatMap((day) => {
      const position = day - grid.axis.first;
      const state = grid.states[index * grid.axis.length + position] ?? 0;
      const isCarried = grid.changing[index * grid.axis.length + position] === Changing.carried;
      if (!isGapState(state) && !isCarried) return [];
      const runs = before.filter(
        ({ processor: name, date }) => name === processor.name && date === fromDay(day),
      );
      const what = world.rule(index, day, runs.length);
      const isScheduled = grid.schedules.get(processor.schedule)?.scheduled[position] === 1;
      if (what === "fill") own[day - world.first] = isScheduled ? requiredRows : 0;
      const filled = what === "fill";
      return [
        {
          processor: processor.name,
          date: fromDay(day),
          repairId: job.id,
          startedAt,
          endedAt: endsAt,
          outcome: filled
            ? "repaired"
            : what === "nothing"
              ? "ineffective"
              : what === "fail"
                ? "failed"
                : "failed_permanently",
          charged: !filled,
          worse: false,
          stateBefore: stateName(state),
          stateAfter: filled ? (isScheduled ? "complete" : "unscheduled") : stateName(state),
          rowsBefore: 0,
          rowsAfter: 0,
          batchDates: job.days.length,
          repairHash: unit?.hash ?? "",
          expectationHash: processor.expect.hash,
          inputs: inputVersions(start, processor, position),
          outdates: filled ? outdatesOf(assessment, processor, day, isFilled) : {},
          notBefore: null,
        } as const,
      ];
    });
  });
  // What a run filled together was computed from what it had just filled.
  const after = lookAt(world, endsAt, [], [], []);
  return made.map((attempt) => {
    const processor = after.compiled.byName.get(attempt.processor);
    if (processor === undefined || attempt.outcome !== "repaired") return attempt;
    const position = toDay(attempt.date) - after.sight.axis.first;
    return {
      ...attempt,
      inputs: inputsOfRun(after, processor, position, { before: attempt.inputs, filled: isFilled }),
    };
  });
}

function nextAttemptAt(assessment: Assessment): number | null {
  const at = nextReadyAt(assessment, { elsewhereAt: null, awaitsProbes: true });
  return at === null ? null : Math.max(at, assessment.now + 1);
}

/** Every gap with where it stands, for a message that a person can read. */
export function gapsOf({ grid }: Assessment): readonly string[] {
  return grid.pipeline.processors.flatMap(({ name, index }) =>
    Array.from({ length: grid.axis.length }, (_, position) => position)
      .filter((position) => isGapCell({ grid }, index, position))
      .map((position) => {
        const cell = index * grid.axis.length + position;
        return `${name}/${dateAt(grid.axis, position)} ${dispositionName(grid.dispositions[cell] ?? 0)}`;
      }),
  );
}
