import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Queue } from "bullmq";
import { describe, expect, test, type TestContext } from "vitest";
import {
  createRedisRepairQueue,
  type RedisRepairQueueOptions,
} from "../../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import type { RepairQueue } from "../../../src/reconcile/ports/repair-queue.ts";
import { awakeTime } from "../../support/awake-time.ts";
import { connectAll, type RedisProcess, settings, startRedis } from "../../support/redis.ts";
import { repairJob, soon, StubWorker } from "../../support/repairs.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

/** The limit of a call, and what a busy machine may add. */
const callMsMax = 6000;
const [a, b, c] = [repairJob(1), repairJob(2), repairJob(3)];

interface Arena {
  readonly redis: RedisProcess;
  /** A replica's end of the queue. */
  readonly replica: (options?: Partial<RedisRepairQueueOptions>) => RepairQueue;
  readonly worker: StubWorker;
  /** What the listeners of all replicas were told. */
  readonly unreadable: readonly string[];
  readonly stalls: readonly number[];
  /** When, as `performance.now()` counts. */
  readonly wipes: readonly number[];
}

/** A server of its own for a test, because they run at the same time: most of each is waiting. */
async function arena({ onTestFinished }: TestContext): Promise<Arena> {
  const redis = await startRedis();
  const queues: RepairQueue[] = [];
  const [unreadable, stalls, wipes]: [string[], number[], number[]] = [[], [], []];
  onTestFinished(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await redis.stop();
  });
  const replica = (options: Partial<RedisRepairQueueOptions> = {}): RepairQueue => {
    const queue = createRedisRepairQueue({
      pipeline: "p",
      server: redisServer(settings(redis.url)),
      jobsMax: 20,
      listener: {
        onUnreadable: (jobId) => unreadable.push(jobId),
        onStalled: ({ waiting }) => stalls.push(waiting),
        onWiped: () => wipes.push(performance.now()),
      },
      ...options,
    });
    queues.push(queue);
    return queue;
  };
  return { redis, replica, worker: new StubWorker(), unreadable, stalls, wipes };
}

async function states(queue: RepairQueue): Promise<object> {
  return Object.fromEntries((await queue.outstanding()).map(({ id, state }) => [id, state]));
}

/** Every question that can be asked, all at once: each has to fail in time. */
async function expectUnavailable(queue: RepairQueue): Promise<void> {
  const failed = awakeTime();
  const calls = [queue.enqueue([a], 1), queue.outstanding(), queue.remove([b.id]), queue.depth()];
  for (const result of await Promise.allSettled(calls)) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "redis_unavailable" } });
  }
  expect(failed()).toBeLessThan(callMsMax);
}

describe.concurrent("the repair queue on Redis", () => {
  test("hands out no job again whose worker process was killed, and takes it anew from whoever plans", async (context) => {
    const { redis, replica, worker } = await arena(context);
    const queue = replica();
    await queue.enqueue([a], 1);
    const script = fileURLToPath(new URL("../../support/repair-worker.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "@oxc-node/core/register", script, redis.url, "p"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    context.onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    expect(await states(queue)).toEqual({ [a.id]: "running" });
    child.kill("SIGKILL");
    await once(child, "exit");
    queue.consume(worker.handle, { slots: 1 });
    // Some ten seconds where nothing else goes on.
    await soon(async () => expect(await states(queue)).toEqual({}), 40_000);
    expect(worker.taken).toEqual([]);
    expect(await queue.enqueue([a], 1)).toEqual([a.id]);
    await worker.hasTaken(a);
    worker.end(a);
    await soon(async () => expect(await states(queue)).toEqual({}));
  }, 90_000);

  test("goes on after a wipe in mid-run, and does not forget what this process runs", async (context) => {
    const { redis, replica, worker } = await arena(context);
    const [planner, other] = [replica(), replica()];
    other.consume(worker.handle, { slots: 2 });
    await planner.enqueue([a], 5);
    await worker.hasTaken(a);
    await redis.command("flushall");
    expect(await states(other)).toEqual({ [a.id]: "running" });
    expect(await other.enqueue([a], 5)).toEqual([]);
    expect(await planner.enqueue([b], 5)).toEqual([b.id]);
    await worker.hasTaken(a, b);
    worker.end(a);
    await soon(async () => expect(await states(other)).toEqual({ [b.id]: "running" }));
    expect(await planner.enqueue([a, c], 5)).toEqual([a.id, c.id]);
    await worker.hasTaken(a, b, a);
    worker.end(b);
    await worker.hasTaken(a, b, a, c);
    await expect(planner.enqueue([b], 4)).rejects.toMatchObject({ code: "plan_outdated" });
  });

  test("tells whoever plans of a wipe, once, and of nothing where Redis was only away", async (context) => {
    const { redis, replica, worker, wipes } = await arena(context);
    const queue = replica();
    await queue.enqueue([a], 5);
    expect(await states(queue)).toEqual({ [a.id]: "queued" });
    await redis.command("save");
    await redis.kill();
    await expectUnavailable(queue);
    await redis.restart();
    await soon(async () => expect(await states(queue)).toEqual({ [a.id]: "queued" }));
    expect(wipes).toHaveLength(0);
    await redis.command("flushall");
    expect(await states(queue)).toEqual({});
    expect(await queue.enqueue([a], 5)).toEqual([a.id]);
    expect(await states(queue)).toEqual({ [a.id]: "queued" });
    expect(wipes).toHaveLength(1);
    queue.consume(worker.handle, { slots: 1 });
    await worker.hasTaken(a);
    worker.end(a);
  });

  test("fails in time while Redis is away, and goes on by itself when it is back and empty", async (context) => {
    const { redis, replica, worker } = await arena(context);
    const queue = replica();
    queue.consume(worker.handle, { slots: 2 });
    await queue.enqueue([a, b, c], 1);
    await worker.hasTaken(a, b);
    await redis.kill();
    worker.end(a);
    await expectUnavailable(queue);
    const late = replica();
    const lateWorker = new StubWorker();
    late.consume(lateWorker.handle, { slots: 2 });
    await expectUnavailable(late);
    const closing = replica();
    const closed = awakeTime();
    await closing.consume(worker.handle, { slots: 1 }).close({ graceMs: 0 });
    expect(closed()).toBeLessThan(callMsMax);
    await redis.restart();
    await soon(async () => expect(await states(late)).toEqual({}));
    expect(await late.enqueue([a, b, c], 1)).toEqual([a.id, b.id, c.id]);
    await soon(() => expect(worker.taken.length + lateWorker.taken.length).toBe(5));
  });

  test("takes no job on a server that came back with another policy, and says why", async (context) => {
    const { redis, replica } = await arena(context);
    const queue = replica();
    expect(await queue.enqueue([a], 1)).toEqual([a.id]);
    await redis.command("config", "set", "maxmemory-policy", "allkeys-lru");
    // The connection is made anew, as it is to a server that has taken another one's place.
    await redis.command("client", "kill", "type", "normal");
    const unsuitable = { code: "redis_unsuitable", message: expect.stringContaining("found allkeys-lru") };
    await soon(() => expect(queue.enqueue([b], 1)).rejects.toMatchObject(unsuitable));
    await expect(queue.outstanding()).rejects.toMatchObject(unsuitable);
    await redis.command("config", "set", "maxmemory-policy", "noeviction");
    expect(await queue.enqueue([b], 1)).toEqual([b.id]);
  });

  test("has a job once that was enqueued again because Redis hung", async (context) => {
    const { redis, replica, worker } = await arena(context);
    const queue = replica();
    queue.consume(worker.handle, { slots: 4 });
    await queue.enqueue([b], 1);
    await worker.hasTaken(b);
    redis.pause();
    await expectUnavailable(queue);
    redis.resume();
    await soon(async () => expect(await queue.enqueue([a, c], 1)).toContain(c.id));
    await soon(() => expect(worker.ids.toSorted()).toEqual([a.id, b.id, c.id]));
    worker.end(a);
    worker.end(b);
    worker.end(c);
    await soon(async () => expect(await states(queue)).toEqual({}));
    expect(worker.taken).toHaveLength(3);
  });

  test("drops what it cannot read, says so and goes on", async (context) => {
    const { redis, replica, worker, unreadable } = await arena(context);
    const queue = replica();
    const [connection] = await connectAll([redis.url], "commands");
    if (connection === undefined) throw new Error("expected a connection");
    const stranger = new Queue("repairs", { connection: connection.client, prefix: "gap-reconciler:{p}" });
    const options = { removeOnComplete: true, removeOnFail: true };
    const data: readonly unknown[] = [null, [], { id: a.id }, { ...a, epoch: 1, dates: ["2024-02-30"] }];
    for (const [index, each] of data.entries()) {
      await stranger.add("games", each, { ...options, jobId: `strange-${index}` });
    }
    await stranger.add("games", {}, { ...options, jobId: "strange-4" });
    await redis.command("hset", "gap-reconciler:{p}:repairs:strange-4", "data", "{");
    await queue.enqueue([a], 1);
    expect(await states(queue)).toEqual({ [a.id]: "queued" });
    queue.consume(worker.handle, { slots: 1 });
    await worker.hasTaken(a);
    expect(unreadable).toEqual([0, 1, 2, 3, 4].map((index) => `strange-${index}`));
    expect(await queue.depth()).toMatchObject({ waiting: 0, running: 1 });
    await stranger.close();
    connection.close();
  });

  test("knows nothing of another pipeline's jobs, epochs and ids", async (context) => {
    const { replica, worker } = await arena(context);
    const [one, other] = [replica({ pipeline: "one" }), replica({ pipeline: "other" })];
    await one.enqueue([a], 9);
    expect(await other.outstanding()).toEqual([]);
    expect(await other.enqueue([a, b], 3)).toEqual([a.id, b.id]);
    other.consume(worker.handle, { slots: 2 });
    await worker.hasTaken(a, b);
    expect(worker.taken.map(({ epoch }) => epoch)).toEqual([3, 3]);
    expect(await states(one)).toEqual({ [a.id]: "queued" });
  });

  test("withdraws a plan in whose midst another planner took over", async (context) => {
    const { redis, replica } = await arena(context);
    const proxy = await startTcpProxy(redis.port);
    context.onTestFinished(() => proxy.close());
    const old = replica({ server: redisServer(settings(`redis://127.0.0.1:${proxy.port}`)) });
    const next = replica();
    // The other one is to have nothing left to do but to take over.
    await Promise.all([old.outstanding(), next.outstanding()]);
    const answers = proxy.holdAnswersTo(b.id);
    const outcome = old.enqueue([a, b], 1).catch((error: unknown) => error);
    await soon(async () => expect(await redis.command("llen", "gap-reconciler:{p}:repairs:wait")).toBe(2));
    await next.enqueue([], 2);
    answers.letGo();
    expect(await outcome).toMatchObject({ code: "plan_outdated" });
    expect(await next.outstanding()).toEqual([]);
  });

  test("starts a worker anew that takes nothing while jobs wait, and keeps to its slots", async (context) => {
    const { redis, replica, worker, stalls } = await arena(context);
    // Each new worker has as long to take its first job.
    const queue = replica({ stalledMs: 2000 });
    queue.consume(worker.handle, { slots: 2 });
    await queue.enqueue([a], 1);
    await worker.hasTaken(a);
    const [before, stallsBefore] = [await clientIds(redis), stalls.length];
    // As somebody does with a dashboard of BullMQ: workers go on asking, and are given nothing.
    await redis.command("hset", "gap-reconciler:{p}:repairs:meta", "paused", 1);
    await queue.enqueue([b, c], 1);
    await soon(() => expect(stalls[stallsBefore]).toBe(2));
    await soon(async () => expect([...(await clientIds(redis))].some((id) => !before.has(id))).toBe(true));
    await redis.command("hdel", "gap-reconciler:{p}:repairs:meta", "paused");
    // The worker before may have asked for one, which it hands back, so that the other is taken first.
    await soon(() => expect(worker.taken).toHaveLength(2));
    worker.end(a);
    await soon(() => expect(worker.ids.toSorted()).toEqual([a.id, b.id, c.id]));
    expect(worker.atOnceMax).toBe(2);
  });
});

/** Of the connections that Redis has, without the one that asks. */
async function clientIds(redis: RedisProcess): Promise<ReadonlySet<string>> {
  const list = String(await redis.command("client", "list"));
  const lines = list.split("\n").filter((line) => line.includes(" ") && !line.includes("cmd=client"));
  return new Set(lines.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? ""));
}
