import type { Assessment } from "../core/assessment.ts";
import { newsOf, type Standing, standingOf, type Told, toldAt } from "../core/news.ts";
import type { Ledger } from "./ports.ts";
import type { Notifier } from "./ports/notifier.ts";

/** So far back the last cycle of another process is looked for. */
const recordMaxAgeMs = 7 * 86_400_000;

export interface NewsroomOptions {
  readonly ledger: Pick<Ledger, "since">;
  readonly notifier: Notifier;
  /** The ledger could not be asked; the next cycle tells of both. */
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * Finds out after each cycle what is new, beside the loop and never in its way. Only a cycle that is on record is told of, and
 * only the planner's is, so that of several processes one speaks. What was told before a restart, or by another process, the
 * ledger's last cycle says.
 */
export class Newsroom {
  readonly #options: NewsroomOptions;
  #told: Told | null = null;
  #isLeading = false;
  /** Of those that came while one was being told of, the last one has it all. */
  #next: Standing | null = null;
  #telling: Promise<void> | null = null;

  constructor(options: NewsroomOptions) {
    this.#options = options;
  }

  onLeading(isLeading: boolean): void {
    this.#isLeading = isLeading;
    // Another process tells meanwhile.
    if (!isLeading) this.#told = null;
  }

  onCycle(assessment: Assessment, cycleId: string): void {
    if (!this.#isLeading) return;
    this.#next = standingOf(assessment, cycleId);
    this.#telling ??= this.#tellAll();
  }

  /** Resolves when all that was seen was handed over; never rejects. */
  async settled(): Promise<void> {
    await this.#telling;
  }

  async #tellAll(): Promise<void> {
    for (let standing = this.#next; standing !== null; standing = this.#next) {
      this.#next = null;
      try {
        await this.#tell(standing);
      } catch (thrown) {
        this.#options.onFailure(thrown);
      }
    }
    this.#telling = null;
  }

  async #tell(standing: Standing): Promise<void> {
    const { ledger, notifier } = this.#options;
    const known = this.#told;
    const since = known === null ? null : toldAt(known);
    const { cycles, gapEvents } = await ledger.since(since ?? standing.at - recordMaxAgeMs);
    const own = cycles.findIndex(({ cycleId }) => cycleId === standing.cycleId);
    if (own < 0) return;
    const before = cycles[own - 1];
    const told = known ?? (before === undefined ? { kind: "nothing" } : { kind: "record", record: before });
    const news = newsOf(standing, told, gapEvents);
    // Whoever plans next takes what is on record for told, so that this is told also where the lease was lost meanwhile.
    if (this.#isLeading) this.#told = { kind: "standing", standing };
    if (news.length > 0) notifier.send({ cycleId: standing.cycleId, at: standing.at, news });
  }
}
