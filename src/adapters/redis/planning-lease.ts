import type { PlanningLease } from "../../reconcile/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { defaultLockTimes, type HeldLockTimes } from "./held-lock.ts";
import { Redlock } from "./redlock.ts";
import { keyPrefix } from "./server.ts";

export interface RedisPlanningLeaseOptions {
  readonly pipeline: string;
  /** Of independent servers, opened for `locks`. */
  readonly connections: readonly RedisConnection[];
  /**
   * The newest epoch of all plans that the queue has seen. A term's is larger, or the queue would refuse its plans as outdated where
   * lock servers of their own were wiped and their clocks are behind. @throws ReconcilerError `redis_*`
   */
  readonly newestPlan: () => Promise<number>;
  readonly times?: HeldLockTimes;
}

/** Elects one planner among all processes that share the pipeline's lock servers: a lock on a single key. */
export function createRedisPlanningLease(options: RedisPlanningLeaseOptions): PlanningLease {
  const { pipeline, connections, newestPlan, times = defaultLockTimes } = options;
  const redlock = new Redlock({
    connections,
    keyspace: `${keyPrefix(pipeline)}planning:`,
    memory: `${keyPrefix(pipeline)}locks:`,
    times,
  });
  return {
    async acquire() {
      // Whoever plans looks at everything, also while the queue is away.
      const floor = await newestPlan().catch(() => 0);
      const held = await redlock.acquire(["lease"], floor);
      if (held === null) return null;
      return {
        epoch: held.number,
        get signal() {
          return held.signal;
        },
        release: () => held.release(),
      };
    },
    async currentEpoch() {
      const [newest, last] = await Promise.all([newestPlan(), redlock.lastNumber()]);
      return Math.max(newest, last);
    },
  };
}
