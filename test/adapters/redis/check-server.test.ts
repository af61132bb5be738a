import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkOfConnection, checkServer } from "../../../src/adapters/redis/check-server.ts";
import { openConnection } from "../../../src/adapters/redis/connection.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import { patient, settings, startRedis } from "../../support/redis.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

async function check(url: string): Promise<void> {
  const connection = openConnection(patient(redisServer(settings(url))), "commands");
  onTestFinished(() => connection.close());
  await checkServer(connection);
}

async function checkStarted(...options: readonly string[]): Promise<void> {
  const server = await startRedis(...options);
  onTestFinished(() => server.stop());
  await check(server.url);
}

/** Says of itself what a server that nobody can install any more would say. */
async function startImpostor(info: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      for (const [, command = ""] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        const isInfo = command.toLowerCase() === "info";
        socket.write(isInfo ? `$${info.length}\r\n${info}\r\n` : `-ERR unknown command '${command}'\r\n`);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return `redis://127.0.0.1:${address === null || typeof address === "string" ? 0 : address.port}`;
}

describe("the check of a Redis server", () => {
  test("passes one that is recent, takes writes and evicts nothing", async () => {
    await expect(checkStarted()).resolves.toBeUndefined();
  });

  test("refuses one that would evict locks and jobs", async () => {
    await expect(checkStarted("--maxmemory-policy", "allkeys-lru")).rejects.toMatchObject({
      code: "redis_unsuitable",
      message: expect.stringMatching(/^redis:\S+: expected maxmemory-policy noeviction, found allkeys-lru$/),
      hint: expect.stringContaining("set `maxmemory-policy noeviction`"),
    });
  });

  test("refuses a replica", async () => {
    await expect(checkStarted("--replicaof", "127.0.0.1", "1")).rejects.toMatchObject({
      code: "redis_unsuitable",
      message: expect.stringContaining("expected a primary (role master), found slave"),
    });
  });

  test("is made of another server, where the name leads to one since, and not of the replica for ever", async () => {
    const [replica, primary] = await Promise.all([startRedis("--replicaof", "127.0.0.1", "1"), startRedis()]);
    onTestFinished(() => Promise.all([replica.stop(), primary.stop()]).then(() => undefined));
    const proxy = await startTcpProxy(replica.port);
    const connection = openConnection(
      patient(redisServer(settings(`redis://127.0.0.1:${proxy.port}`))),
      "locks",
    );
    onTestFinished(() => (connection.close(), proxy.close()));
    const checked = checkOfConnection(connection);
    await expect(checked()).rejects.toMatchObject({ code: "redis_unsuitable" });
    proxy.redirect(primary.port);
    const codeOf = () =>
      checked().then(
        () => "passed",
        (error: unknown) => String(error),
      );
    await expect.poll(codeOf).toBe("passed");
  });

  test("refuses a cluster", async () => {
    await expect(checkStarted("--cluster-enabled", "yes")).rejects.toMatchObject({
      code: "redis_unsuitable",
      message: expect.stringContaining("found cluster"),
    });
  });

  test.each([
    ["5.0.14", "found 5.0.14"],
    ["6.0.20", "found 6.0.20"],
    ["", "found none"],
  ])("refuses version '%s'", async (version, found) => {
    const url = await startImpostor(`# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`);
    await expect(check(url)).rejects.toMatchObject({
      code: "redis_unsuitable",
      message: `${url}/0: expected Redis 6.2 or newer, ${found}`,
    });
  });

  test.each(["6.2.0", "7.0.15", "10.1.0"])("takes version %s", async (version) => {
    const lines = [
      `redis_version:${version}`,
      "redis_mode:standalone",
      "role:master",
      "maxmemory_policy:noeviction",
    ];
    await expect(check(await startImpostor(lines.join("\r\n")))).resolves.toBeUndefined();
  });

  test("fails with why the server cannot be reached, where it cannot", async () => {
    await expect(check("redis://127.0.0.1:1")).rejects.toMatchObject({
      code: "redis_unavailable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
