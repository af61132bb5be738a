import type { ScheduleChange } from "./breaker.ts";
import { compileJudge, type DateContext, type Judge, requiredRows } from "./expectation.ts";
import { buildGraph, type Graph } from "./graph.ts";
import type { Grid } from "./grid.ts";
import { type Day, type IsoDate, toDay } from "./iso-date.ts";
import type { InFlight, LedgerFacts } from "./ledger-facts.ts";
import type { Observations, OutsideRows, RunHistoryObservation, ScheduleStrays } from "./observation.ts";
import { alignObservation, type Observed } from "./observed.ts";
import type { Pipeline, Processor } from "./pipeline.ts";
import type { RunPolicy } from "./policy.ts";
import { judgingPlan, type JudgingPlan, othersAt } from "./references.ts";
import type { RunsElsewhere } from "./run-history.ts";
import { type Axis, axisOf, completeSchedules, type DenseSchedule, denseSchedules } from "./schedule.ts";
import { type EpochMs, localDayAt } from "./wall-clock.ts";

/** A pipeline with what is derived from it once. */
export interface CompiledPipeline {
  readonly pipeline: Pipeline;
  readonly graph: Graph;
  /** By processor index. */
  readonly judges: readonly Judge[];
  readonly byName: ReadonlyMap<string, Processor>;
  readonly judging: JudgingPlan;
}

export function compilePipeline(pipeline: Pipeline): CompiledPipeline {
  const nodes = pipeline.processors.map(({ name, edges }) => ({
    name,
    upstreams: edges.flatMap((edge) => edge.anyOf),
  }));
  return {
    pipeline,
    graph: buildGraph(nodes),
    judges: pipeline.processors.map((processor) => compileJudge(processor.expect)),
    byName: new Map(pipeline.processors.map((processor) => [processor.name, processor])),
    judging: judgingPlan(pipeline.processors),
  };
}

/** Everything that one pass over the warehouse saw, spread over the axis. */
export interface Sight {
  readonly axis: Axis;
  /** Today in the pipeline's zone, and the last day of the axis. */
  readonly today: Day;
  readonly schedules: ReadonlyMap<string, DenseSchedule>;
  /** By processor index. */
  readonly observed: readonly Observed[];
  /** By processor name: rows outside of the dates that the scan read, where they were counted. */
  readonly outside: ReadonlyMap<string, OutsideRows>;
  /** By schedule name: its rows that are none of its dates, if there are any. */
  readonly scheduleStrays: ReadonlyMap<string, ScheduleStrays>;
  /** Repairs with a precondition that was not true, and which. */
  readonly unmetPreconditions: ReadonlyMap<string, string>;
  /** Null where the pipeline has none. */
  readonly runHistory: RunHistoryObservation | null;
}

/**
 * @param last the last day of the axis where the user asked for more than today
 * @param first a day before the schedules' first one from which on the axis is wanted
 * @throws ReconcilerError `schedule_empty`
 */
export function alignSight(
  compiled: CompiledPipeline,
  observations: Observations,
  now: EpochMs,
  last?: Day,
  first: Day = Infinity,
): Sight {
  const { pipeline } = compiled;
  const today = localDayAt(now, pipeline.timezone);
  const end = Math.max(today, last ?? today);
  const schedules = completeSchedules(pipeline.schedules, observations.schedules, end);
  const axis = axisOf(schedules, end, first);
  return {
    axis,
    today,
    schedules: denseSchedules(pipeline, schedules, axis, observations.schedules),
    observed: pipeline.processors.map(({ name }) =>
      alignObservation(observations.processors.get(name), axis),
    ),
    outside: observations.outside ?? new Map(),
    scheduleStrays: new Map(
      [...observations.schedules].flatMap(([name, { strays }]) =>
        strays === undefined ? [] : [[name, strays] as const],
      ),
    ),
    unmetPreconditions: observations.unmetPreconditions,
    runHistory: observations.runHistory,
  };
}

/** `repaired` whatever was seen, or `outdated` by a repair that is taken to have happened. */
export const Assumed = { nothing: 0, repaired: 1, outdated: 2 } as const;

export interface AssessInput {
  readonly compiled: CompiledPipeline;
  readonly sight: Sight;
  readonly facts: LedgerFacts;
  /** Queued and running, the ledger's unfinished starts among them. */
  readonly inFlight: readonly InFlight[];
  readonly now: EpochMs;
  readonly policy: RunPolicy;
  readonly selection: Grid["selection"];
  /** What a forecast takes for granted of each cell, as a code of `Assumed`; null for what is really there. */
  readonly assumed: Uint8Array | null;
}

/** What the breakers say against the detector; their cells are held and the cycle is not accepted. */
export interface Breakers {
  /** By processor index: the mass gap in words; null where there is none. */
  readonly massGaps: readonly (string | null)[];
  readonly overallMassGap: string | null;
  /** By schedule name: why it is not believed. */
  readonly scheduleFaults: ReadonlyMap<string, string>;
  /** By schedule name: the past dates that left it, believed or not; a schedule that lost none is left out. */
  readonly scheduleChanges: ReadonlyMap<string, ScheduleChange>;
}

export interface Assessment extends AssessInput {
  readonly grid: Grid;
  readonly elsewhere: RunsElsewhere;
  readonly breakers: Breakers;
  /** The states by what was observed alone, before clock, exemptions and what a forecast assumes. */
  readonly judgedStates: Uint8Array;
  /** 1 where the cell is waived with `downstream: proceed`. */
  readonly proceeds: Uint8Array;
}

/** The schedule of a processor. */
export function scheduleOf(input: Pick<AssessInput, "compiled" | "sight">, processor: number): DenseSchedule {
  const name = input.compiled.pipeline.processors[processor]?.schedule ?? "";
  const schedule = input.sight.schedules.get(name);
  if (schedule === undefined) throw new RangeError(`processor ${processor} has no schedule "${name}"`);
  return schedule;
}

export function dateContext(schedule: DenseSchedule, axis: Axis, position: number): DateContext {
  const season = schedule.seasons[schedule.season[position] ?? -1];
  return {
    scheduled: schedule.scheduled[position] === 1,
    units: schedule.units[position] ?? 0,
    seasonDay: season === undefined ? 0 : axis.first + position - season.startDay,
  };
}

/** What the expectation of a cell is judged against, the cells that it refers to among it. */
export function cellContext(
  input: Pick<Assessment, "compiled" | "sight" | "assumed" | "judgedStates">,
  processor: number,
  position: number,
): DateContext {
  const context = dateContext(scheduleOf(input, processor), input.sight.axis, position);
  const references = input.compiled.judging.references[processor] ?? null;
  if (references === null) return context;
  const { sight, judgedStates, assumed, compiled } = input;
  const assumedRows = ({ index }: Processor, at: number): number | null => {
    if (assumed?.[index * sight.axis.length + at] !== 1) return null;
    const [judge, seen] = [compiled.judges[index], sight.observed[index]];
    if (judge === undefined || seen === undefined) return null;
    const required = requiredRows(judge, seen.profile, seen.entries[at] ?? -1, cellContext(input, index, at));
    // A gap that is repaired has at least a row: it was one because rows are expected.
    return Math.max(1, required);
  };
  return { ...context, others: othersAt(references, { sight, judgedStates, assumedRows }, position) };
}

/** Positions of a range of dates on the axis, clipped to it; `from` > `to` where nothing is left. */
export function positionsOf(
  axis: Axis,
  start: IsoDate | null,
  end: IsoDate | null,
): { from: number; to: number } {
  return {
    from: start === null ? 0 : Math.max(0, toDay(start) - axis.first),
    to: end === null ? axis.length - 1 : Math.min(axis.length - 1, toDay(end) - axis.first),
  };
}
