import { expect, onTestFinished, test } from "vitest";
import { openCoordination } from "../../src/compose/coordination.ts";
import { load } from "../config/load.ts";
import { startRedis } from "../support/redis.ts";

test("a start is refused for lock servers that are unfit only where the others are no majority", async () => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });
  const urls = servers.map(({ url }) => JSON.stringify(url));
  const { config } = await load({
    yaml: `version: 1
pipeline: shop
timezone: UTC
warehouse: { type: bigquery, project: some-project, location: EU }
ledger: { dataset: shop_reconciler }
redis: { url: ${urls[0]}, lock_urls: [${urls.join()}] }
schedule: { every: day, start_date: 2024-01-01 }
processors:
  a: { table: raw.a, date_column: day }
`,
  });
  const coordination = await openCoordination(config, {
    onUnreadable: () => undefined,
    onStalled: () => undefined,
    onWiped: () => undefined,
    onLockServer: () => undefined,
  });
  onTestFinished(() => coordination.close());
  const evict = (index: number) =>
    servers[index]?.command("config", "set", "maxmemory-policy", "allkeys-lru");
  await evict(2);
  await expect(coordination.check()).resolves.toBeUndefined();
  await evict(1);
  await expect(coordination.check()).rejects.toMatchObject({ code: "redis_unsuitable" });
});
