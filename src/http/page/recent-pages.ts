/** Nobody sees that a page is so much older; its ages go on from when it arrives. */
const keptMs = 1_000;
/** Addresses that are looked at in the same second. */
const pagesMax = 20;

interface RecentPage {
  readonly text: string;
  readonly madeAt: number;
}

/**
 * The pages of the last second, by what they show. When something changes, everybody who has the page open asks for it at
 * once, and most look at the same: it is made once for all of them.
 */
export class RecentPages {
  readonly #monotonic: () => number;
  readonly #pages = new Map<string, RecentPage>();

  /** @param monotonic milliseconds of a clock that is never set */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** @param key everything that decides what the page shows, its revision among it */
  page(key: string, make: () => string): string {
    const now = this.#monotonic();
    for (const [known, { madeAt }] of this.#pages) if (now - madeAt >= keptMs) this.#pages.delete(known);
    const recent = this.#pages.get(key);
    if (recent !== undefined) return recent.text;
    const text = make();
    const [oldest] = this.#pages.keys();
    if (oldest !== undefined && this.#pages.size >= pagesMax) this.#pages.delete(oldest);
    this.#pages.set(key, { text, madeAt: now });
    return text;
  }
}
