import { expect, onTestFinished, test } from "vitest";
import { openConnection } from "../../../src/adapters/redis/connection.ts";
import { redisServer } from "../../../src/adapters/redis/server.ts";
import { type LockServerNews, watchLockServers } from "../../../src/adapters/redis/watch-lock-servers.ts";
import { patient, ready, settings, startRedis } from "../../support/redis.ts";
import { soon } from "../../support/repairs.ts";

const news = (name: string, code: string | null, failing: number) => ({
  name,
  failing,
  failure: code === null ? null : expect.objectContaining({ code }),
});

test("each lock server that does not count is told of once with its reason, and once that it counts again", async () => {
  const [good, evicting, dead] = await Promise.all([
    startRedis(),
    startRedis("--maxmemory-policy", "allkeys-lru"),
    startRedis(),
  ]);
  onTestFinished(async () => {
    await Promise.all([good, evicting, dead].map((server) => server.stop()));
  });
  const connections = [good, evicting, dead].map(({ url }) =>
    openConnection(patient(redisServer(settings(url))), "locks"),
  );
  onTestFinished(() => {
    for (const connection of connections) connection.close();
  });
  await Promise.all(connections.map(ready));
  const [, evictingName = "", deadName = ""] = connections.map(({ name }) => name);
  const told: LockServerNews[] = [];
  const watch = watchLockServers(connections, { onLockServer: (one) => told.push(one) }, 20);
  onTestFinished(() => watch.close());
  const first = news(evictingName, "redis_unsuitable", 1);
  await soon(() => expect(told).toEqual([first]));
  await dead.kill();
  const second = news(deadName, "redis_unavailable", 2);
  await soon(() => expect(told).toEqual([first, second]));
  expect(watch.failures().map(({ code }) => code)).toEqual(["redis_unsuitable", "redis_unavailable"]);
  await evicting.command("config", "set", "maxmemory-policy", "noeviction");
  const third = news(evictingName, null, 1);
  await soon(() => expect(told).toEqual([first, second, third]));
  await dead.restart();
  await soon(() => expect(told).toEqual([first, second, third, news(deadName, null, 0)]));
  expect(watch.failures()).toEqual([]);
});
