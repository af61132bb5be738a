import { fromDay, toDay } from "../core/iso-date.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { ReconcileContext } from "./context.ts";
import { isCoordinationFailure } from "./leadership.ts";
import type { RepairEvents } from "./ports/repair-events.ts";
import type { QueuedRepair, RepairConsumer, RepairJob, RepairQueue } from "./ports/repair-queue.ts";
import { encodeReport, profileBetween, type RepairReport } from "./repair-report.ts";
import type { RunningJobs } from "./running-jobs.ts";
import type { Session } from "./session.ts";

export interface WorkerOptions {
  readonly queue: RepairQueue;
  readonly events: RepairEvents;
  readonly session: Session;
  readonly jobs: RunningJobs;
  /** Jobs at once in this process. */
  readonly slots: number;
  /** After it nothing more is begun. */
  readonly stop: AbortSignal;
  /** What the planner is to put on record; it counts as told. */
  readonly takeScanBytes: () => number;
  /** As in `FullLooks`. */
  readonly freshFor: (cycleId: string, outstanding: () => Promise<readonly string[]>) => Promise<void>;
  /** Told of what a job could not even be begun or recorded for. */
  readonly onFailure: (thrown: unknown) => void;
  /** Told why the others could not be told, or null where they were: they find out by themselves, only later. */
  readonly onTold: (thrown: unknown) => void;
}

/** Takes jobs from the queue, runs each from lock to proof, and tells all what it saw. */
export function startWorker(context: ReconcileContext, options: WorkerOptions): RepairConsumer {
  const { queue, slots } = options;
  return queue.consume((job, signal) => handle(context, options, job, signal), { slots });
}

async function handle(
  context: ReconcileContext,
  options: WorkerOptions,
  job: QueuedRepair,
  signal: AbortSignal,
): Promise<void> {
  const { queue, session, jobs, events, stop, takeScanBytes, freshFor, onFailure, onTold } = options;
  const planned = plannedJob(context, job);
  let report: RepairReport | null = null;
  try {
    // What the config no longer has is nobody's job any more.
    if (planned !== null) {
      await freshFor(job.cycleId, () => cyclesOutstanding(queue));
      // A queue that forgot who has it hands it out again: the first run of it tells what there is to tell.
      if (jobs.has(job.id)) return;
      const verified = () => {
        const body = encodeReport({ ...reportOf(context, session, planned, verifiedOnly), scanBytes: 0 });
        // Where it is lost, the end tells the same once more.
        void events.publish({ kind: "verified", jobId: job.id, body }).catch(() => undefined);
      };
      const result = await jobs.start(planned, job.cycleId, { verified, cancel: signal });
      report = { ...reportOf(context, session, planned, result), scanBytes: takeScanBytes() };
    }
  } catch (thrown) {
    // A look that was ended by the stop is no failure: the job is for another process.
    if (planned !== null && stop.aborted) report = unbegun(planned);
    else onFailure(thrown);
  }
  const body = report === null ? null : encodeReport(report);
  await events.publish({ kind: "ended", jobId: job.id, body }).then(() => onTold(null), onTold);
}

/** None where the queue is away: the job at hand is looked at all the same. */
async function cyclesOutstanding(queue: RepairQueue): Promise<readonly string[]> {
  try {
    const jobs = await queue.outstanding();
    return [...new Set(jobs.map(({ cycleId }) => cycleId))];
  } catch (error) {
    if (isCoordinationFailure(error)) return [];
    throw error;
  }
}

/** A run whose end is still to be recorded. */
const verifiedOnly = { kind: "ran", ends: [] } as const;

function unbegun({ days }: PlannedJob): RepairReport {
  const [from, to] = [days[0] ?? 0, days.at(-1) ?? 0];
  return { result: "stopped", ends: [], seen: new Map(), from, to, scanBytes: 0 };
}

function reportOf(
  { compiled }: ReconcileContext,
  session: Session,
  job: PlannedJob,
  result: Awaited<ReturnType<RunningJobs["start"]>>,
): Omit<RepairReport, "scanBytes"> {
  const [from, to] = [job.days[0] ?? 0, job.days.at(-1) ?? 0];
  const { processors, repairUnits } = compiled.pipeline;
  const filled = (repairUnits[job.repairUnit]?.processors ?? []).flatMap((index) => processors[index] ?? []);
  // Whoever got no lock, or was stopped, has not looked: what it knows may be older than what the planner does.
  const looked = result?.kind === "ran" || result?.kind === "skipped" ? filled : [];
  const seen = looked.flatMap(({ name, expect }) => {
    const profile = profileBetween(session.observations.processors.get(name), from, to);
    return profile === null ? [] : [[name, { expectationHash: expect.hash, profile }] as const];
  });
  return {
    result: result?.kind ?? "failed",
    ends: result?.kind === "ran" ? result.ends : [],
    seen: new Map(seen),
    from,
    to,
  };
}

/** A job as the queue carries it. */
export function repairJob({ compiled }: ReconcileContext, job: PlannedJob, cycleId: string): RepairJob {
  const { id, repairUnit, days, attempt, reason } = job;
  const repair = compiled.pipeline.repairUnits[repairUnit]?.name ?? "";
  return { id, repair, dates: days.map(fromDay), attempt, reason, cycleId };
}

/** A job of the queue as this process plans it; null where its config has no such repair. */
export function plannedJob({ compiled }: ReconcileContext, job: RepairJob): PlannedJob | null {
  const repairUnit = compiled.pipeline.repairUnits.findIndex(({ name }) => name === job.repair);
  const [startDate] = job.dates;
  const endDate = job.dates.at(-1);
  if (repairUnit < 0 || startDate === undefined || endDate === undefined) return null;
  const { id, attempt, reason } = job;
  return { id, repairUnit, days: job.dates.map(toDay), startDate, endDate, attempt, reason };
}
