import { type DateRange, type Day, fromDay, type IsoDate, parseIsoDate } from "../core/iso-date.ts";
import type {
  Observations,
  ProcessorObservation,
  RunHistoryObservation,
  Unseen,
} from "../core/observation.ts";
import { replaceDays } from "../core/observed.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { storedSchedules } from "../core/schedule.ts";
import { type EpochMs, localDayAt } from "../core/wall-clock.ts";
import type { ReconcileContext } from "./context.ts";
import type { ProfileResult } from "./ports.ts";
import { readRunHistory } from "./run-history.ts";

/** Before any data: where a schedule without a start date is read from. */
const dawn: IsoDate = parseIsoDate("1900-01-01");

export interface ObserveOptions {
  /** The one `now` of the look. */
  readonly now: EpochMs;
  /** Looks so far into the future; null looks up to today. */
  readonly lastDay: Day | null;
  /** As in `SurveyRequest`. */
  readonly budgetBytes: number;
  /** What the look before knew of runs elsewhere; null at first. */
  readonly runHistory: RunHistoryObservation | null;
  readonly signal?: AbortSignal;
}

/**
 * Asks the warehouse about every processor over the whole history.
 * @throws ReconcilerError where the warehouse cannot be read at all, or a schedule cannot
 */
export async function observe(
  context: Pick<ReconcileContext, "compiled" | "warehouse">,
  options: ObserveOptions,
): Promise<Observations> {
  const { warehouse } = context;
  const { pipeline } = context.compiled;
  const { now, signal } = options;
  const specs = storedSchedules(pipeline.schedules);
  const range = rangeOfLook(pipeline, now, options.lastDay);
  const { processors } = pipeline;
  const runHistory = await readRunHistory(context, { now, range, before: options.runHistory, signal });
  const seen = await warehouse.survey({
    schedules: specs,
    processors,
    // What precedes the schedule's first date is left aside later.
    range,
    budgetBytes: options.budgetBytes,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    now,
    ...seen,
    runHistory,
    unmetPreconditions: await unmetPreconditions(context, pipeline, signal),
  };
}

/** The dates of a look, both ends included: all of the history, up to today or to a later day that was asked for. */
export function rangeOfLook(pipeline: Pipeline, now: EpochMs, lastDay: Day | null): DateRange {
  const last = Math.max(localDayAt(now, pipeline.timezone), lastDay ?? -Infinity);
  return { start: firstDate(pipeline), end: fromDay(last) };
}

function firstDate({ schedules }: Pipeline): IsoDate {
  const starts = schedules.map(({ startDate }) => startDate ?? dawn);
  return starts.reduce((first, start) => (start < first ? start : first), starts[0] ?? dawn);
}

/** The observations in which the days from `from` to `to`, both included, are as a later profile saw them. */
export function mergeProfiles(before: Observations, later: ProfileResult, from: Day, to: Day): Observations {
  const processors = new Map(before.processors);
  for (const [name, observation] of later.processors) {
    processors.set(name, mergeObservation(before.processors.get(name), observation, from, to));
  }
  return { ...before, processors, scanBytes: before.scanBytes + later.scanBytes };
}

/** What was never seen whole cannot be made whole by a piece: such a processor stays unknown until the next full pass. */
function mergeObservation(
  before: ProcessorObservation | undefined,
  later: ProcessorObservation,
  from: Day,
  to: Day,
): ProcessorObservation {
  if (later.kind === "failed" || before === undefined) return later;
  if (before.kind === "failed") return before;
  return {
    kind: "observed",
    profile: replaceDays(before.profile, later.profile, from, to),
    unseen: seenBetween(before.unseen, from, to),
  };
}

function seenBetween(unseen: Unseen | null, from: Day, to: Day): Unseen | null {
  if (unseen === null) return null;
  const days = new Set([...unseen.days].filter((day) => day < from || day > to));
  return days.size === 0 ? null : { ...unseen, days };
}

async function unmetPreconditions(
  { warehouse }: Pick<ReconcileContext, "warehouse">,
  pipeline: Pipeline,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const units = pipeline.repairUnits.filter(({ preconditions }) => preconditions.length > 0);
  const statements = [...new Set(units.flatMap(({ preconditions }) => preconditions))];
  if (statements.length === 0) return new Map();
  const results = await warehouse.checkPreconditions(statements, signal);
  const unmet = new Map<string, string>();
  for (const unit of units) {
    const failed = unit.preconditions.find(
      (statement) => results[statements.indexOf(statement)]?.met !== true,
    );
    if (failed !== undefined) unmet.set(unit.name, failed);
  }
  return unmet;
}
