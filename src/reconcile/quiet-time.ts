import type { Clock } from "./ports.ts";

/** After so long everything is looked at, as what others told may be lost; after twice as long the next time, and so on. */
const quietMs = { first: 60_000, last: 15 * 60_000 } as const;

/** How long a process has waited for others without anything having happened. */
export class QuietTime {
  readonly #clock: Clock;
  /** On the monotonic clock: since when it is quiet and nothing was looked at; null where it is not quiet. */
  #since: number | null = null;
  #limitMs: number = quietMs.first;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be asked often. @param isQuiet whether others are waited for now, and do nothing that this process knows of */
  isTooLong(isQuiet: boolean): boolean {
    if (!isQuiet) {
      this.#since = null;
      this.#limitMs = quietMs.first;
      return false;
    }
    this.#since ??= this.#clock.monotonic();
    return this.#clock.monotonic() - this.#since >= this.#limitMs;
  }

  /** Everything was looked at: it costs as much each time, and so it is done ever less often. */
  lookedAt(): void {
    this.#since = this.#clock.monotonic();
    this.#limitMs = Math.min(2 * this.#limitMs, quietMs.last);
  }
}
