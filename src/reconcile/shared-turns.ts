/**
 * Does the work one turn at a time. Whoever asks shares the next turn that has not begun, so that many who ask at once cost two turns at most, and
 * what each gets was begun after it asked.
 */
export function sharedTurns(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  return () => {
    if (next !== null) return next;
    const turn = last.then(() => {
      next = null;
      return work();
    });
    next = turn;
    last = turn.catch(() => undefined);
    return turn;
  };
}
