// Goal: who is told of what happens must not be able to hold up what happens. Method: the daemon as it is composed, a receiver that
// takes the request and never answers, and one that does.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { tellAll } from "../../src/compose/listeners.ts";
import { withTempWarehouse } from "../support/duckdb.ts";
import { soon } from "../support/repairs.ts";
import { composeShop } from "../support/shop-pipeline.ts";
import { startWebhook } from "../support/webhook.ts";

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-01' + i::integer as day from range(20) as r (i)",
  "create table shop.orders as select day from shop.days",
  "create table shop.lines as select day from shop.days",
];

test("a receiver that hangs holds up neither the cycle, nor the repairs, nor another receiver, nor the end", async () => {
  const [hanging, answering] = [await startWebhook(() => undefined), await startWebhook()];
  await withTempWarehouse(statements, async (warehouse) => {
    const { folder } = warehouse;
    await writeFile(
      join(folder, "lines.sql"),
      "select day from shop.days where day between $start_date and $end_date",
    );
    const app = await composeShop(
      folder,
      `daemon: { cron: "0 0 29 2 *" }
safety: { mass_gap: { max_share: 0.6, cells_min: 5 } }
notify: { hanging: { url: "${hanging.url}", timeout: 10m }, answering: { url: "${answering.url}", format: slack } }
processors:
  orders: { table: shop.orders, date_column: day }
  lines: { table: shop.lines, date_column: day, repair: { sql_file: lines.sql } }
`,
    );
    const end = new AbortController();
    const rest = { signal: end.signal, listener: tellAll([]), selection: everything, asOf: null };
    await app.once({ ...rest, maxAgeMs: null, singlePass: true, maxWaitMs: 0 }, () => undefined);
    await warehouse.write([
      "delete from shop.orders where day > date '2024-01-05'",
      "delete from shop.lines where day = date '2024-01-02'",
    ]);

    const daemon = app.daemon({ role: "all", signal: end.signal, onLocked: () => undefined });
    await soon(() => expect(hanging.requests).toHaveLength(1), 60_000);
    await soon(() => expect(answering.requests).toHaveLength(1), 60_000);
    await soon(
      async () => expect(await warehouse.read("select count(*) from shop.lines")).toEqual([["20"]]),
      60_000,
    );
    // The few seconds that the end waits for who hangs.
    vi.spyOn(systemClock, "sleep").mockImplementation((ms) => delay(ms / 20));
    end.abort();
    await daemon;
    await app.close();
    expect(JSON.stringify(answering.requests[0]?.body)).toContain(
      "orders (warning): mass gap, 15 of 20 cells",
    );
    expect(hanging.requests).toHaveLength(1);
  });
  await Promise.all([hanging.close(), answering.close()]);
}, 120_000);

const everything = { processors: null, startDate: null, endDate: null };
