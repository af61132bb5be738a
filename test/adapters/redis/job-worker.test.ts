import { expect, onTestFinished, test } from "vitest";
import { JobWorker } from "../../../src/adapters/redis/job-worker.ts";
import { createRedisRepairQueue } from "../../../src/adapters/redis/repair-queue.ts";
import { keyPrefix, redisServer } from "../../../src/adapters/redis/server.ts";
import { awakeTime } from "../../support/awake-time.ts";
import { settings, startRedis } from "../../support/redis.ts";
import { repairJob } from "../../support/repairs.ts";

test("a worker that is closed waits for no job that does not end, for which its process was given all the time that there is", async () => {
  const redis = await startRedis();
  const server = redisServer(settings(redis.url));
  const queue = createRedisRepairQueue({
    pipeline: "p",
    server,
    jobsMax: 1,
    listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
  });
  onTestFinished(async () => {
    await queue.close();
    await redis.stop();
  });
  const worker = await new Promise<JobWorker>((resolve) => {
    const place = { server, prefix: keyPrefix("p").replace(/:$/, ""), name: "repairs" };
    const run = () => {
      resolve(taking);
      return new Promise<void>(() => undefined);
    };
    const taking: JobWorker = new JobWorker({ place, slots: 1, run, onOver: () => undefined });
    void queue.enqueue([repairJob(1)], 1);
  });
  const taken = awakeTime();
  await worker.close();
  expect(taken()).toBeLessThan(1000);
});
