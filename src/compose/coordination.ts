import { createInlineCellLock } from "../adapters/inline/cell-lock.ts";
import { createInlinePlanningLease } from "../adapters/inline/planning-lease.ts";
import { createInlineRepairEvents } from "../adapters/inline/repair-events.ts";
import { createInlineRepairQueue } from "../adapters/inline/repair-queue.ts";
import type { Config, RedisConfig } from "../config/config.ts";
import { ReconcilerError } from "../errors.ts";
import type { Coordination } from "../reconcile/daemon-options.ts";
import type { CellLock } from "../reconcile/ports.ts";

export interface OpenCoordination extends Coordination {
  readonly lock: CellLock;
  /**
   * Refuses servers that cannot carry it. One that is away is no reason to refuse: it may be back in a moment.
   * @throws ReconcilerError `redis_unsuitable`, `redis_credentials`
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface CoordinationListener {
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
  const [{ redisServer }, { openConnection }, { checkServer }, { createRedisCellLock }] = await Promise.all([
    import("../adapters/redis/server.ts"),
    import("../adapters/redis/connection.ts"),
    import("../adapters/redis/check-server.ts"),
    import("../adapters/redis/cell-lock.ts"),
  ]);
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
  const shared = { pipeline: pipeline.name, server };
  const queue = createRedisRepairQueue({ ...shared, jobsMax: pipeline.limits.jobsMax, listener });
  const events = createRedisRepairEvents(shared);
  return {
    isShared: true,
    queue,
    events,
    lease: createRedisPlanningLease({ pipeline: pipeline.name, connections }),
    lock: createRedisCellLock({ pipeline: pipeline.name, connections }),
    async check() {
      for (const each of [server, ...lockServers]) {
        const connection = openConnection(each, "commands");
        try {
          await checkServer(connection);
        } catch (error) {
          if (!isAway(error)) throw error;
        } finally {
          connection.close();
        }
      }
    },
    async close() {
      await queue.close();
      await events.close();
      for (const connection of connections) connection.close();
    },
  };
}

function isAway(error: unknown): boolean {
  return error instanceof ReconcilerError && error.code === "redis_unavailable";
}
