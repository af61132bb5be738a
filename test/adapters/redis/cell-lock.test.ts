import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createRedisCellLock } from "../../../src/adapters/redis/cell-lock.ts";
import type { RedisConnection } from "../../../src/adapters/redis/connection.ts";
import { describeCellLockContract } from "../../contract/cell-lock.ts";
import {
  asIfUsedBefore,
  connectAll,
  type RedisProcess,
  startRedis,
  turnClockBack,
} from "../../support/redis.ts";

let servers: readonly RedisProcess[];
let connections: readonly RedisConnection[];

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  connections = await connectAll(servers.map(({ url }) => url));
});

afterAll(async () => {
  for (const connection of connections) connection.close();
  await Promise.all(servers.map((server) => server.stop()));
});

/** A pipeline of its own for every test, so that none sees another's locks. */
async function newPipeline(
  serverCount: number,
): Promise<{ readonly pipeline: string; readonly keyspace: string }> {
  const pipeline = `p-${randomUUID()}`;
  const keyspace = `gap-reconciler:{${pipeline}}:cells:`;
  await asIfUsedBefore(servers.slice(0, serverCount), `gap-reconciler:{${pipeline}}:locks:`);
  return { pipeline, keyspace };
}

for (const serverCount of [1, 3]) {
  describeCellLockContract(`on ${serverCount} Redis servers`, async () => {
    const { pipeline, keyspace } = await newPipeline(serverCount);
    return {
      lock: createRedisCellLock({ pipeline, connections: connections.slice(0, serverCount) }),
      turnClockBack: (ms) => turnClockBack(servers.slice(0, serverCount), keyspace, ms),
      cleanup: () => Promise.resolve(),
    };
  });
}

describe("the cell locks of several processes", () => {
  test("exclude each other, and give tokens that grow from one process to the next", async () => {
    const { pipeline } = await newPipeline(3);
    const others = await connectAll(servers.map(({ url }) => url));
    onTestFinished(() => {
      for (const connection of others) connection.close();
    });
    const [one, other] = [connections, others].map((own) =>
      createRedisCellLock({ pipeline, connections: own }),
    );
    const first = await one?.acquire(["games/2024-01-01", "games/2024-01-02"]);
    expect(first).not.toBeNull();
    expect(await other?.acquire(["games/2024-01-02", "games/2024-01-03"])).toBeNull();
    await first?.release();
    const second = await other?.acquire(["games/2024-01-02", "games/2024-01-03"]);
    expect(second?.tokenFloor).toBeGreaterThan(first?.tokenFloor ?? Number.NaN);
    await second?.release();
  });

  test("know nothing of another pipeline's cells of the same name", async () => {
    const leases = [];
    for (const { pipeline } of [await newPipeline(1), await newPipeline(1)]) {
      const lock = createRedisCellLock({ pipeline, connections: connections.slice(0, 1) });
      leases.push(await lock.acquire(["games/2024-01-01"]));
    }
    expect(leases).not.toContain(null);
    for (const lease of leases) await lease?.release();
  });
});
