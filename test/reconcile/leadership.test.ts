// Method: two processes of a pipeline, with one Redis for its locks and another one for its queue.
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { createRedisPlanningLease } from "../../src/adapters/redis/planning-lease.ts";
import { createRedisRepairQueue } from "../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../src/adapters/redis/server.ts";
import { Leadership } from "../../src/reconcile/leadership.ts";
import { asIfUsedBefore, connectAll, settings, startRedis } from "../support/redis.ts";
import { soon } from "../support/repairs.ts";

test("a process that does not plan tells that the queue's Redis is away, though the lease is answered for, and that it is back", async () => {
  const [locks, jobs] = await Promise.all([startRedis(), startRedis()]);
  onTestFinished(async () => {
    await Promise.all([locks.stop(), jobs.stop()]);
  });
  await asIfUsedBefore([locks], "gap-reconciler:{p}:locks:");
  const joined = async () => {
    const queue = createRedisRepairQueue({
      pipeline: "p",
      server: redisServer(settings(jobs.url)),
      jobsMax: 1,
      listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
    });
    const connections = await connectAll([locks.url]);
    onTestFinished(async () => {
      await queue.close();
      for (const connection of connections) connection.close();
    });
    const lease = createRedisPlanningLease({
      pipeline: "p",
      connections,
      newestPlan: () => queue.newestPlan(),
    });
    const told: unknown[] = [];
    const leadership = new Leadership(lease, systemClock, {
      onLeading: () => undefined,
      onDegraded: (thrown) => told.push(thrown),
    });
    return { leadership, told };
  };
  const [planner, follower] = [await joined(), await joined()];
  expect(await planner.leadership.seek()).toBe("won");
  expect(await follower.leadership.seek()).toBe("taken");
  expect(follower.told).toEqual([]);
  const away = expect.objectContaining({ code: "redis_unavailable" });
  await jobs.kill();
  await soon(async () => {
    // It is no reason to look at everything as well: somebody plans.
    expect(await follower.leadership.seek()).toBe("taken");
    expect(follower.told).toEqual([away]);
  });
  await jobs.restart();
  await soon(async () => {
    await follower.leadership.seek();
    expect(follower.told).toEqual([away, null]);
  });
  await planner.leadership.release();
});
