import type { Clock } from "./ports.ts";
import type { RunningJobs } from "./running-jobs.ts";
import type { Session } from "./session.ts";

/** How long people wait at most for what they decided. */
const pollMs = 2_000;

export interface DecisionPollOptions {
  readonly clock: Clock;
  readonly session: Session;
  readonly jobs: RunningJobs;
  readonly onNews: () => void;
  readonly onFailure: (thrown: unknown) => void;
}

/** Asks what people decided, beside the loop: what is unblocked does not wait for the ledger, which may be slow or have a queue. */
export class DecisionPoll {
  readonly #options: DecisionPollOptions;
  /** When, on the monotonic clock, it asks again; infinite while there is no answer. */
  #nextAt = -Infinity;
  #asking: Promise<void> = Promise.resolve();

  constructor(options: DecisionPollOptions) {
    this.#options = options;
  }

  /** The next call of `askIfDue` asks. */
  dueNow(): void {
    this.#nextAt = -Infinity;
  }

  /** To be called often: where jobs end all the time, nobody would ever sleep undisturbed. */
  askIfDue(): void {
    const { clock, session } = this.#options;
    if (clock.monotonic() < this.#nextAt || !session.hasLooked) return;
    // Until it has its answer it asks again only where somebody wants it at once.
    this.#nextAt = Infinity;
    const before = this.#asking;
    this.#asking = this.#ask().then(() => before);
  }

  /** Resolves when every question has its answer. Never rejects. */
  async allAnswered(): Promise<void> {
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { clock, session, jobs, onNews, onFailure } = this.#options;
    const known = session.records.decisions.length;
    try {
      await jobs.heedDecisions();
    } catch (thrown) {
      onFailure(thrown);
    }
    this.#nextAt = Math.min(this.#nextAt, clock.monotonic() + pollMs);
    if (session.records.decisions.length !== known) onNews();
  }
}
