import type { Assessment } from "../core/assessment.ts";
import { plan, type PlanLimits } from "../core/plan.ts";
import { memoByIdentity } from "../core/memo.ts";
import { secondsToConvergence } from "../core/time-to-converge.ts";
import { messageOf, ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { DaemonListener } from "./daemon-options.ts";
import { endedRepairs } from "./ended-repairs.ts";
import { GapHistory } from "./gap-history.ts";
import { Paced } from "./paced.ts";
import type {
  LiveDaemon,
  LiveFailure,
  LivePlan,
  LiveSight,
  LiveStanding,
  LiveView,
} from "./ports/live-view.ts";
import type { RepairQueue } from "./ports/repair-queue.ts";
import { QueueSight } from "./queue-sight.ts";
import type { Session } from "./session.ts";
import { showOutstanding } from "./show-outstanding.ts";

const decisionsMax = 100;
/** Dates become due though nothing else changes. */
const assessMs = 60_000;
/** At most a fifth of the time is spent on assessing for those who watch, and a tenth on the whole plan. */
const [assessPause, planPause] = [4, 9];

export interface LiveFeedOptions extends Pick<LiveView, "target" | "role" | "mode"> {
  /** US dollars for 2^40 bytes; null where nothing is ever billed. */
  readonly pricePerTibUsd: number | null;
  readonly queue: Pick<RepairQueue, "outstanding">;
  readonly limits: PlanLimits;
  /** Within it a look that is due has ended, or what is known is stale. */
  readonly cycleTimeoutMs: number;
  /** Has the loop turn now. */
  readonly wake: () => void;
  /** Has whoever plans begin a cycle. */
  readonly wantCycle: () => void;
  /** Has the loop read people's decisions when it turns next. */
  readonly wantDecisions: () => void;
}

const secondsOf = memoByIdentity(secondsToConvergence);

/** What a daemon shows of itself. It is worked out when somebody asks: a daemon that nobody watches does nothing for it. */
export class LiveFeed implements LiveDaemon {
  readonly #context: ReconcileContext;
  readonly #session: Session;
  readonly #options: LiveFeedOptions;
  readonly #history: GapHistory;
  readonly #listeners = new Set<() => void>();
  readonly #assessment: Paced<Assessment>;
  readonly #plan: Paced<LivePlan>;
  /** Counts what changed, the session's own changes aside. */
  #changes = 0;
  #toldRevision = 0;
  #isLeading = false;
  #isStopping = false;
  #isWatched = false;
  #wasStale = false;
  #cycleFailure: LiveFailure | null = null;
  #degraded: LiveFailure | null = null;
  #repairFailure: LiveFailure | null = null;
  readonly #queue: QueueSight;
  /** Counts what was heard of the queue while another process planned. */
  #queueChanges = 0;
  /** On the monotonic clock; null where no look is due. */
  #lookDueSince: number | null;
  /** On the monotonic clock. */
  #turnedAt: number;

  constructor(context: ReconcileContext, session: Session, options: LiveFeedOptions) {
    const monotonic = () => context.clock.monotonic();
    this.#context = context;
    this.#session = session;
    this.#options = options;
    this.#turnedAt = monotonic();
    this.#lookDueSince = monotonic();
    this.#history = new GapHistory(context, () => this.changed());
    this.#queue = new QueueSight(options.queue, monotonic, () => {
      if (!this.#isLeading) this.#queueChanges++;
      this.changed();
    });
    this.#assessment = new Paced(monotonic, assessPause, () => this.#assess());
    this.#plan = new Paced(monotonic, planPause, () => ({ asOf: session.now(), steps: session.cascade() }));
  }

  /** Whether somebody has asked since the last look began, so that a process that does not plan looks too. */
  get isWatched(): boolean {
    return this.#isWatched;
  }

  standing(): LiveStanding {
    const { role, mode, target } = this.#options;
    const { compiled, worker } = this.#context;
    return {
      pipeline: compiled.pipeline.name,
      target,
      worker,
      role,
      mode,
      isLeading: this.#isLeading,
      isStopping: this.#isStopping,
      cycleFailure: this.#cycleFailure,
      degraded: this.#degraded,
      repairFailure: this.#repairFailure,
    };
  }

  view(): LiveView {
    this.#watch();
    const session = this.#session;
    const { budgets } = this.#context.compiled.pipeline;
    // Before the revision, which grows where something is found to have changed.
    const sight = session.hasLooked ? this.#sight() : null;
    const records = session.hasLooked ? session.records : null;
    return {
      ...this.standing(),
      revision: this.#revision(),
      sight,
      running: (records?.unfinished ?? []).toSorted((a, b) => a.startedAt - b.startedAt),
      queued: this.#queue.jobs,
      ended: records === null ? [] : endedRepairs(records),
      decisions: (records?.decisions ?? []).slice(-decisionsMax).toReversed(),
      history: this.#history.points,
      scan: {
        bytesLast24h: sight?.assessment.facts.scanBytesLast24h ?? null,
        bytesPerDayMax: budgets.scanBytesPerDay,
        pricePerTibUsd: this.#options.pricePerTibUsd,
      },
    };
  }

  plan(): LivePlan {
    const session = this.#session;
    return session.hasLooked ? this.#plan.value(session.revision, assessMs) : { asOf: null, steps: [] };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  cycleNow(): void {
    this.#isWatched = true;
    this.lookDue();
    this.#options.wantCycle();
  }

  heedDecisions(): void {
    this.#options.wantDecisions();
  }

  loopAgeMs(): number {
    return this.#isStopping ? 0 : this.#monotonic() - this.#turnedAt;
  }

  /** The loop turns. */
  turned(): void {
    this.#turnedAt = this.#monotonic();
    this.#noteStaleness();
    const isBehind = this.#assessment.isBehind(this.#known());
    if (isBehind || this.#revision() !== this.#toldRevision) this.#tell();
  }

  lookDue(): void {
    this.#lookDueSince ??= this.#monotonic();
  }

  lookBegins(): void {
    this.#isWatched = false;
  }

  /** Something may have changed that shows. */
  changed(): void {
    this.#changes++;
    this.#tell();
  }

  /** The listener, which hears all that it did, while this hears it too. */
  overhearing(listener: DaemonListener): DaemonListener {
    const heard = (note: () => void) => {
      note();
      this.changed();
    };
    return {
      ...listener,
      onCycle: (assessment, cycleId) => {
        heard(() => this.#looked(assessment));
        listener.onCycle(assessment, cycleId);
      },
      onCycleFailed: (thrown, cycleId) => {
        heard(() => (this.#cycleFailure = this.#failure(thrown, this.#cycleFailure)));
        listener.onCycleFailed(thrown, cycleId);
      },
      onStarted: (start) => {
        this.changed();
        listener.onStarted(start);
      },
      onRepairFailed: (thrown) => {
        heard(() => (this.#repairFailure = this.#failure(thrown, this.#repairFailure)));
        listener.onRepairFailed(thrown);
      },
      onLeading: (isLeading) => {
        heard(() => (this.#isLeading = isLeading));
        listener.onLeading(isLeading);
      },
      onDegraded: (thrown) => {
        heard(() => (this.#degraded = thrown === null ? null : this.#failure(thrown, this.#degraded)));
        listener.onDegraded(thrown);
      },
      onStopping: (running) => {
        heard(() => (this.#isStopping = true));
        listener.onStopping(running);
      },
    };
  }

  #looked(assessment: Assessment): void {
    this.#history.add(assessment);
    this.#lookDueSince = null;
    this.#cycleFailure = null;
    this.#repairFailure = null;
  }

  #failure(thrown: unknown, before: LiveFailure | null): LiveFailure {
    const { code, hint } =
      thrown instanceof ReconcilerError ? thrown : { code: "internal" as const, hint: null };
    return { code, message: messageOf(thrown), hint, since: before?.since ?? this.#context.clock.now() };
  }

  #sight(): LiveSight {
    const session = this.#session;
    const assessment = this.#assessment.value(this.#known(), assessMs);
    const lookedAt = session.observations.now;
    this.#noteStaleness();
    return {
      assessment,
      lookedAt,
      ageMs: session.now() - lookedAt,
      isStale: this.#wasStale,
      secondsToConvergence: secondsOf(assessment),
    };
  }

  /** As a look by itself would say it, the reasons of what gets no slot included. */
  #assess(): Assessment {
    const assessment = this.#session.assess();
    // Whoever plans has told its session of the queue.
    if (!this.#isLeading) showOutstanding(this.#context, assessment, this.#queue.jobs);
    plan(assessment, this.#options.limits);
    this.#changes++;
    return assessment;
  }

  #noteStaleness(): void {
    const overdueMs = this.#monotonic() - (this.#lookDueSince ?? Infinity);
    const isStale = this.#cycleFailure !== null || overdueMs > this.#options.cycleTimeoutMs;
    if (isStale !== this.#wasStale) this.#changes++;
    this.#wasStale = isStale;
  }

  /** Whoever asks wants to see what is there now, as far as it can be known without waiting. */
  #watch(): void {
    const isNew = !this.#isWatched;
    this.#isWatched = true;
    if (isNew && this.#lookDueSince !== null) this.#options.wake();
    this.#history.load();
    this.#queue.watch();
  }

  /** Grows with everything that an assessment is made of. */
  #known(): number {
    return this.#session.revision + this.#queueChanges;
  }

  #revision(): number {
    return this.#session.revision + this.#changes;
  }

  #tell(): void {
    this.#toldRevision = this.#revision();
    for (const listener of this.#listeners) listener();
  }

  #monotonic(): number {
    return this.#context.clock.monotonic();
  }
}
