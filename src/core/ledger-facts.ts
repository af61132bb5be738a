import { type Circuit, circuitOf, daysOfBaseline } from "./breaker.ts";
import { assertNever } from "../errors.ts";
import { type Decisions, foldDecisions } from "./decisions.ts";
import { type Day, toDay } from "./iso-date.ts";
import type {
  Baseline,
  CellAttempt,
  GapEvent,
  LedgerRecords,
  Outcome,
  RepairStart,
  RunTimes,
} from "./ledger-records.ts";
import { parseDateRuns } from "./date-runs.ts";
import { memoByIdentity } from "./memo.ts";
import type { Pipeline, Processor, RepairUnit } from "./pipeline.ts";
import { type CellFacts, foldCell, groupByCell, inputsOf, noFacts, type RetryRules } from "./retry-policy.ts";
import type { EpochMs } from "./wall-clock.ts";

/** A run that was enqueued or started and is not known to have ended. */
export interface InFlight {
  readonly repairUnit: number;
  readonly state: "queued" | "running";
  readonly processors: readonly number[];
  /** Ascending. */
  readonly days: readonly Day[];
}

/** The ledger, folded into what assessing and planning ask of it. */
export interface LedgerFacts {
  readonly cellFacts: (processor: number, day: Day) => CellFacts;
  readonly everComplete: (processor: number, day: Day) => boolean;
  /** Days whose cells were computed from what a repair of this pipeline replaced afterwards, with the end of that repair. */
  readonly outdated: (processor: number) => ReadonlyMap<Day, EpochMs>;
  /** The last repair of ours that made each cell. */
  readonly made: (processor: number) => ReadonlyMap<Day, Made>;
  /** Every cell that the ledger holds as an open gap. */
  readonly openOnRecord: readonly { readonly processor: number; readonly day: Day }[];
  /** By repair unit. */
  readonly circuits: readonly Circuit[];
  /** Baselines that belong to the processor's present expectation and were not overruled by an `accept`. */
  readonly baselines: (processor: number) => readonly Baseline[];
  /** The same for a schedule, oldest first. */
  readonly scheduleBaselines: (schedule: string) => readonly Baseline[];
  /** What a run failed with, where it ended in the last days. */
  readonly failureOf: (
    repairId: string,
  ) => { readonly code: string | null; readonly message: string | null } | null;
  readonly unfinished: readonly RepairStart[];
  readonly decisions: Decisions;
  readonly startsLast24h: number;
  readonly scanBytesLast24h: number;
  /** By repair unit; null without history. */
  readonly runTimes: readonly (RunTimes | null)[];
  readonly rules: (processor: number, day: Day) => RetryRules;
  /** Whether what others record to have started then, for the cell, is a run of ours that ended or is still watched over. */
  readonly isOwnRun: (processor: number, day: Day, startedAt: EpochMs) => boolean;
}

const attemptsByCell = memoByIdentity((attempts: readonly CellAttempt[]) =>
  groupByCell(attempts, (attempt) => toDay(attempt.date)),
);
const eventsByCell = memoByIdentity((events: readonly GapEvent[]) =>
  groupByCell(events, (event) => toDay(event.date)),
);

/** A repair that made what a cell holds, or held. */
export interface Made {
  /** The versions that it was made from, as in `CellOutcome`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** When it was proven. */
  readonly at: EpochMs;
}

const nothingMade: ReadonlyMap<Day, Made> = new Map();

/** By processor. Attempts stand oldest first, so that the last one counts. */
const madeCells = memoByIdentity((attempts: readonly CellAttempt[]) => {
  const made = new Map<string, Map<Day, Made>>();
  for (const attempt of attempts) {
    const { processor, date, outcome, endedAt } = attempt;
    if (outcome !== "repaired") continue;
    const days = made.get(processor) ?? new Map<Day, Made>();
    made.set(processor, days);
    days.set(toDay(date), { inputs: inputsOf(attempt), at: endedAt });
  }
  return made;
});

const noDays: ReadonlyMap<Day, EpochMs> = new Map();

/**
 * By processor: the days that a run outdated, with the end of the last such run. A repair that began after it was computed
 * from the new input, so that the cell is outdated no more.
 */
const outdatedCells = memoByIdentity((attempts: readonly CellAttempt[]) => {
  const outdated = new Map<string, Map<Day, EpochMs>>();
  for (const { outdates, endedAt } of attempts) {
    for (const [processor, dates] of Object.entries(outdates)) {
      const days = outdated.get(processor) ?? new Map<Day, EpochMs>();
      outdated.set(processor, days);
      for (const day of parseDateRuns(dates)) days.set(day, Math.max(endedAt, days.get(day) ?? 0));
    }
  }
  for (const { processor, date, outcome, startedAt } of attempts) {
    const days = outdated.get(processor);
    const day = toDay(date);
    if (outcome === "repaired" && days !== undefined && startedAt >= (days.get(day) ?? Infinity))
      days.delete(day);
  }
  return outdated;
});

export function foldLedger(pipeline: Pipeline, records: LedgerRecords, now: EpochMs): LedgerFacts {
  const decisions = foldDecisions(pipeline, records.decisions);
  const attempts = attemptsByCell(records.attempts);
  const events = eventsByCell(records.gapEvents);
  const outdatings = outdatedCells(records.attempts);
  const rules = (processor: number, day: Day) =>
    retryRules(pipeline, pipeline.processors[processor], day, decisions);
  const histories = pipeline.processors.map(({ name }) => ({
    attempts: attempts.get(name),
    events: events.get(name),
    folded: new Map<Day, CellFacts>(),
  }));
  const cellFacts = (processor: number, day: Day): CellFacts => {
    const history = histories[processor];
    const ownAttempts = history?.attempts?.get(day);
    const ownEvents = history?.events?.get(day);
    if (history === undefined || (ownAttempts === undefined && ownEvents === undefined)) return noFacts;
    const known = history.folded.get(day);
    if (known !== undefined) return known;
    const folded = foldCell(ownAttempts ?? [], ownEvents ?? [], rules(processor, day), now);
    history.folded.set(day, folded);
    return folded;
  };
  const baselines = pipeline.processors.map((processor) =>
    baselinesOf(records.baselines, processor, decisions),
  );
  const completeOnce = pipeline.processors.map(({ name }) => {
    const own = records.baselines.filter(
      (baseline) => baseline.subject === "processor" && baseline.name === name,
    );
    return own.map(daysOfBaseline);
  });
  return {
    cellFacts,
    everComplete: (processor, day) =>
      cellFacts(processor, day).everComplete ||
      (completeOnce[processor]?.some((days) => days.has(day)) ?? false),
    outdated: (processor) => outdatings.get(pipeline.processors[processor]?.name ?? "") ?? noDays,
    made: (processor) =>
      madeCells(records.attempts).get(pipeline.processors[processor]?.name ?? "") ?? nothingMade,
    get openOnRecord() {
      return histories.flatMap(({ events: own }, processor) =>
        [...(own?.keys() ?? [])]
          .filter((day) => cellFacts(processor, day).openOnRecord)
          .map((day) => ({ processor, day })),
      );
    },
    circuits: pipeline.repairUnits.map((unit) => {
      const ends = records.recentEnds.filter((end) => end.repair === unit.name);
      const released = Math.max(
        0,
        ...unit.processors.map((index) => decisions.releasedAt(nameOf(pipeline, index))),
      );
      return circuitOf(ends, pipeline.safety.circuitBreaker, released, now);
    }),
    baselines: (processor) => baselines[processor] ?? [],
    scheduleBaselines: (schedule) => scheduleBaselinesOf(pipeline, records.baselines, schedule, decisions),
    failureOf(repairId) {
      const end = records.recentEnds.findLast((candidate) => candidate.repairId === repairId);
      return end === undefined ? null : { code: end.errorCode, message: end.message };
    },
    unfinished: records.unfinished,
    decisions,
    startsLast24h: records.startsLast24h,
    scanBytesLast24h: records.scanBytesLast24h,
    runTimes: pipeline.repairUnits.map(
      (unit) => records.runTimes.find(({ repair }) => repair === unit.name) ?? null,
    ),
    rules,
    isOwnRun(processor, day, startedAt) {
      const unit = pipeline.repairUnits[pipeline.processors[processor]?.repairUnit ?? -1];
      const attempts = histories[processor]?.attempts?.get(day) ?? [];
      const name = nameOf(pipeline, processor);
      return (
        attempts.some(
          (attempt) =>
            startedAt >= attempt.startedAt - clockSkewMs &&
            startedAt <= attempt.endedAt &&
            !mayGoOn(unit, attempt.outcome),
        ) ||
        records.unfinished.some(
          (start) =>
            startedAt >= start.startedAt - clockSkewMs &&
            start.processors.includes(name) &&
            start.dates.some((date) => toDay(date) === day),
        )
      );
    },
  };
}

/** So much may the clock of whoever records a run be behind ours. */
const clockSkewMs = 60_000;

/**
 * What another machine accepted is not ended by our giving up on it, unless we can cancel it, and not by the death of the
 * process that followed it.
 */
function mayGoOn(unit: RepairUnit | undefined, outcome: Outcome): boolean {
  if (unit === undefined) return false;
  const { kind } = unit.action;
  switch (kind) {
    case "http":
    case "pubsub":
      return outcome === "timed_out" || outcome === "lost";
    case "kubernetes_job":
    case "cloud_run_job":
      return outcome === "lost";
    case "sql":
    case "command":
      return false;
    default:
      return assertNever(kind, "kind of repair");
  }
}

/** Starts whose end is not to be waited for: their deadline passed, or the process that ran them is dead. */
export function lostStarts(
  unfinished: readonly RepairStart[],
  now: EpochMs,
  isDead: (worker: string) => boolean,
): readonly RepairStart[] {
  return unfinished.filter((start) => start.deadlineAt <= now || isDead(start.worker));
}

/** The unfinished starts as runs in flight; those of repairs or processors that the config no longer has are passed over. */
export function startedRuns(pipeline: Pipeline, unfinished: readonly RepairStart[]): readonly InFlight[] {
  return unfinished.flatMap((start) => {
    const repairUnit = pipeline.repairUnits.findIndex(({ name }) => name === start.repair);
    if (repairUnit < 0) return [];
    const processors = start.processors.map((name) =>
      pipeline.processors.findIndex((entry) => entry.name === name),
    );
    const known = processors.filter((index) => index >= 0);
    return [{ repairUnit, state: "running" as const, processors: known, days: start.dates.map(toDay) }];
  });
}

function retryRules(
  pipeline: Pipeline,
  processor: Processor | undefined,
  day: Day,
  decisions: Decisions,
): RetryRules {
  const unit = pipeline.repairUnits[processor?.repairUnit ?? -1];
  return {
    maxAttempts: unit?.maxAttempts ?? 1,
    backoffMs: unit?.backoffMs ?? [0],
    probe: unit?.probe ?? null,
    repairHash: unit?.hash ?? "",
    expectationHash: processor?.expect.hash ?? "",
    retriedAt: decisions.retriedAt(processor?.name ?? "", day),
  };
}

function baselinesOf(
  all: readonly Baseline[],
  processor: Processor,
  decisions: Decisions,
): readonly Baseline[] {
  const acceptedAt = decisions.acceptedAt(processor.name);
  return all.filter(
    ({ subject, name, hash, at }) =>
      subject === "processor" && name === processor.name && hash === processor.expect.hash && at > acceptedAt,
  );
}

/** An `accept` of any processor on the schedule takes the schedule as it is. */
function scheduleBaselinesOf(
  pipeline: Pipeline,
  all: readonly Baseline[],
  schedule: string,
  decisions: Decisions,
): readonly Baseline[] {
  const users = pipeline.processors.filter((processor) => processor.schedule === schedule);
  const acceptedAt = Math.max(0, ...users.map(({ name }) => decisions.acceptedAt(name)));
  return all.filter(
    ({ subject, name, at }) => subject === "schedule" && name === schedule && at > acceptedAt,
  );
}

function nameOf(pipeline: Pipeline, index: number): string {
  return pipeline.processors[index]?.name ?? "";
}
