import type { Assessment } from "../core/assessment.ts";
import { type StagedAudit, stagedAudit } from "../core/audit.ts";
import { hasCellBetween } from "../core/batches.ts";
import { Changing, Disposition } from "../core/grid.ts";
import { type Day, fromDay } from "../core/iso-date.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { Processor, RepairUnit } from "../core/pipeline.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { isCoordinationFailure } from "./leadership.ts";
import { cellsBefore, endOf } from "./outcome.ts";
import type { CellLease } from "./ports.ts";
import type { Launch } from "./ports/executor.ts";
import { isProcessEnding, look, lookAtOtherDates, type Proven, RepairCancelled, verify } from "./proof.ts";
import type { Session } from "./session.ts";

/** What became of a job. */
export type JobResult =
  | { readonly kind: "ran"; readonly ends: readonly RepairEnd[] }
  /** Somebody else holds its cells. */
  | { readonly kind: "locked" }
  /** Nothing of it was left to do when its turn came. */
  | { readonly kind: "skipped" }
  /** The process was told to stop before any of it was begun. */
  | { readonly kind: "stopped" };

export interface JobSignals {
  /** Nothing more is begun; a run that goes on may end by itself. */
  readonly stop: AbortSignal;
  /** Ends what runs. */
  readonly cancel: AbortSignal;
}

export interface JobEvents {
  readonly started: (start: RepairStart) => void;
  /** The start could not be recorded, or it was and nobody said so. Nothing was launched; the job fails. */
  readonly unconfirmed: (start: RepairStart) => void;
  /** The session knows what the look after a run saw, and the end is not on record yet: that may take seconds. */
  readonly verified: () => void;
  readonly ended: (end: RepairEnd) => void;
}

/** Beyond a run's own time limit: what stopping it and looking at the result may take. */
const deadlineGraceMs = 60_000;

/**
 * Lock, check, record, run, verify, record: one job from the plan to its proof. What is not open any more when its turn
 * comes is dropped; the rest is split into runs of dates that follow each other.
 * @throws ReconcilerError `ledger_*`: without a ledger nothing is launched
 */
export async function runJob(
  context: ReconcileContext,
  session: Session,
  job: PlannedJob,
  cycleId: string,
  events: JobEvents,
  { stop, cancel }: JobSignals,
): Promise<JobResult> {
  const unit = context.compiled.pipeline.repairUnits[job.repairUnit];
  if (unit === undefined) return { kind: "skipped" };
  const processors = unit.processors.flatMap((index) => context.compiled.pipeline.processors[index] ?? []);
  const lease = await lockAll(context, lockKeys(processors, job.days));
  if (lease === null) return { kind: "locked" };
  try {
    const run: Run = { context, session, job, cycleId, events, unit, processors, lease, signal: cancel };
    const ends: RepairEnd[] = [];
    for (const days of await openRuns(run, job.days, AbortSignal.any([stop, cancel]))) {
      if (stop.aborted || cancel.aborted || lease.signal.aborted) break;
      // A run before it may have opened the circuit, or used up the day's budget.
      if (ends.length > 0 && !readyDays(run, days).includes(days[0] ?? 0)) break;
      session.starting(job.id);
      ends.push(await runDays(run, days));
    }
    if (ends.length > 0) return { kind: "ran", ends };
    return { kind: stop.aborted ? "stopped" : "skipped" };
  } finally {
    await lease.release();
  }
}

/** Null where somebody holds one of the cells, or may: locks that cannot be asked are held by nobody here. */
async function lockAll({ lock }: ReconcileContext, keys: readonly string[]): Promise<CellLease | null> {
  try {
    return await lock.acquire(keys);
  } catch (error) {
    if (isCoordinationFailure(error)) return null;
    throw error;
  }
}

interface Run extends Proven {
  readonly cycleId: string;
  readonly events: JobEvents;
  readonly unit: RepairUnit;
  readonly lease: CellLease;
}

function lockKeys(processors: readonly Processor[], days: readonly Day[]): string[] {
  return processors.flatMap(({ name }) => days.map((day) => `${name}/${fromDay(day)}`)).sort();
}

/**
 * Looks again and keeps what is still ready, as runs without a scheduled date of somebody else between. None where nothing is
 * to be begun any more: a stop waits for no look.
 */
async function openRuns(
  run: Run,
  days: readonly Day[],
  over: AbortSignal,
): Promise<readonly (readonly Day[])[]> {
  try {
    // First, so that a run elsewhere which ends in between is seen by what it wrote.
    await run.session.lookElsewhere(over);
    await look(run, days, over);
    await lookAtOtherDates(run, days, over);
  } catch (error) {
    if (over.aborted && error instanceof ReconcilerError && error.code === "interrupted") return [];
    throw error;
  }
  const { grid } = run.session.assess(run.job.id);
  const runs: Day[][] = [];
  for (const day of readyDays(run, days)) {
    const last = runs.at(-1)?.at(-1);
    const { first } = grid.axis;
    const isApart = ({ index }: Processor, from: Day) =>
      hasCellBetween({ grid }, index, from - first, day - first);
    const follows = last !== undefined && !run.processors.some((processor) => isApart(processor, last));
    if (follows) runs.at(-1)?.push(day);
    else runs.push([day]);
  }
  return runs;
}

/**
 * Those of the days on which one of the processors is ready, by what the session knows now. None is that this process does
 * not look at: whoever planned it may have another config.
 */
function readyDays({ session, job, processors }: Run, days: readonly Day[]): readonly Day[] {
  const { grid } = session.assess(job.id);
  const { first, length } = grid.axis;
  const known = days.filter((day) => day >= first && day < first + length);
  let follows = false;
  return known.filter((day) => {
    const cells = processors.map(({ index }) => index * grid.axis.length + day - grid.axis.first);
    const isReady = cells.some((cell) => grid.dispositions[cell] === Disposition.ready);
    // What is carried forward is computed from the date before it, so it has no job of its own.
    const isCarried = follows && cells.some((cell) => grid.changing[cell] === Changing.carried);
    follows = isReady || isCarried;
    return follows;
  });
}

async function runDays(run: Run, days: readonly Day[]): Promise<RepairEnd> {
  const { context, session, unit, job } = run;
  const assessment = session.assess(job.id);
  const before = cellsBefore(assessment, run.processors, days);
  const timeoutMs = unit.timeoutMs + unit.timeoutPerDateMs * days.length;
  const launch = await launchOf(run, days, before.season);
  const start = await recordStart(run, launch, timeoutMs);
  const startedAt = context.clock.monotonic();
  const signal = AbortSignal.any([run.signal, run.lease.signal]);
  const result = await context.executor.run({
    ...launch,
    audit: auditOf(run, assessment, days),
    timeoutMs,
    signal,
  });
  const deadline = startedAt + timeoutMs;
  const verified = await verify(run, days, result, deadline, signal);
  if (verified) run.events.verified();
  const end = endOf({
    start,
    before,
    result,
    unit,
    processors: run.processors,
    after: session.assess(job.id),
    verified,
    lostLock: run.lease.signal.aborted,
    stopped: isProcessEnding(run),
    cancelledBy: run.signal.reason instanceof RepairCancelled ? run.signal.reason.message : null,
    endedAt: session.now(),
  });
  await context.ledger.recordEnd(end);
  session.appendEnd(end);
  run.events.ended(end);
  return end;
}

/** A run of the product's own SQL is audited by what the check saw. */
function auditOf(
  { unit, processors }: Run,
  assessment: Assessment,
  days: readonly Day[],
): StagedAudit | null {
  const [processor] = processors;
  if (unit.action.kind !== "sql" || processor === undefined) return null;
  return stagedAudit(assessment, processor, days, unit.action.publish);
}

async function launchOf(run: Run, days: readonly Day[], season: string | null): Promise<Launch> {
  const { context, session, unit, job, lease } = run;
  const dates = days.map(fromDay);
  const cells = run.processors.flatMap(({ name }) => dates.map((date) => ({ processor: name, date })));
  const fence = unit.action.kind === "sql" ? await context.warehouse.lastFence(cells) : 0;
  const token = session.nextToken(Math.max(lease.tokenFloor, fence + 1));
  return {
    repairId: `${unit.name}-${dates[0]?.replaceAll("-", "")}-${token}`,
    unit,
    action: unit.action,
    processors: run.processors,
    pipeline: context.compiled.pipeline.name,
    dates,
    season,
    attempt: job.attempt,
    token,
  };
}

/** No ledger, no launch: what cannot be recorded is not started. */
async function recordStart(run: Run, launch: Launch, timeoutMs: number): Promise<RepairStart> {
  const { context, session, unit, job } = run;
  const now = session.now();
  const start: RepairStart = {
    repairId: launch.repairId,
    repair: unit.name,
    processors: run.processors.map(({ name }) => name),
    dates: launch.dates,
    attempt: launch.attempt,
    token: launch.token,
    startedAt: now,
    deadlineAt: now + timeoutMs + deadlineGraceMs,
    worker: context.worker,
    externalHandle: context.executor.handleOf(launch),
    repairHash: unit.hash,
    cycleId: run.cycleId,
  };
  try {
    await context.ledger.recordStart(start);
  } catch (thrown) {
    run.events.unconfirmed(start);
    throw thrown;
  }
  session.appendStart(job.id, start);
  run.events.started(start);
  return start;
}
