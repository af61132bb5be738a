import { ReconcilerError } from "../errors.ts";
import type { Clock, PlanningLease, PlanningTerm } from "./ports.ts";

export interface LeadershipListener {
  /** This process plans now, or does not any more. */
  readonly onLeading: (isLeading: boolean) => void;
  /** What keeps the processes together is away, or back (null). */
  readonly onDegraded: (thrown: unknown) => void;
}

/** Anything else that planning fails with is the ledger's or the warehouse's. */
const coordinationCodes: ReadonlySet<string> = new Set([
  "redis_credentials",
  "redis_unavailable",
  "redis_unsuitable",
]);

/** Whether a call failed because what keeps the processes together is away, or cannot be used. */
export function isCoordinationFailure(thrown: unknown): thrown is ReconcilerError {
  return thrown instanceof ReconcilerError && coordinationCodes.has(thrown.code);
}

/** Several times as long as whoever wants the lease waits between two attempts. */
const asideMs = 15_000;

/** Whether this process is the one that plans, as far as it can be known. */
export class Leadership {
  readonly #lease: PlanningLease;
  readonly #listener: LeadershipListener;
  readonly #clock: Clock;
  /** On the monotonic clock. */
  #asideUntil = -Infinity;
  #term: PlanningTerm | null = null;
  #isDegraded = false;

  constructor(lease: PlanningLease, clock: Clock, listener: LeadershipListener) {
    this.#lease = lease;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Null where another process plans, or nobody can tell. */
  get term(): PlanningTerm | null {
    return this.#term;
  }

  get isLost(): boolean {
    return this.#term?.signal.aborted === true;
  }

  /** Asks for the lease, which this process must not hold. `unknown` where what keeps it is away. Never rejects. */
  async seek(): Promise<"won" | "taken" | "unknown"> {
    if (this.#clock.monotonic() < this.#asideUntil) {
      await this.watch();
      return "taken";
    }
    try {
      this.#term = await this.#lease.acquire();
    } catch (thrown) {
      this.degraded(thrown);
      return "unknown";
    }
    if (this.#term === null) {
      // Who keeps the lease answers, and the queue may be elsewhere: only whoever plans would notice that it is away.
      await this.watch();
      return "taken";
    }
    this.degraded(null);
    this.#listener.onLeading(true);
    return "won";
  }

  /** Finds out whether all that keeps the processes together answers, for one that does not plan. Never rejects. */
  async watch(): Promise<void> {
    await this.#lease.currentEpoch().then(
      () => this.degraded(null),
      (thrown: unknown) => this.degraded(thrown),
    );
  }

  /** Does not seek the lease for a while: it is for somebody else, who asks for it every few seconds as long as it is wanted. */
  standAside(): void {
    this.#asideUntil = this.#clock.monotonic() + asideMs;
  }

  /** Plans no more until the lease is won anew. */
  resign(): void {
    if (this.#term === null) return;
    // Where it is held still, nobody else could take it; where it is lost, this does nothing.
    void this.release();
    this.#term = null;
    this.#listener.onLeading(false);
  }

  /** Frees the lease, so that the next planner need not wait for it to run out. Never rejects. */
  async release(): Promise<void> {
    await this.#term?.release();
  }

  /** Takes what a call to the server failed with, or null where one worked; told when it changes. */
  degraded(thrown: unknown): void {
    const isDegraded = thrown !== null;
    if (isDegraded !== this.#isDegraded) this.#listener.onDegraded(thrown);
    this.#isDegraded = isDegraded;
  }
}
