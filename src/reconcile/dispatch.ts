import type { Assessment } from "../core/assessment.ts";
import { Disposition } from "../core/grid.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type { RepairEnd } from "../core/ledger-records.ts";
import { plan, type PlanLimits, type PlannedJob } from "../core/plan.ts";
import { assertNever } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { lookAndSettleLost } from "./lost-starts.ts";
import { nextReadyAt } from "./next-ready.ts";
import type { RepairNews } from "./ports/repair-events.ts";
import type { RepairQueue } from "./ports/repair-queue.ts";
import { decodeReport, type RepairReport } from "./repair-report.ts";
import { inFlightOf } from "./running-jobs.ts";
import type { Session } from "./session.ts";
import { plannedJob, repairJob } from "./worker.ts";

/** How often the queue is looked at where jobs are outstanding. */
const outstandingPollMs = 5_000;
/** How long the queue may need to learn that a job has ended. */
const overMs = 5_000;
/** How often what runs elsewhere is thought of anew; it is seen when it ends, or by the next cycle. */
const elsewherePollMs = 60_000;
/** How long a job is left alone that a worker gave back, unless its cells were locked. */
const returnedMs = { locked: 2_000, other: 30_000 } as const;

export interface DispatchOptions {
  readonly queue: RepairQueue;
  readonly limits: PlanLimits;
  /** `observe` enqueues nothing. */
  readonly mode: "observe" | "repair";
  /** Whether this process runs the job. */
  readonly runsHere: (jobId: string) => boolean;
  /** Told of the ids of jobs that are about to be enqueued. */
  readonly onEnqueueing?: (ids: readonly string[]) => void;
  /** Told of a run that nobody will end any more, once that is on record. */
  readonly onLost: (end: RepairEnd) => void;
}

export interface Dispatched {
  readonly assessment: Assessment;
  /** Just enqueued, or found to be so already. */
  readonly jobs: readonly PlannedJob[];
  /** The ids of those that were just enqueued: a queue without room takes none. */
  readonly added: ReadonlySet<string>;
  /** After which something becomes ready by itself; infinite where nothing does. */
  readonly waitMs: number;
}

export interface Outstanding {
  readonly assessment: Assessment;
  /** By job id: what waits in the queue or was taken from it, in any process. */
  readonly outstanding: ReadonlyMap<string, InFlight>;
}

/** What the planner hands to the queue, and what comes back of it. */
export class Dispatch {
  readonly #context: ReconcileContext;
  readonly #session: Session;
  readonly #options: DispatchOptions;
  /** By job id: what this process enqueued or found in the queue as it last planned, and whose end nobody has told since. */
  #enqueued = new Map<string, InFlight>();
  /** Whether somebody works on cells whose run this process may not know of. */
  #isUnsure = false;
  /** Jobs that were told to have ended: the queue may learn of it a moment later, and they take no slot any more. Until a time on the monotonic clock. */
  readonly #over = new Map<string, number>();

  constructor(context: ReconcileContext, session: Session, options: DispatchOptions) {
    this.#context = context;
    this.#session = session;
    this.#options = options;
  }

  /**
   * Enqueues what is ready by what the session knows.
   * @throws ReconcilerError `plan_outdated` where a newer planner has planned; `redis_*`, `ledger_*`, `warehouse_*`
   */
  async plan(epoch: number, cycleId: string): Promise<Dispatched> {
    const { mode, queue, limits, onEnqueueing } = this.#options;
    const session = this.#session;
    const { assessment, outstanding } = await this.look();
    const jobs = mode === "repair" ? plan(assessment, limits) : [];
    const { pipeline } = this.#context.compiled;
    // Before they are enqueued: the first may have come back before all are.
    for (const job of jobs) this.#enqueued.set(job.id, inFlightOf(pipeline, job, "queued"));
    for (const { id } of jobs) this.#over.delete(id);
    onEnqueueing?.(jobs.map(({ id }) => id));
    const queued = jobs.map((job) => repairJob(this.#context, job, cycleId));
    const added = new Set(queued.length === 0 ? [] : await queue.enqueue(queued, epoch));
    for (const { id } of jobs) if (!added.has(id) && !outstanding.has(id)) this.#enqueued.delete(id);
    const elsewhereAt = session.nextElsewhereAt(assessment, elsewherePollMs);
    const readyMs =
      (nextReadyAt(assessment, { elsewhereAt, awaitsProbes: true }) ?? Infinity) - session.now();
    // A queue may lose what it holds, and events may be lost: neither waits for the next tick.
    const isWaited = outstanding.size + jobs.length > 0;
    return {
      assessment,
      jobs,
      added,
      waitMs: Math.max(1, Math.min(readyMs, isWaited ? outstandingPollMs : Infinity)),
    };
  }

  /**
   * Takes what is outstanding, and puts on record what nobody will end any more; enqueues nothing.
   * @throws ReconcilerError `redis_*`, `ledger_*`, `warehouse_*`
   */
  async look(): Promise<Outstanding> {
    const session = this.#session;
    const outstanding = await this.#outstanding();
    // Only the ledger knows whether what nobody told of has failed and is to wait, and who works on the cells that are locked.
    if (this.#isUnsure || this.#hasVanished(outstanding)) {
      this.#isUnsure = false;
      await session.reread();
    }
    await lookAndSettleLost(this.#context, session, this.#options.onLost);
    session.queued(outstanding);
    this.#enqueued = new Map(outstanding);
    return { assessment: session.assess(), outstanding };
  }

  /** Somebody else has planned: the next look reads the ledger anew. */
  doubt(): void {
    this.#isUnsure = true;
  }

  /** Whether a job is outstanding no more without anybody having told of its end: it was lost, or what was told of it. */
  #hasVanished(outstanding: ReadonlyMap<string, InFlight>): boolean {
    return [...this.#enqueued.keys()].some((id) => !outstanding.has(id) && !this.#options.runsHere(id));
  }

  async #outstanding(): Promise<ReadonlyMap<string, InFlight>> {
    const { pipeline } = this.#context.compiled;
    const inQueue = await this.#options.queue.outstanding();
    const ids = new Set(inQueue.map(({ id }) => id));
    const now = this.#context.clock.monotonic();
    // One that is there for longer was enqueued anew, by whoever plans.
    for (const [id, until] of this.#over) if (!ids.has(id) || now >= until) this.#over.delete(id);
    return new Map(
      inQueue.flatMap((job) => {
        if (this.#over.has(job.id)) return [];
        const planned = plannedJob(this.#context, job);
        return planned === null ? [] : [[job.id, inFlightOf(pipeline, planned, job.state)] as const];
      }),
    );
  }

  /** What a worker saw holds for everybody, also before the end is on record. Returns the ends that were not known. */
  heard(news: RepairNews, isLeading: boolean): readonly RepairEnd[] {
    const report = decodeReport(news.body);
    switch (news.kind) {
      case "verified":
        if (report !== null) this.#merge(report, 0);
        return [];
      case "ended":
        return this.#ended(news.jobId, report, isLeading);
      default:
        assertNever(news.kind, "news of a repair");
    }
  }

  /** What a worker saw that has another config for now is left for the next look. */
  #merge({ seen, from, to }: RepairReport, scanBytes: number): void {
    const { byName } = this.#context.compiled;
    const alike = [...seen].filter(
      ([name, { expectationHash }]) => byName.get(name)?.expect.hash === expectationHash,
    );
    const processors = new Map(
      alike.map(([name, { profile }]) => [name, { kind: "observed", profile, unseen: null } as const]),
    );
    this.#session.merge({ processors, scanBytes }, from, to);
  }

  /** Whoever plans puts on record what all were billed for. */
  #ended(jobId: string, report: RepairReport | null, isLeading: boolean): readonly RepairEnd[] {
    if (report !== null) this.#merge(report, isLeading ? report.scanBytes : 0);
    const ends = report?.ends.filter((end) => this.#session.appendEnd(end)) ?? [];
    const result = report?.result ?? "failed";
    // Cells that are locked may be so by the same job, which was handed out twice and goes on.
    if (result !== "locked" && this.#enqueued.has(jobId)) {
      this.#over.set(jobId, this.#context.clock.monotonic() + overMs);
    }
    if (result === "locked") {
      // Its lock may end before its run does: that of a process that stands still, or whose work goes on elsewhere.
      this.#isUnsure = true;
      this.#leaveAlone(jobId, returnedMs.locked);
    }
    // What was stopped goes to another process at once.
    else if (result === "skipped" || result === "failed") this.#leaveAlone(jobId, returnedMs.other);
    // Only the ledger knows what a run came to whose worker could not say.
    if (result === "failed") this.#isUnsure = true;
    this.#enqueued.delete(jobId);
    return ends;
  }

  /** A job that came back as it was must not come back at once, again and again. */
  #leaveAlone(jobId: string, ms: number): void {
    const run = this.#enqueued.get(jobId);
    if (run === undefined || !this.#session.hasLooked) return;
    // It was handed out twice, and goes on here.
    if (this.#options.runsHere(jobId)) return;
    // What was complete already must not keep a slot from others.
    if (this.#isReady(jobId, run)) this.#session.defer(run, ms);
  }

  #isReady(jobId: string, { processors, days }: InFlight): boolean {
    const { grid } = this.#session.assess(jobId);
    const { first, length } = grid.axis;
    return processors.some((index) =>
      days.some((day) => grid.dispositions[index * length + day - first] === Disposition.ready),
    );
  }

  /** Another process plans: nobody tells this one any more what is outstanding. */
  forget(): void {
    this.#session.queued(new Map());
    this.#enqueued = new Map();
    this.#over.clear();
  }
}
