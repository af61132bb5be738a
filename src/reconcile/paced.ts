/**
 * A value that is made again when what it is made of has changed, but only so often that making it takes a bounded share of
 * the time: a value that took one second rests for `pause` seconds.
 */
export class Paced<T> {
  readonly #monotonic: () => number;
  readonly #pause: number;
  readonly #make: () => T;
  #made: { readonly value: T; readonly of: number; readonly at: number; readonly restUntil: number } | null =
    null;

  /** @param monotonic milliseconds of a clock that never goes back */
  constructor(monotonic: () => number, pause: number, make: () => T) {
    this.#monotonic = monotonic;
    this.#pause = pause;
    this.#make = make;
  }

  /**
   * @param of grows with every change of what the value is made of
   * @param ageMsMax the value is made anew where it is older, even though nothing has changed
   */
  value(of: number, ageMsMax = Infinity): T {
    const now = this.#monotonic();
    const known = this.#made;
    if (known !== null) {
      const isCurrent = known.of === of && now - known.at < ageMsMax;
      if (isCurrent || now < known.restUntil) return known.value;
    }
    const value = this.#make();
    const after = this.#monotonic();
    this.#made = { value, of, at: after, restUntil: after + (after - now) * this.#pause };
    return value;
  }

  /** Whether the value would be another one if it were made now. */
  isBehind(of: number): boolean {
    return this.#made !== null && this.#made.of !== of;
  }
}
