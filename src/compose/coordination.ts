import { createInlineCellLock } from "../adapters/inline/cell-lock.ts";
import { createInlinePlanningLease } from "../adapters/inline/planning-lease.ts";
import { createInlineRepairEvents } from "../adapters/inline/repair-events.ts";
import { createInlineRepairQueue } from "../adapters/inline/repair-queue.ts";
import type { Config, RedisConfig } from "../config/config.ts";
import type { RedisServer } from "../adapters/redis/server.ts";
import type { LockServersListener } from "../adapters/redis/watch-lock-servers.ts";
import { ReconcilerError } from "../errors.ts";
import type { Coordination } from "../reconcile/daemon-options.ts";
import type { CellLock } from "../reconcile/ports.ts";

export interface OpenCoordination extends Coordination {
  readonly lock: CellLock;
  /**
   * Refuses servers that cannot carry it. One that is away is no reason to refuse: it may be back in a moment. Nor are lock
   * servers without which the others are a majority still.
   * @throws ReconcilerError `redis_unsuitable`, `redis_credentials`
   */
  check(): Promise<void>;
  /** Why each of several lock servers does not count that does not; the others may be a majority still. */
  lockServerFailures(): readonly ReconcilerError[];
  close(): Promise<void>;
}

export interface CoordinationListener extends LockServersListener {
  /** A job was dropped that another version wrote, or nobody. */
  readonly onUnreadable: (jobId: string, message: string) => void;
  /** Jobs waited beside a free slot: their worker is started anew. */
  readonly onStalled: (stall: { readonly waiting: number; readonly stalledMs: number }) => void;
  /** Redis has forgotten everything, which is another thing than to be away. */
  readonly onWiped: () => void;
}

/** Queue, locks and lease: on Redis where the config names one, else within this process. */
export function openCoordination(config: Config, listener: CoordinationListener): Promise<OpenCoordination> {
  const { redis, pipeline } = config;
  if (redis !== null) return openRedis(config, redis, listener);
  const queue = createInlineRepairQueue({ jobsMax: pipeline.limits.jobsMax });
  const events = createInlineRepairEvents();
  return Promise.resolve({
    isShared: false,
    queue,
    events,
    lease: createInlinePlanningLease(),
    lock: createInlineCellLock(),
    check: () => Promise.resolve(),
    lockServerFailures: () => [],
    async close() {
      await queue.close();
      await events.close();
    },
  });
}

/** Loaded only where it is used: it would cost every command a part of a second. */
async function openRedis(
  { pipeline }: Config,
  redis: RedisConfig,
  listener: CoordinationListener,
): Promise<OpenCoordination> {
  const [{ redisServer }, { openConnection }, { createRedisCellLock }, { watchLockServers }] =
    await Promise.all([
      import("../adapters/redis/server.ts"),
      import("../adapters/redis/connection.ts"),
      import("../adapters/redis/cell-lock.ts"),
      import("../adapters/redis/watch-lock-servers.ts"),
    ]);
  const { majorityOf } = await import("../adapters/redis/vote.ts");
  const [{ createRedisPlanningLease }, { createRedisRepairQueue }, { createRedisRepairEvents }] =
    await Promise.all([
      import("../adapters/redis/planning-lease.ts"),
      import("../adapters/redis/repair-queue.ts"),
      import("../adapters/redis/repair-events.ts"),
    ]);
  const server = redisServer(redis);
  const lockServers = redis.lockUrls.map((url) => redisServer({ ...redis, url, sentinel: null }));
  const connections = (lockServers.length === 0 ? [server] : lockServers).map((each) =>
    openConnection(each, "locks"),
  );
  // Of one alone the planner tells: without it nothing goes on.
  const watch = connections.length > 1 ? watchLockServers(connections, listener) : null;
  const shared = { pipeline: pipeline.name, server };
  const queue = createRedisRepairQueue({ ...shared, jobsMax: pipeline.limits.jobsMax, listener });
  const events = createRedisRepairEvents(shared);
  return {
    isShared: true,
    queue,
    events,
    lease: createRedisPlanningLease({
      pipeline: pipeline.name,
      connections,
      newestPlan: () => queue.newestPlan(),
    }),
    lock: createRedisCellLock({ pipeline: pipeline.name, connections }),
    async check() {
      const queueFailure = await unsuitabilityOf(server);
      if (queueFailure !== null) throw queueFailure;
      const found = await Promise.all(lockServers.map(unsuitabilityOf));
      const [first, ...others] = found.filter((failure) => failure !== null);
      if (first === undefined || found.length - 1 - others.length >= majorityOf(found.length)) return;
      throw first;
    },
    lockServerFailures: () => watch?.failures() ?? [],
    async close() {
      watch?.close();
      await queue.close();
      await events.close();
      for (const connection of connections) connection.close();
    },
  };
}

/** Why a server cannot carry coordination; null where it can, or is away and may. */
async function unsuitabilityOf(server: RedisServer): Promise<ReconcilerError | null> {
  const [{ openConnection }, { checkServer }] = await Promise.all([
    import("../adapters/redis/connection.ts"),
    import("../adapters/redis/check-server.ts"),
  ]);
  const connection = openConnection(server, "commands");
  try {
    await checkServer(connection);
    return null;
  } catch (error) {
    if (!(error instanceof ReconcilerError)) throw error;
    return error.code === "redis_unavailable" ? null : error;
  } finally {
    connection.close();
  }
}
