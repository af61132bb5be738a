import type { CellLock } from "../../reconcile/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { defaultLockTimes, type HeldLockTimes } from "./held-lock.ts";
import { Redlock } from "./redlock.ts";
import { keyPrefix } from "./server.ts";

export interface RedisCellLockOptions {
  readonly pipeline: string;
  /** Of independent servers, opened for `locks`. */
  readonly connections: readonly RedisConnection[];
  readonly times?: HeldLockTimes;
}

/** Locks among all processes that share the pipeline's lock servers. */
export function createRedisCellLock(options: RedisCellLockOptions): CellLock {
  const { pipeline, connections, times = defaultLockTimes } = options;
  const redlock = new Redlock({
    connections,
    keyspace: `${keyPrefix(pipeline)}cells:`,
    memory: `${keyPrefix(pipeline)}locks:`,
    times,
  });
  return {
    async acquire(keys) {
      const sorted = [...new Set(keys)].toSorted();
      const held = sorted.length === 0 ? null : await redlock.acquire(sorted);
      if (held === null) return null;
      return {
        tokenFloor: held.number,
        get signal() {
          return held.signal;
        },
        release: () => held.release(),
      };
    },
  };
}
