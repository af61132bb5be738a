import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRedisRepairEvents } from "../../../src/adapters/redis/repair-events.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import type { RepairEvent, RepairEvents } from "../../../src/reconcile/ports/repair-events.ts";
import { describeRepairEventsContract } from "../../contract/repair-events.ts";
import { awakeTime } from "../../support/awake-time.ts";
import { type RedisProcess, settings, startRedis } from "../../support/redis.ts";
import { soon } from "../../support/repairs.ts";

let redis: RedisProcess;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

interface Channel {
  readonly name: string;
  readonly replicas: readonly RepairEvents[];
}

function openChannel(replicas: number): Channel {
  const pipeline = `p-${randomUUID()}`;
  const open = () => createRedisRepairEvents({ pipeline, server: redisServer(settings(redis.url)) });
  return {
    name: `gap-reconciler:{${pipeline}}:repair-events:0`,
    replicas: Array.from({ length: replicas }, open),
  };
}

/** Resolves when so many connections listen to the channel. */
function listening({ name, replicas }: Channel): Promise<void> {
  return soon(async () =>
    expect(await redis.command("pubsub", "numsub", name)).toEqual([name, replicas.length]),
  );
}

async function close({ replicas }: Channel): Promise<void> {
  for (const replica of replicas) await replica.close();
}

describeRepairEventsContract("on Redis", () => {
  const channel = openChannel(2);
  const [one, other] = channel.replicas;
  if (one === undefined || other === undefined) throw new Error("expected two replicas");
  return Promise.resolve({ one, other, ready: () => listening(channel), cleanup: () => close(channel) });
});

const ended = (jobId: string, body: unknown = null): RepairEvent => ({ kind: "ended", jobId, body });

describe("repair events on Redis", () => {
  let channel: Channel;
  let received: RepairEvent[];
  const open = async (): Promise<RepairEvents> => {
    channel = openChannel(1);
    const [events] = channel.replicas;
    if (events === undefined) throw new Error("expected a replica");
    received = [];
    events.subscribe((event) => received.push(event));
    await listening(channel);
    return events;
  };

  test("leave out a body of more than 256 KiB, and pass over what they cannot read", async () => {
    const events = await open();
    for (const text of ["{", "[]", '{"kind":"other","jobId":"a"}'])
      await redis.command("publish", channel.name, text);
    await events.publish(ended("small", "x".repeat(250 * 1024)));
    await events.publish(ended("large", "é".repeat(128 * 1024)));
    const [small, large] = [
      { jobId: "small", body: "x".repeat(250 * 1024) },
      { jobId: "large", body: null },
    ];
    await soon(() => expect(received).toMatchObject([small, large]));
    await close(channel);
  });

  test("fail soon while Redis is away, and are heard again by themselves when it is back", async () => {
    const events = await open();
    await redis.kill();
    const taken = awakeTime();
    await expect(events.publish(ended("lost"))).rejects.toMatchObject({ code: "redis_unavailable" });
    expect(taken()).toBeLessThan(3500);
    await redis.restart();
    await listening(channel);
    await events.publish(ended("found"));
    await soon(() => expect(received).toEqual([ended("found")]));
    await close(channel);
  });
});

test("what is told in one database is not heard in another, where the same pipeline has another warehouse", async () => {
  const pipeline = `p-${randomUUID()}`;
  const inDatabase = (database: number) =>
    createRedisRepairEvents({ pipeline, server: redisServer(settings(redis.url, { database })) });
  const [one, same, other] = [inDatabase(0), inDatabase(0), inDatabase(1)];
  const [near, far]: [RepairEvent[], RepairEvent[]] = [[], []];
  same.subscribe((event) => near.push(event));
  other.subscribe((event) => far.push(event));
  const channels = [0, 1].map((database) => `gap-reconciler:{${pipeline}}:repair-events:${database}`);
  const [here = "", there = ""] = channels;
  await soon(async () =>
    expect(await redis.command("pubsub", "numsub", ...channels)).toEqual([here, 2, there, 1]),
  );
  await one.publish(ended("a"));
  await other.publish(ended("b"));
  await soon(() => expect([near, far]).toEqual([[ended("a")], [ended("b")]]));
  await Promise.all([one, same, other].map((events) => events.close()));
});

test("whoever was refused to listen, such as for its rights, hears by itself once it may", async () => {
  await redis.command("acl", "setuser", "default", "resetchannels");
  const channel = openChannel(1);
  await soon(async () => expect(await redis.command("acl", "log")).not.toEqual([]));
  await redis.command("acl", "setuser", "default", "allchannels");
  await listening(channel);
  await close(channel);
}, 30_000);

test("events are closed at once where their server has never been there", async () => {
  const server = redisServer(settings("redis://127.0.0.1:1"));
  const open = () => createRedisRepairEvents({ pipeline: `p-${randomUUID()}`, server });
  // Several, as each is at another point between two attempts to connect.
  const all = Array.from({ length: 10 }, open);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const published = all.map((events) => events.publish({ kind: "cycle_wanted" }));
    const outcomes = await Promise.allSettled(published);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  }
  expect(await Promise.all(all.map((events) => events.close()))).toHaveLength(all.length);
});
