import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  defaultLockTimes,
  type HeldLock,
  type HeldLockTimes,
} from "../../../src/adapters/redis/held-lock.ts";
import { Redlock } from "../../../src/adapters/redis/redlock.ts";
import {
  asIfUsedBefore,
  connectAll,
  type RedisProcess,
  startRedis,
  turnClockBack,
} from "../../support/redis.ts";
import { awakeTime } from "../../support/awake-time.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

const keyspace = "gap-reconciler:{redlock}:cells:";
const hourMs = 3_600_000;

async function startServers(count: number): Promise<readonly RedisProcess[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => startRedis()));
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });
  await asIfUsedBefore(servers, keyspace);
  return servers;
}

async function redlockOf(
  urls: readonly string[],
  times: HeldLockTimes = defaultLockTimes,
  limits?: "as shipped",
): Promise<Redlock> {
  const connections = await connectAll(urls, "locks", limits);
  onTestFinished(() => {
    for (const connection of connections) connection.close();
  });
  return new Redlock({ connections, keyspace, times });
}

async function acquired(redlock: Redlock, ...keys: readonly string[]): Promise<HeldLock> {
  const lock = await redlock.acquire(keys);
  if (lock === null) throw new Error(`expected ${keys.join(", ")} to be free`);
  onTestFinished(() => lock.release());
  return lock;
}

const urlsOf = (servers: readonly RedisProcess[]): readonly string[] => servers.map(({ url }) => url);

describe("a lock over three servers", () => {
  test("works, and excludes others, without one of them", async () => {
    const servers = await startServers(3);
    const [one, other] = [await redlockOf(urlsOf(servers)), await redlockOf(urlsOf(servers))];
    await servers[2]?.kill();
    await acquired(one, "a", "b");
    expect(await other.acquire(["b", "c"])).toBeNull();
    await acquired(other, "c");
  });

  test("is not granted without two of them, which is no answer about who holds it", async () => {
    const servers = await startServers(3);
    const redlock = await redlockOf(urlsOf(servers));
    await Promise.all([servers[1]?.kill(), servers[2]?.kill()]);
    await expect(redlock.acquire(["a"])).rejects.toMatchObject({
      code: "redis_unavailable",
      message: expect.stringContaining("expected 2 of 3 lock servers to answer, found 1: redis://127.0.0.1:"),
    });
    await expect(redlock.lastNumber()).rejects.toMatchObject({ code: "redis_unavailable" });
    expect(await servers[0]?.command("keys", "*lock:*")).toEqual([]);
  });

  test("does not wait for one that hangs, and waits for all of them no longer than their time limits", async () => {
    const servers = await startServers(3);
    const redlock = await redlockOf(urlsOf(servers), defaultLockTimes, "as shipped");
    servers[0]?.pause();
    const taken = awakeTime();
    const lock = await acquired(redlock, "a");
    // Of two calls with a time limit of a second each, neither was waited for.
    expect(taken()).toBeLessThan(1000);
    servers[1]?.pause();
    servers[2]?.pause();
    const refused = awakeTime();
    await expect(redlock.acquire(["b"])).rejects.toMatchObject({ code: "redis_unavailable" });
    await lock.release();
    // To take, to free what may have been taken after all, and to release.
    expect(refused()).toBeLessThan(5000);
  });

  test("has a larger number than the last one, also where only a server that is gone by now had its clock ahead", async () => {
    const servers = await startServers(3);
    const [a, b, c] = servers;
    const one = await redlockOf(urlsOf(servers));
    await turnClockBack(b === undefined ? [] : [b], keyspace, hourMs);
    await c?.kill();
    const first = await acquired(one, "a");
    expect(first.number).toBeGreaterThan((Date.now() + hourMs / 2) * 1000);
    await first.release();
    await c?.restart();
    await asIfUsedBefore(c === undefined ? [] : [c], keyspace);
    await b?.kill();
    const other = await redlockOf([a?.url ?? "", c?.url ?? ""]);
    expect((await acquired(other, "a")).number).toBeGreaterThan(first.number);
  });
});

describe("a lock over one server", () => {
  test("has a larger number than the last one that this process saw, also after a wipe with the clock set back", async () => {
    const servers = await startServers(1);
    const redlock = await redlockOf(urlsOf(servers));
    await turnClockBack(servers, keyspace, hourMs);
    const first = await acquired(redlock, "a");
    await first.release();
    await servers[0]?.command("flushall");
    await asIfUsedBefore(servers, keyspace);
    expect((await acquired(redlock, "a")).number).toBeGreaterThan(first.number);
    expect(await redlock.lastNumber()).toBeGreaterThan(first.number);
  });

  test("has a number of its own where many are taken at once", async () => {
    const redlock = await redlockOf(urlsOf(await startServers(1)));
    const locks = await Promise.all(
      Array.from({ length: 50 }, (_, index) => acquired(redlock, `key-${index}`)),
    );
    expect(new Set(locks.map(({ number }) => number)).size).toBe(50);
  });

  test("is refused, and free again, where it came later than it may be held", async () => {
    const servers = await startServers(1);
    const proxy = await startTcpProxy(servers[0]?.port ?? 0, 15);
    onTestFinished(() => proxy.close());
    const times = { renewMs: 10, giveUpMs: 40, ttlMs: 60_000 };
    const redlock = await redlockOf([`redis://127.0.0.1:${proxy.port}`], times);
    await expect(redlock.acquire(["a"])).rejects.toMatchObject({
      code: "redis_unavailable",
      message: expect.stringMatching(/^expected a lock within 0.04 s, .*, found it after \d\.\d s$/),
    });
    await acquired(await redlockOf(urlsOf(servers)), "a");
  });

  test("is granted by a server that knows nothing only when all that it may have forgotten has ended", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const redlock = await redlockOf([server.url], { renewMs: 50, giveUpMs: 900, ttlMs: 1000 });
    const start = performance.now();
    let lock = await redlock.acquire(["a"]);
    expect(lock).toBeNull();
    while (lock === null) {
      await delay(5);
      lock = await redlock.acquire(["a"]);
    }
    onTestFinished(() => lock?.release());
    expect(performance.now() - start).toBeGreaterThanOrEqual(999);
    // It remembers from now on.
    await acquired(redlock, "b");
  });

  test("is known to be lost as soon as a process that stood still for too long goes on", async () => {
    const times = { renewMs: 50, giveUpMs: 800, ttlMs: 60_000 };
    const lock = await acquired(await redlockOf(urlsOf(await startServers(1)), times), "a");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 850);
    // At once, before a timer had its turn.
    expect(lock.signal.aborted).toBe(true);
  });

  test("frees its keys by itself when its process is gone", async () => {
    const servers = await startServers(1);
    const times = { renewMs: 50, giveUpMs: 1400, ttlMs: 1500 };
    // Connected before, as the keys last no longer than that.
    const rival = await redlockOf(urlsOf(servers), times);
    const connections = await connectAll(urlsOf(servers));
    await new Redlock({ connections, keyspace, times }).acquire(["a"]);
    for (const connection of connections) connection.close();
    expect(await rival.acquire(["a"])).toBeNull();
    const lock = await vi.waitUntil(() => rival.acquire(["a"]), { timeout: 15_000 });
    await lock.release();
  });
});
