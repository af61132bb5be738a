import { describe, expect, onTestFinished, test } from "vitest";
import { createEpochKey, type EpochKey } from "../../../src/adapters/redis/epoch-key.ts";
import { connectAll, type RedisProcess, startRedis } from "../../support/redis.ts";

async function start(): Promise<RedisProcess> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  return server;
}

async function openKey({ url }: RedisProcess, pipeline = "shop"): Promise<EpochKey> {
  const [connection] = await connectAll([url], "commands", "as shipped");
  if (connection === undefined) throw new Error("expected a connection");
  onTestFinished(() => connection.close());
  return createEpochKey(connection, pipeline);
}

describe("the epoch key", () => {
  test("is the same for every process, as long as the server remembers", async () => {
    const server = await start();
    const [one, other] = [await openKey(server), await openKey(server)];
    expect(await one.look()).toBe("first");
    expect(await other.look()).toBe("first");
    expect([await one.look(), await other.look(), await one.look()]).toEqual(["kept", "kept", "kept"]);
  });

  test("tells every process of a wipe, once", async () => {
    const server = await start();
    const [one, other] = [await openKey(server), await openKey(server)];
    await one.look();
    await other.look();
    await server.command("flushall");
    expect([await one.look(), await other.look()]).toEqual(["wiped", "wiped"]);
    expect([await one.look(), await other.look()]).toEqual(["kept", "kept"]);
  });

  test("tells a dead server from one that came back empty, and from one that came back with what it knew", async () => {
    const server = await start();
    const key = await openKey(server);
    const look = (): Promise<string> => key.look().catch((error: unknown) => String(error));
    await key.look();
    await server.command("save");
    await server.kill();
    await expect(key.look()).rejects.toMatchObject({ code: "redis_unavailable" });
    await server.restart();
    await expect.poll(look).toBe("kept");
    await server.command("flushall");
    await server.command("save");
    await server.kill();
    await expect(key.look()).rejects.toMatchObject({ code: "redis_unavailable" });
    await server.restart();
    await expect.poll(look).toBe("wiped");
  });

  test("does not take a server that hangs for a wiped one", async () => {
    const server = await start();
    const key = await openKey(server);
    await key.look();
    server.pause();
    await expect(key.look()).rejects.toMatchObject({ code: "redis_unavailable" });
    server.resume();
    await expect.poll(() => key.look().catch(() => "away")).toBe("kept");
  });

  test("of one pipeline knows nothing of another's", async () => {
    const server = await start();
    const [shop, bank] = [await openKey(server, "shop"), await openKey(server, "bank")];
    await shop.look();
    await bank.look();
    await server.command("del", "gap-reconciler:{shop}:epoch");
    expect([await shop.look(), await bank.look()]).toEqual(["wiped", "kept"]);
  });
});
