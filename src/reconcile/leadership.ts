import type { PlanningLease, PlanningTerm } from "./ports.ts";

export interface LeadershipListener {
  /** This process plans now, or does not any more. */
  readonly onLeading: (isLeading: boolean) => void;
  /** What keeps the processes together is away, or back (null). */
  readonly onDegraded: (thrown: unknown) => void;
}

/** Whether this process is the one that plans, as far as it can be known. */
export class Leadership {
  readonly #lease: PlanningLease;
  readonly #listener: LeadershipListener;
  #term: PlanningTerm | null = null;
  #isDegraded = false;

  constructor(lease: PlanningLease, listener: LeadershipListener) {
    this.#lease = lease;
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
    try {
      this.#term = await this.#lease.acquire();
      this.degraded(null);
    } catch (thrown) {
      this.degraded(thrown);
      return "unknown";
    }
    if (this.#term === null) return "taken";
    this.#listener.onLeading(true);
    return "won";
  }

  /** Plans no more until the lease is won anew. */
  resign(): void {
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
