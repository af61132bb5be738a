import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
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
