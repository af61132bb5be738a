import { ReconcilerError } from "../../errors.ts";
import type { PlanningLease } from "../../reconcile/ports.ts";
import { checkOfConnection } from "./check-server.ts";
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

/**
 * Elects one planner among all processes that share the pipeline's lock servers: a lock on a single key. Nobody is given it by
 * servers that cannot carry it, so that nothing is planned while they might throw locks away.
 */
export function createRedisPlanningLease(options: RedisPlanningLeaseOptions): PlanningLease {
  const { pipeline, connections, times = defaultLockTimes } = options;
  const redlock = new Redlock({
    connections,
    keyspace: `${keyPrefix(pipeline)}planning:`,
    memory: `${keyPrefix(pipeline)}locks:`,
    times,
  });
  const checks = connections.map((connection) => ({ connection, check: checkOfConnection(connection) }));
  return {
    async acquire() {
      for (const { connection, check } of checks) {
        // One that is away has no vote, and is not waited for.
        if (connection.client.status === "ready") await check().catch(unlessAway);
      }
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

function unlessAway(error: unknown): void {
  if (!(error instanceof ReconcilerError) || error.code !== "redis_unavailable") throw error;
}
