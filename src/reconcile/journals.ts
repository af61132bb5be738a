/** What changes while something is read, and what is read may not have seen: it is changed once more when that is known. */
export class Journals {
  /** One for each reading that goes on. */
  readonly #open = new Set<(() => void)[]>();

  get isReading(): boolean {
    return this.#open.size > 0;
  }

  /** To be called with every change that is made, so that it can be made again. */
  note(change: () => void): void {
    for (const journal of this.#open) journal.push(change);
  }

  /**
   * Reads, and has what was read taken before anybody else has a turn: `replay` makes the changes again that were noted meanwhile.
   * @throws what `read` throws; nothing is taken then
   */
  async read<T>(read: () => Promise<T>, take: (found: T, replay: () => void) => void): Promise<void> {
    const journal: (() => void)[] = [];
    this.#open.add(journal);
    let found: T;
    try {
      found = await read();
    } finally {
      // What is taken is no change of itself.
      this.#open.delete(journal);
    }
    take(found, () => {
      for (const again of journal) again();
    });
  }
}
