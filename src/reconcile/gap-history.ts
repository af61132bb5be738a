import { isConverged } from "../core/assess.ts";
import type { Assessment } from "../core/assessment.ts";
import { Disposition, State } from "../core/grid.ts";
import type { ReconcileContext } from "./context.ts";
import type { HistoryPoint } from "./ports/live-view.ts";

const pointsMax = 2_000;
const ageMsMax = 7 * 86_400_000;
/** A ledger that could not be read is asked again, but not with each request of a page. */
const retryMs = 60_000;

/** How the gaps went down: the cycles on record, as far as somebody asked for them, and those of this process. */
export class GapHistory {
  readonly #context: Pick<ReconcileContext, "ledger" | "clock">;
  readonly #onLoaded: () => void;
  #points: readonly HistoryPoint[] = [];
  #isLoaded = false;
  #askAgainAt = -Infinity;

  constructor(context: Pick<ReconcileContext, "ledger" | "clock">, onLoaded: () => void) {
    this.#context = context;
    this.#onLoaded = onLoaded;
  }

  /** Oldest first. */
  get points(): readonly HistoryPoint[] {
    return this.#points;
  }

  /** Reads what is on record, once in the life of a process: afterwards each cycle adds its own. Never throws. */
  load(): void {
    const { clock, ledger } = this.#context;
    if (this.#isLoaded || clock.monotonic() < this.#askAgainAt) return;
    this.#askAgainAt = Infinity;
    ledger.since(clock.now() - ageMsMax).then(
      ({ cycles }) => {
        this.#isLoaded = true;
        this.#merge(
          cycles.map(({ finishedAt, gaps, unknown, converged }) => ({
            at: finishedAt,
            gaps,
            unknown,
            converged,
          })),
        );
        this.#onLoaded();
      },
      () => {
        this.#askAgainAt = clock.monotonic() + retryMs;
      },
    );
  }

  /** Takes what a cycle saw, whether it goes on record or not. */
  add(assessment: Assessment): void {
    const { dispositions, states } = assessment.grid;
    this.#merge([
      {
        at: assessment.now,
        gaps: dispositions.reduce((sum, code) => sum + (code === Disposition.none ? 0 : 1), 0),
        unknown: states.reduce((sum, code) => sum + (code === State.unknown ? 1 : 0), 0),
        converged: isConverged(assessment),
      },
    ]);
  }

  #merge(points: readonly HistoryPoint[]): void {
    const byTime = new Map([...this.#points, ...points].map((point) => [point.at, point]));
    const sorted = [...byTime.values()].toSorted((a, b) => a.at - b.at);
    const from = (sorted.at(-1)?.at ?? 0) - ageMsMax;
    this.#points = sorted.filter(({ at }) => at >= from).slice(-pointsMax);
  }
}
