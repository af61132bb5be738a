import { expect, test } from "vitest";
import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import { systemClock } from "../../../src/adapters/inline/system-clock.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { createInstruments } from "../../../src/observability/metrics/instruments.ts";
import { measuredLock, measuredWarehouse } from "../../../src/observability/metrics/measured-ports.ts";
import { withTempWarehouse } from "../../support/duckdb.ts";
import { valueOf } from "../../support/metrics.ts";
import { pipelineOf, tableSchedule } from "../../support/pipeline.ts";

test("looks are timed, and what they could not see is counted by its reason", async () => {
  const { processors, timezone } = pipelineOf({
    processors: {
      orders: { table: { parts: ["shop", "orders"] }, dateColumn: "day" },
      gone: { table: { parts: ["shop", "gone"] }, dateColumn: "day" },
    },
  });
  const instruments = createInstruments("shop", true);
  const range = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-03") };
  const statements = ["create schema shop", "create table shop.orders as select date '2024-01-01' as day"];
  await withTempWarehouse(statements, async ({ path }) => {
    const port = createDuckDbWarehouse({ path, timezone, processors, schedules: [] });
    const warehouse = measuredWarehouse(port, instruments, systemClock);
    const seen = await warehouse.survey({ processors, schedules: [], range, budgetBytes: Infinity });
    expect(seen.processors.get("orders")?.kind).toBe("observed");
    await warehouse.profile({ processors: processors.slice(0, 1), range });
    const unread = warehouse.survey({
      processors,
      schedules: [tableSchedule()],
      range,
      budgetBytes: Infinity,
    });
    await expect(unread).rejects.toMatchObject({ code: "schedule_failed" });
    const stopped = warehouse.profile({ processors, range, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: "interrupted" });
    const away = measuredWarehouse(
      createDuckDbWarehouse({ path: `${path}.away`, timezone, processors, schedules: [] }),
      instruments,
      systemClock,
    );
    await expect(away.profile({ processors, range })).rejects.toMatchObject({ code: "warehouse_not_found" });
    await away.close();
    await warehouse.close();
  });
  const text = await instruments.registry.metrics();
  expect(valueOf(text, "scan_duration_seconds_count", { look: "survey" })).toBe(2);
  expect(valueOf(text, "scan_duration_seconds_count", { look: "profile" })).toBe(3);
  expect(valueOf(text, "scan_bytes_total", { look: "survey" })).toBe(0);
  expect(valueOf(text, "scan_errors_total", { reason: "not_found" })).toBe(1);
  expect(valueOf(text, "scan_errors_total", { reason: "schedule" })).toBe(1);
  expect(valueOf(text, "scan_errors_total", { reason: "warehouse" })).toBe(1);
});

test("a lease that is lost is counted, once, and one that is released is not", async () => {
  const lost = new AbortController();
  const instruments = createInstruments("shop", true);
  instruments.add("locks_lost_total", {}, 0);
  const lease = { tokenFloor: 1, signal: lost.signal, release: () => Promise.resolve() };
  const lock = measuredLock(
    { acquire: (keys) => Promise.resolve(keys.length === 0 ? null : lease) },
    instruments,
  );
  expect(await lock.acquire([])).toBeNull();
  const taken = await lock.acquire(["orders/2024-01-01"]);
  await taken?.release();
  expect(valueOf(await instruments.registry.metrics(), "locks_lost_total")).toBe(0);
  lost.abort();
  expect(valueOf(await instruments.registry.metrics(), "locks_lost_total")).toBe(1);
});
