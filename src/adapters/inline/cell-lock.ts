import type { EpochMs } from "../../core/wall-clock.ts";
import type { CellLease, CellLock } from "../../reconcile/ports.ts";

export interface InlineCellLockOptions {
  /** The clock that tokens come from; that of this machine by default. */
  readonly now?: () => EpochMs;
}

/** Locks among the repairs of one process. They end with it, so that none is ever lost or left behind. */
export function createInlineCellLock(options: InlineCellLockOptions = {}): CellLock {
  const now = options.now ?? Date.now;
  const held = new Set<string>();
  let lastFloor = 0;
  return {
    acquire(keys) {
      if (keys.length === 0 || keys.some((key) => held.has(key))) return Promise.resolve(null);
      for (const key of keys) held.add(key);
      // Larger than the one before even where the clock stands still or goes back.
      lastFloor = Math.max(lastFloor + 1, Math.floor(now() * 1000));
      return Promise.resolve(leaseOf(keys, lastFloor, held));
    },
  };
}

function leaseOf(keys: readonly string[], tokenFloor: number, held: Set<string>): CellLease {
  let released = false;
  return {
    tokenFloor,
    // Never aborts: while this process lives nobody can take these locks from it.
    signal: new AbortController().signal,
    release() {
      // Once only, because others may hold the keys by the second time.
      if (!released) for (const key of keys) held.delete(key);
      released = true;
      return Promise.resolve();
    },
  };
}
