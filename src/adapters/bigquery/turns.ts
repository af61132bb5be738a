import { type Limits, within } from "./limits.ts";

/**
 * Lets one at a time work on a key, in the order of asking: transactions of this process on one table would only cancel each
 * other, and begin again.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** @throws as `within` does, where the limits are reached while others are at work */
  async take<T>(key: string, limits: Limits, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    let end = () => {};
    const mine = new Promise<void>((resolve) => {
      end = resolve;
    });
    // Those behind this one wait for those before it too, even when it gives up.
    const all = before.then(() => mine);
    this.#last.set(key, all);
    try {
      await within(limits, () => before);
      return await work();
    } finally {
      end();
      void all.then(() => {
        if (this.#last.get(key) === all) this.#last.delete(key);
      });
    }
  }
}
