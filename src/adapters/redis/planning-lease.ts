import type { PlanningLease } from "../../reconcile/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { defaultLockTimes, type HeldLockTimes } from "./held-lock.ts";
import { Redlock } from "./redlock.ts";
import { keyPrefix } from "./server.ts";

export interface RedisPlanningLeaseOptions {
  readonly pipeline: string;
  /** Of independent servers, opened for `locks`. */
  readonly connections: readonly RedisConnection[];
  readonly times?: HeldLockTimes;
}

/** Elects one planner among all processes that share the pipeline's lock servers: a lock on a single key. */
export function createRedisPlanningLease(options: RedisPlanningLeaseOptions): PlanningLease {
  const { pipeline, connections, times = defaultLockTimes } = options;
  const redlock = new Redlock({
    connections,
    keyspace: `${keyPrefix(pipeline)}planning:`,
    memory: `${keyPrefix(pipeline)}locks:`,
    times,
  });
  return {
    async acquire() {
      const held = await redlock.acquire(["lease"]);
      if (held === null) return null;
      return {
        epoch: held.number,
        get signal() {
          return held.signal;
        },
        release: () => held.release(),
      };
    },
    currentEpoch: () => redlock.lastNumber(),
  };
}
