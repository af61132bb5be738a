import { assertNever, ReconcilerError } from "../errors.ts";
import type { DaemonListener, DaemonRole } from "./daemon-options.ts";
import type { Dispatch } from "./dispatch.ts";
import type { FullLooks } from "./full-looks.ts";
import { isCoordinationFailure, type Leadership } from "./leadership.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { Clock, PlanningTerm } from "./ports.ts";
import type { RepairEvent, RepairEvents } from "./ports/repair-events.ts";
import type { Session } from "./session.ts";
import { WantedRepairs } from "./wanted-repairs.ts";

/** How long the loop sleeps at most, and so how often the lease is asked for where somebody else has it. */
const pollMs = 2_000;
/** After a cycle that failed the next one does not wait for its tick, but for this. */
const retryMs = 60_000;

/** What may be wrong with the way of one process alone, where anything else is wrong with a table or a statement. */
const unreachableCodes: ReadonlySet<string> = new Set([
  "ledger_unavailable",
  "warehouse_credentials",
  "warehouse_unavailable",
]);

export interface PlannerOptions {
  readonly role: DaemonRole;
  readonly mode: "observe" | "repair";
  readonly clock: Clock;
  readonly session: Session;
  readonly leadership: Leadership;
  readonly looks: FullLooks;
  readonly dispatch: Dispatch;
  readonly live: LiveFeed;
  readonly events: RepairEvents;
  readonly listener: DaemonListener;
  /** Ends the daemon. */
  readonly signal: AbortSignal;
  /** Has the loop turn at once. */
  readonly wake: () => void;
  /** Told when it changes whether this process can see what it needs to work. */
  readonly onFit: (isFit: boolean) => void;
}

/** What a daemon has to do at a moment, turn by turn: seek the lease, look at everything where that is due, plan where something changed. */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #wanted = new WantedRepairs();
  #isCycleDue = true;
  /** Whether another process plans, and looks at everything for it. */
  #isFollower: boolean;
  /** When, on the monotonic clock, a failed cycle is tried again. */
  #retryAt = Infinity;
  /** Whether the last cycle worked, so that what is known may be acted on. */
  #isTrusted = false;
  /**
   * Whether no look has worked since one failed, or since warehouse or ledger could not be reached. It may be this process alone that
   * cannot: it neither plans for others that can, nor takes work from them.
   */
  #isUnfit = false;
  /** Whether something changed since the last plan. */
  #isChanged = false;
  /** When, on the monotonic clock, something becomes ready by itself. */
  #readyAt = Infinity;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#isFollower = options.role === "worker";
  }

  /** Never rejects for what a cycle or a plan failed with. */
  async turn(): Promise<void> {
    const { role, leadership } = this.#options;
    this.#takeTimes();
    if (role === "worker") {
      this.#lookIfDue();
      // While no job comes it asks for nothing else, and would not know that none can come.
      await leadership.watch();
      return;
    }
    if (leadership.isLost) this.#resign();
    if (leadership.term === null) await this.#seekLease();
    this.#lookIfDue();
    const { term } = leadership;
    if (this.#isChanged && this.#isTrusted && term !== null) await this.#plan(term);
  }

  /** Until the next turn, unless something happens before. */
  get sleepMs(): number {
    const isNews = this.#isChanged && this.#isTrusted && this.#options.leadership.term !== null;
    const next = Math.min(this.#readyAt, this.#retryAt) - this.#options.clock.monotonic();
    return isNews ? 0 : Math.max(1, Math.min(pollMs, next));
  }

  /** A look at everything is due. */
  cycleDue(): void {
    this.#isCycleDue = true;
    this.#options.live.lookDue();
    this.#options.wake();
  }

  /** Something changed that the session knows of. */
  changed(): void {
    this.#isChanged = true;
    this.#options.live.changed();
    // Whoever does not plan would ask for the lease with each end of a repair anywhere.
    if (this.#options.leadership.term !== null) this.#options.wake();
  }

  /** People decided something: whoever waits for it sees it at once. */
  decided(): void {
    this.#isChanged = true;
    this.#options.wake();
  }

  /** Without a ledger or a warehouse nothing more is begun until a cycle has worked. */
  failed(thrown: unknown): void {
    this.#distrust();
    if (thrown instanceof ReconcilerError && unreachableCodes.has(thrown.code)) this.#setFit(false);
    this.#options.listener.onRepairFailed(thrown);
  }

  heard(event: RepairEvent): void {
    const { dispatch, leadership, mode } = this.#options;
    const isLeading = leadership.term !== null;
    switch (event.kind) {
      case "verified":
      case "ended":
        dispatch.heard(event, isLeading);
        this.changed();
        return;
      case "cycle_wanted":
        if (isLeading) this.cycleDue();
        return;
      case "lease_wanted":
        if (mode === "observe" || this.#isUnfit) this.#standAside();
        return;
      case "repairs_wanted":
        if (mode === "observe" || this.#isUnfit) this.#standAside();
        if (mode === "repair" && this.#wanted.heard(event, this.#options.clock.monotonic()))
          this.#takeWanted();
        return;
      default:
        assertNever(event, "event");
    }
  }

  /** The lease is for somebody else: whoever repairs, where this process only observes or sees nothing, or whose plan is newer. */
  #standAside(): void {
    const { leadership } = this.#options;
    leadership.standAside();
    if (leadership.term !== null) this.#resign();
  }

  /** Each process knows what is wanted, in case that it is the next to plan. */
  #takeWanted(): void {
    this.#options.session.want(this.#wanted.selections);
    this.changed();
  }

  /** A time that has come is forgotten, or nobody would sleep before what it asks for is possible. */
  #takeTimes(): void {
    const now = this.#options.clock.monotonic();
    if (this.#wanted.forgetSilent(now)) this.#takeWanted();
    if (now >= this.#retryAt) [this.#isCycleDue, this.#retryAt] = [true, Infinity];
    if (now >= this.#readyAt) [this.#isChanged, this.#readyAt] = [true, Infinity];
  }

  async #seekLease(): Promise<void> {
    const { leadership, mode, events } = this.#options;
    const found = await leadership.seek();
    this.#isFollower = found === "taken";
    if (this.#isFollower && mode === "repair" && !this.#isUnfit) {
      // Where nobody hears it, it is said again with the next attempt.
      void events.publish({ kind: "lease_wanted" }).catch(() => undefined);
    }
    if (found !== "won") return;
    // What the planner before knew is not known here, whatever this process knew when it last planned.
    this.#isCycleDue = true;
    this.#isTrusted = false;
  }

  #resign(): void {
    this.#options.leadership.resign();
    this.#isTrusted = false;
    this.#options.dispatch.forget();
  }

  /** Whoever plans looks at everything; a second look would cost as much again, and is worth it only where somebody watches. */
  #lookIfDue(): void {
    const { live, looks } = this.#options;
    // Nothing but a look of its own tells a process that it can see again.
    const isWorthIt = !this.#isFollower || live.isWatched || this.#isUnfit;
    if (this.#isCycleDue && isWorthIt && !looks.isCycling) void this.#cycle();
  }

  /** The planner's cycle is on record; without a lease, because Redis is away, it only looks. Never rejects. */
  async #cycle(): Promise<void> {
    const { leadership, listener, live, looks, signal, wake } = this.#options;
    const { term } = leadership;
    this.#isCycleDue = false;
    this.#retryAt = Infinity;
    live.lookBegins();
    const leading = this.#isTrusted ? "further" : "first";
    const { cycleId, assessment } = looks.beginCycle(term === null ? "onlooker" : leading, term?.signal);
    try {
      const seen = await assessment;
      // What was seen before the lease was lost, and won again, is too old.
      this.#isTrusted = term !== null && term === leadership.term;
      this.#isChanged = true;
      this.#setFit(true);
      listener.onCycle(seen, cycleId);
    } catch (thrown) {
      if (signal.aborted) return;
      if (term?.signal.aborted === true) {
        // Another process plans by now; whether this one looks too is for the next turn.
        this.#isCycleDue = true;
        return;
      }
      this.#distrust();
      this.#setFit(false);
      listener.onCycleFailed(thrown, cycleId);
    } finally {
      wake();
    }
  }

  async #plan(term: PlanningTerm): Promise<void> {
    const { clock, dispatch, leadership, listener, looks } = this.#options;
    this.#isChanged = false;
    try {
      const { assessment, jobs, waitMs } = await dispatch.plan(term.epoch, looks.cycleId);
      listener.onPlanned(assessment, jobs);
      this.#readyAt = clock.monotonic() + waitMs;
      leadership.degraded(null);
    } catch (thrown) {
      if (!(thrown instanceof ReconcilerError)) throw thrown;
      // Another planner has a newer plan; this one learns of its lost lease in a moment, too.
      if (thrown.code === "plan_outdated") this.#standAside();
      else if (isCoordinationFailure(thrown)) leadership.degraded(thrown);
      else this.failed(thrown);
      this.#readyAt = clock.monotonic() + pollMs;
    }
  }

  #distrust(): void {
    this.#isTrusted = false;
    this.#retryAt = Math.min(this.#retryAt, this.#options.clock.monotonic() + retryMs);
  }

  #setFit(isFit: boolean): void {
    if (isFit === !this.#isUnfit) return;
    this.#isUnfit = !isFit;
    this.#options.onFit(isFit);
  }
}
