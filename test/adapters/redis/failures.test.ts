import { expect, onTestFinished, test } from "vitest";
import { checkServer } from "../../../src/adapters/redis/check-server.ts";
import { openConnection } from "../../../src/adapters/redis/connection.ts";
import { redisFailure } from "../../../src/adapters/redis/failures.ts";
import { createRedisPlanningLease } from "../../../src/adapters/redis/planning-lease.ts";
import { createRedisRepairEvents } from "../../../src/adapters/redis/repair-events.ts";
import { createRedisRepairQueue } from "../../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import type { RepairEvent } from "../../../src/reconcile/ports/repair-events.ts";
import { asIfUsedBefore, patient, ready, settings, startRedis } from "../../support/redis.ts";
import { repairJob, soon, StubWorker } from "../../support/repairs.ts";

test("the rights that a refused user is told to need are enough for locks, jobs and events", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { hint } = redisFailure(new Error("NOPERM no"), redisServer(settings(redis.url)));
  const rules = /\((.+)\)$/.exec(hint ?? "")?.[1]?.split(" ") ?? [];
  await redis.command("acl", "setuser", "reconciler", "on", ">looking-glass", "resetchannels", ...rules);
  await asIfUsedBefore([redis], "gap-reconciler:{p}:locks:");
  const server = patient(
    redisServer(settings(redis.url, { username: "reconciler", password: "looking-glass" })),
  );
  const [locks, commands] = [openConnection(server, "locks"), openConnection(server, "commands")];
  const events = createRedisRepairEvents({ pipeline: "p", server });
  const listener = { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined };
  const queue = createRedisRepairQueue({ pipeline: "p", server, jobsMax: 1, listener });
  onTestFinished(async () => {
    await queue.close();
    await events.close();
    for (const connection of [locks, commands]) connection.close();
  });
  await checkServer(commands);
  await ready(locks);
  const newestPlan = () => queue.newestPlan();
  const term = await createRedisPlanningLease({ pipeline: "p", connections: [locks], newestPlan }).acquire();
  expect(term).not.toBeNull();
  await term?.release();
  const heard: RepairEvent[] = [];
  events.subscribe((event) => heard.push(event));
  await soon(async () => {
    await events.publish({ kind: "cycle_wanted" });
    expect(heard).toContainEqual({ kind: "cycle_wanted" });
  });
  const [worker, job] = [new StubWorker(), repairJob(1)];
  queue.consume(worker.handle, { slots: 1 });
  expect(await queue.enqueue([job], 1)).toEqual([job.id]);
  await worker.hasTaken(job);
  worker.end(job);
  // BullMQ has it out of the way as well.
  await soon(async () => expect(await queue.outstanding()).toEqual([]));
});
