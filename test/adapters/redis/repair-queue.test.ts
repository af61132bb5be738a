import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { createRedisRepairQueue } from "../../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import { describeRepairQueueContract } from "../../contract/repair-queue.ts";
import { type RedisProcess, settings, startRedis } from "../../support/redis.ts";

let redis: RedisProcess;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

describeRepairQueueContract("on Redis", () => {
  const pipeline = `p-${randomUUID()}`;
  const replica = () =>
    createRedisRepairQueue({
      pipeline,
      server: redisServer(settings(redis.url)),
      jobsMax: 20,
      listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
    });
  const [one, other] = [replica(), replica()];
  return Promise.resolve({
    one,
    other,
    cleanup: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  });
});
