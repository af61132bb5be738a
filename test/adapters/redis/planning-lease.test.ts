import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openConnection, type RedisConnection } from "../../../src/adapters/redis/connection.ts";
import { createRedisPlanningLease } from "../../../src/adapters/redis/planning-lease.ts";
import { createRedisRepairQueue } from "../../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import { describePlanningLeaseContract } from "../../contract/planning-lease.ts";
import {
  asIfUsedBefore,
  connectAll,
  patient,
  ready,
  type RedisProcess,
  settings,
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

const noPlanYet = () => Promise.resolve(0);

for (const serverCount of [1, 3]) {
  describePlanningLeaseContract(`on ${serverCount} Redis servers`, async () => {
    const pipeline = `p-${randomUUID()}`;
    const keyspace = `gap-reconciler:{${pipeline}}:planning:`;
    const own = servers.slice(0, serverCount);
    await asIfUsedBefore(own, `gap-reconciler:{${pipeline}}:locks:`);
    const lease = (replica = 0) =>
      createRedisPlanningLease({
        pipeline,
        connections: replicas[replica]?.slice(0, serverCount) ?? [],
        newestPlan: noPlanYet,
      });
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
  const lease = createRedisPlanningLease({ pipeline: "p", connections, newestPlan: noPlanYet });
  await expect(lease.acquire()).rejects.toMatchObject({
    code: "redis_unsuitable",
    message: expect.stringContaining("expected maxmemory-policy noeviction, found allkeys-lru"),
  });
  await redis.command("config", "set", "maxmemory-policy", "noeviction");
  const term = await lease.acquire();
  expect(term).not.toBeNull();
  await term?.release();
});

/** Connections of a process that has just started, to servers that are known to it as if used before; the first two are ready. */
async function freshConnections(own: readonly RedisProcess[]): Promise<readonly RedisConnection[]> {
  const connections = own.map(({ url }) => openConnection(patient(redisServer(settings(url))), "locks"));
  onTestFinished(() => {
    for (const connection of connections) connection.close();
  });
  await Promise.all(connections.slice(0, 2).map(ready));
  return connections;
}

test("a server of three that would throw locks away is not counted, and two are too many", async () => {
  const pipeline = `p-${randomUUID()}`;
  await asIfUsedBefore(servers, `gap-reconciler:{${pipeline}}:locks:`);
  const evicting = (server: RedisProcess | undefined, policy: string) =>
    server?.command("config", "set", "maxmemory-policy", policy);
  onTestFinished(async () => {
    for (const server of servers) await evicting(server, "noeviction");
  });
  const held = () =>
    Promise.all(
      servers.map((server) => server.command("exists", `gap-reconciler:{${pipeline}}:planning:lock:lease`)),
    );
  const started = async () => {
    const connections = await freshConnections(servers);
    await Promise.all(connections.map(ready));
    return createRedisPlanningLease({ pipeline, connections, newestPlan: noPlanYet });
  };
  await evicting(servers[2], "allkeys-lru");
  const term = await (await started()).acquire();
  expect(term).not.toBeNull();
  expect(await held()).toEqual([1, 1, 0]);
  await term?.release();
  await evicting(servers[1], "volatile-lru");
  await expect((await started()).acquire()).rejects.toMatchObject({
    code: "redis_unsuitable",
    message: expect.stringContaining("expected 2 of 3 lock servers to answer, found 1"),
  });
  expect(await held()).toEqual([0, 0, 0]);
});

test("a server of three that refuses the password keeps nobody from the lease", async () => {
  const pipeline = `p-${randomUUID()}`;
  const closed = await startRedis("--requirepass", "looking-glass");
  onTestFinished(() => closed.stop());
  const open = servers.slice(0, 2);
  await asIfUsedBefore(open, `gap-reconciler:{${pipeline}}:locks:`);
  const connections = await freshConnections([...open, closed]);
  const term = await createRedisPlanningLease({ pipeline, connections, newestPlan: noPlanYet }).acquire();
  expect(term).not.toBeNull();
  await term?.release();
});

test("a term's plans are accepted by a queue that has seen plans of a clock that is ahead", async () => {
  const pipeline = `p-${randomUUID()}`;
  const [queueServer, ...lockServers] = servers;
  const ahead = (Date.now() + 3_600_000) * 1000;
  await queueServer?.command("set", `gap-reconciler:{${pipeline}}:plan-epoch`, ahead);
  // The lock servers know of none of the terms before, as they were wiped.
  await asIfUsedBefore(lockServers, `gap-reconciler:{${pipeline}}:locks:`);
  const queue = createRedisRepairQueue({
    pipeline,
    server: redisServer(settings(queueServer?.url ?? "")),
    jobsMax: 1,
    listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
  });
  onTestFinished(() => queue.close());
  const lease = createRedisPlanningLease({
    pipeline,
    connections: await freshConnections(lockServers),
    newestPlan: () => queue.newestPlan(),
  });
  expect(await lease.currentEpoch()).toBe(ahead);
  const term = await lease.acquire();
  expect(term?.epoch).toBeGreaterThan(ahead);
  expect(await queue.enqueue([], term?.epoch ?? 0)).toEqual([]);
  await term?.release();
});
