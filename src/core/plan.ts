import type { Assessment } from "./assessment.ts";
import { type Batch, batchesOf, chainOf, firstPosition, lastPosition, positionsIn } from "./batches.ts";
import { Changing, Disposition, type ReasonName, reasonCode, stateName } from "./grid.ts";
import { type Day, fromDay, type IsoDate } from "./iso-date.ts";
import { remainingWork } from "./order.ts";
import type { RepairUnit } from "./pipeline.ts";
import { probeOf } from "./probe.ts";
import type { RepairAction } from "./repair-action.ts";

/** One job: a run of one repair over dates of one season, one attempt. */
export interface PlannedJob {
  /** `repair/first..last/attempt`; the same for the same work, so that it cannot be enqueued twice. */
  readonly id: string;
  readonly repairUnit: number;
  /** Ascending. */
  readonly days: readonly Day[];
  readonly startDate: IsoDate;
  readonly endDate: IsoDate;
  readonly attempt: number;
  /** Why it is run, in a few words: the states that it repairs. */
  readonly reason: string;
}

export interface PlanLimits {
  /** Jobs that may be outstanding, those in flight included; infinite plans all that is ready. */
  readonly jobsMax: number;
  readonly cellsMax: number;
  /** Slots that only recent dates may take, so that the backlog never keeps today waiting. */
  readonly recentSlots: number;
  /** Whether concurrency, pools and reserved slots bind; the cascade of `plan` asks for all jobs. */
  readonly slots: boolean;
}

/** Dates that are at most so old go before the backlog. */
const recentDays = 7;
/** The source of a date expires within so many days: it goes before everything. */
const deadlineDays = 7;

/**
 * Picks the jobs to enqueue now. Every ready cell that gets none has the cap that put it off as its reason; what a
 * half-open circuit or the budget leaves out becomes `held`.
 */
export function plan(assessment: Assessment, limits: PlanLimits): readonly PlannedJob[] {
  const { grid } = assessment;
  const units = grid.pipeline.repairUnits;
  const batches = units.map((_, unit) => batchesOf(assessment, unit));
  const recentFrom = assessment.sight.today - recentDays - grid.axis.first;
  const isRecent = (batch: Batch) => lastPosition(batch) >= recentFrom;
  const slots = newSlots(assessment, limits, isRecent, followersOf(assessment, batches));
  const jobs: PlannedJob[] = [];
  for (const batch of inOrder(assessment, batches, isRecent)) {
    const unit = units[batch.unit];
    if (unit === undefined) continue;
    const refusal = slots.take(batch, unit);
    if (refusal === null) {
      jobs.push(jobOf(assessment, batch, unit));
      mark(assessment, batch, unit, Disposition.ready, batch.probe ? "probe" : "next");
    } else {
      const held = refusal === "circuit" || refusal === "budget";
      mark(assessment, batch, unit, held ? Disposition.held : Disposition.ready, refusal);
    }
  }
  return jobs;
}

/**
 * Deadlines of the source first, then recent dates, then what somebody waits for, then the rest; within each by priority, then by the work that waits
 * downstream, then newest first.
 */
function inOrder(
  assessment: Assessment,
  batches: readonly (readonly Batch[])[],
  isRecent: (batch: Batch) => boolean,
): readonly Batch[] {
  const { repairUnits, processors } = assessment.grid.pipeline;
  const work = remainingWork(assessment);
  const priority = repairUnits.map((unit) =>
    Math.max(...unit.processors.map((index) => processors[index]?.priority ?? 0)),
  );
  const order = [...batches.keys()].sort(
    (a, b) => (priority[b] ?? 0) - (priority[a] ?? 0) || (work[b] ?? 0) - (work[a] ?? 0) || a - b,
  );
  const [expiring, recent, wanted, rest]: [Batch[], Batch[], Batch[], Batch[]] = [[], [], [], []];
  for (const unitIndex of order) {
    const mayExpire = (repairUnits[unitIndex]?.processors ?? []).some(
      (index) => processors[index]?.sourceRetentionMs !== null,
    );
    for (const batch of batches[unitIndex] ?? []) {
      if (mayExpire && expiresSoon(assessment, batch)) expiring.push(batch);
      else if (isRecent(batch)) recent.push(batch);
      else if (isWanted(assessment, batch)) wanted.push(batch);
      else rest.push(batch);
    }
  }
  expiring.sort((a, b) => firstPosition(a) - firstPosition(b));
  return [...expiring, ...recent, ...wanted, ...rest];
}

function isWanted({ policy, grid }: Assessment, batch: Batch): boolean {
  return policy.wanted.some(
    ({ processors, from, to }) =>
      lastPosition(batch) >= from &&
      firstPosition(batch) <= to &&
      grid.pipeline.repairUnits[batch.unit]?.processors.some((index) => processors.has(index)),
  );
}

function expiresSoon(assessment: Assessment, batch: Batch): boolean {
  const { grid, now } = assessment;
  const dayMs = 86_400_000;
  const oldest = (grid.axis.first + firstPosition(batch)) * dayMs;
  return (grid.pipeline.repairUnits[batch.unit]?.processors ?? []).some((index) => {
    const retention = grid.pipeline.processors[index]?.sourceRetentionMs ?? null;
    return retention !== null && oldest + retention - now < deadlineDays * dayMs;
  });
}

interface Slots {
  /** Null takes a slot; otherwise the cap that stands against it. */
  readonly take: (batch: Batch, unit: RepairUnit) => ReasonName | null;
}

function newSlots(
  assessment: Assessment,
  limits: PlanLimits,
  isRecent: (batch: Batch) => boolean,
  followers: ReadonlySet<Batch>,
): Slots {
  const { grid, facts, inFlight } = assessment;
  const { pipeline } = grid;
  const perUnit = new Map<number, number>();
  const perPool = new Map<string, number>();
  const file = newFileTurns(pipeline.limits.commandsMax);
  const add = (unitIndex: number) => {
    perUnit.set(unitIndex, (perUnit.get(unitIndex) ?? 0) + 1);
    const pool = pipeline.repairUnits[unitIndex]?.pool ?? null;
    if (pool !== null) perPool.set(pool, (perPool.get(pool) ?? 0) + 1);
    file.add(pipeline.repairUnits[unitIndex]?.action.kind);
  };
  for (const run of inFlight) add(run.repairUnit);
  let jobs = inFlight.length;
  let cells = 0;
  let starts = facts.startsLast24h;
  const refuse = (batch: Batch, unit: RepairUnit): ReasonName | null => {
    const inUse = perUnit.get(batch.unit) ?? 0;
    if (facts.circuits[batch.unit]?.state === "half_open" && (inUse > 0 || batch.size > 1)) return "circuit";
    if (followers.has(batch)) return "chronological";
    const { repairsPerDay } = pipeline.budgets;
    if (repairsPerDay !== null && starts >= repairsPerDay) return "budget";
    if (cells + batch.size > limits.cellsMax && jobs > inFlight.length) return "cells_per_cycle_max";
    if (!limits.slots) return null;
    if (inUse >= unit.concurrency) return "concurrency";
    if (unit.pool !== null && (perPool.get(unit.pool) ?? 0) >= poolSlots(assessment, unit.pool))
      return "pool";
    const jobsMax = isRecent(batch) ? limits.jobsMax : limits.jobsMax - limits.recentSlots;
    if (jobs >= jobsMax) return "jobs_max";
    return file.isFreeFor(unit.action.kind) ? null : "warehouse_file";
  };
  return {
    take: (batch, unit) => {
      const refusal = refuse(batch, unit);
      if (refusal !== null) return refusal;
      add(batch.unit);
      jobs++;
      starts++;
      cells += batch.size;
      return null;
    },
  };
}

interface FileTurns {
  readonly add: (kind: RepairAction["kind"] | undefined) => void;
  /** Asked last of a job, in order. */
  readonly isFreeFor: (kind: RepairAction["kind"]) => boolean;
}

/**
 * Who may use a warehouse that is one file: a command alone, or any number of statements of this process. A job that had to
 * wait for the other kind would spend its time limit on waiting, and a crash would be charged to it too.
 */
function newFileTurns(commandsMax: number): FileTurns {
  let commands = 0;
  let statements = 0;
  let isAwaited = false;
  return {
    add: (kind) => {
      if (kind === "command") commands++;
      else if (kind === "sql") statements++;
    },
    isFreeFor: (kind) => {
      if (!Number.isFinite(commandsMax)) return true;
      if (kind === "sql") return commands === 0 && !isAwaited;
      if (kind !== "command") return true;
      if (commands >= commandsMax) return false;
      // Statements behind it in the order let it pass, or it would wait as long as there are any.
      isAwaited ||= statements > 0;
      return statements === 0;
    },
  };
}

/**
 * The jobs of a chronological repair behind the first one of their season. The chain goes on only behind that one, whether
 * it gets a slot or not, and though a later one may be more recent.
 */
function followersOf(assessment: Assessment, batches: readonly (readonly Batch[])[]): ReadonlySet<Batch> {
  const followers = new Set<Batch>();
  const heads = new Set<string>();
  const { processors, repairUnits } = assessment.grid.pipeline;
  for (const [unitIndex, unit] of repairUnits.entries()) {
    if (!unit.processors.some((index) => processors[index]?.chronological === true)) continue;
    for (const batch of batches[unitIndex] ?? []) {
      const seasons = seasonKeys(assessment, batch, unit);
      if (seasons.some((season) => heads.has(season))) followers.add(batch);
      for (const season of seasons) heads.add(season);
    }
  }
  return followers;
}

/** The chains that a job is a link of: one per chronological processor and season. */
function seasonKeys({ grid }: Assessment, batch: Batch, unit: RepairUnit): readonly string[] {
  return unit.processors.flatMap((index) => {
    const processor = grid.pipeline.processors[index];
    if (processor === undefined || !processor.chronological) return [];
    const schedule = grid.schedules.get(processor.schedule);
    const season = schedule === undefined ? -1 : chainOf(processor, schedule, firstPosition(batch));
    return season < 0 ? [] : [`${index}/${season}`];
  });
}

function poolSlots(assessment: Assessment, pool: string): number {
  return assessment.grid.pipeline.pools.find(({ name }) => name === pool)?.slots ?? Infinity;
}

function jobOf(assessment: Assessment, batch: Batch, unit: RepairUnit): PlannedJob {
  const { axis } = assessment.grid;
  const days = positionsIn(batch).map((position) => axis.first + position);
  const [startDate, endDate] = [fromDay(days[0] ?? 0), fromDay(days.at(-1) ?? 0)];
  const attempt = batch.charged + 1;
  return {
    id: `${unit.name}/${startDate}..${endDate}/${attempt}`,
    repairUnit: batch.unit,
    days,
    startDate,
    endDate,
    attempt,
    reason: reasonOf(assessment, batch, unit),
  };
}

function reasonOf(assessment: Assessment, batch: Batch, unit: RepairUnit): string {
  const { grid } = assessment;
  const states = new Map<string, number>();
  for (const index of unit.processors) {
    for (const position of positionsIn(batch)) {
      const cell = index * grid.axis.length + position;
      const isCarried = grid.changing[cell] === Changing.carried;
      if (grid.dispositions[cell] !== Disposition.ready && !isCarried) continue;
      const state = isCarried ? "carried forward" : stateName(grid.states[cell] ?? 0);
      states.set(state, (states.get(state) ?? 0) + 1);
    }
  }
  const words = [...states].map(([state, count]) => `${count} ${state}`).join(", ");
  if (!batch.probe) return words;
  return isTimedProbe(assessment, batch, unit)
    ? `${words}; one probe`
    : `${words}; inputs changed, one probe`;
}

/** Whether the clock asks for the probe, and no changed input does. */
function isTimedProbe(assessment: Assessment, batch: Batch, unit: RepairUnit): boolean {
  const { processors } = assessment.grid.pipeline;
  const kinds = unit.processors.flatMap((index) =>
    positionsIn(batch).map((position) => {
      const facts = assessment.facts.cellFacts(index, assessment.grid.axis.first + position);
      const processor = processors[index];
      return processor === undefined ? null : probeOf(assessment, processor, position, facts);
    }),
  );
  return !kinds.includes("inputs");
}

function mark(
  assessment: Assessment,
  batch: Batch,
  unit: RepairUnit,
  disposition: number,
  reason: ReasonName,
): void {
  const { grid } = assessment;
  const code = reasonCode(reason);
  for (const index of unit.processors) {
    for (let at = batch.from; at < batch.from + batch.size; at++) {
      const cell = index * grid.axis.length + (batch.ready[at] ?? 0);
      if (grid.dispositions[cell] !== Disposition.ready) continue;
      grid.dispositions[cell] = disposition;
      grid.reasons[cell] = code;
      // `progressing` stays as it was: what the cells downstream were judged by explains them too.
    }
  }
}
