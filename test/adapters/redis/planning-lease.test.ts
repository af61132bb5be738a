import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { RedisConnection } from "../../../src/adapters/redis/connection.ts";
import { createRedisPlanningLease } from "../../../src/adapters/redis/planning-lease.ts";
import { describePlanningLeaseContract } from "../../contract/planning-lease.ts";
import {
  asIfUsedBefore,
  connectAll,
  type RedisProcess,
  startRedis,
  turnClockBack,
} from "../../support/redis.ts";

let servers: readonly RedisProcess[];
let replicas: readonly (readonly RedisConnection[])[];

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const urls = servers.map(({ url }) => url);
  replicas = [await connectAll(urls), await connectAll(urls)];
});

afterAll(async () => {
  for (const connection of replicas.flat()) connection.close();
  await Promise.all(servers.map((server) => server.stop()));
});

for (const serverCount of [1, 3]) {
  describePlanningLeaseContract(`on ${serverCount} Redis servers`, async () => {
    const pipeline = `p-${randomUUID()}`;
    const keyspace = `gap-reconciler:{${pipeline}}:planning:`;
    const own = servers.slice(0, serverCount);
    await asIfUsedBefore(own, `gap-reconciler:{${pipeline}}:locks:`);
    const lease = (replica = 0) =>
      createRedisPlanningLease({ pipeline, connections: replicas[replica]?.slice(0, serverCount) ?? [] });
    return {
      one: lease(0),
      other: lease(1),
      turnClockBack: (ms) => turnClockBack(own, keyspace, ms),
      cleanup: () => Promise.resolve(),
    };
  });
}

test("nobody is given the lease by a server that would throw it away, until it does so no more", async () => {
  const redis = await startRedis("--maxmemory-policy", "allkeys-lru");
  onTestFinished(() => redis.stop());
  await asIfUsedBefore([redis], "gap-reconciler:{p}:locks:");
  // As of a process that was started while the server was away, and whose start could not check it.
  const connections = await connectAll([redis.url]);
  onTestFinished(() => {
    for (const connection of connections) connection.close();
  });
  const lease = createRedisPlanningLease({ pipeline: "p", connections });
  await expect(lease.acquire()).rejects.toMatchObject({
    code: "redis_unsuitable",
    message: expect.stringContaining("expected maxmemory-policy noeviction, found allkeys-lru"),
  });
  await redis.command("config", "set", "maxmemory-policy", "noeviction");
  const term = await lease.acquire();
  expect(term).not.toBeNull();
  await term?.release();
});
