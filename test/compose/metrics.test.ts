// Goal: a daemon as it is composed tells of itself. Method: an embedded warehouse with a gap and a table that is not there.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTempWarehouse } from "../support/duckdb.ts";
import { valueOf } from "../support/metrics.ts";
import { soon } from "../support/repairs.ts";
import { composeShop } from "../support/shop-pipeline.ts";

// Only the cycle of the start is to be counted, at whatever time of day.
const processors = `daemon: { cron: "0 0 29 2 *" }
processors:
  orders: { table: shop.orders, date_column: day, repair: { sql_file: orders.sql } }
  gone: { table: shop.gone, date_column: day, severity: info }
`;
const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-01' + i::integer as day from range(4) as r (i)",
  "create table shop.orders as select day from shop.days where day <> date '2024-01-02'",
];

test("a daemon's metrics follow a gap from its repair to convergence, beside those of its process", async () => {
  await withTempWarehouse(statements, async ({ folder }) => {
    await writeFile(
      join(folder, "orders.sql"),
      "select day from shop.days where day between $start_date and $end_date",
    );
    const app = await composeShop(folder, processors, { revision: "abc" });
    const end = new AbortController();
    const daemon = app.daemon({ role: "all", signal: end.signal, onLocked: () => undefined });
    await soon(async () => {
      const { text } = await app.metrics.render();
      expect(valueOf(text, "converged")).toBe(1);
      expect(valueOf(text, "running_jobs")).toBe(0);
      expect(valueOf(text, "queue_jobs", { state: "running" })).toBe(0);
    }, 60_000);
    const { contentType, text } = await app.metrics.render();
    end.abort();
    await daemon;
    await app.close();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(valueOf(text, "leader")).toBe(1);
    expect(valueOf(text, "build_info", { revision: "abc" })).toBe(1);
    expect(valueOf(text, "repairs_total", { repair: "orders", outcome: "repaired" })).toBe(1);
    expect(valueOf(text, "repair_budget_used")).toBe(1);
    expect(valueOf(text, "cells", { processor: "gone", state: "unknown" })).toBe(4);
    expect(valueOf(text, "scan_errors_total", { reason: "not_found" })).toBe(1);
    expect(valueOf(text, "last_completed_cycle_timestamp_seconds")).toBeGreaterThan(0);
    expect(valueOf(text, "last_successful_cycle_timestamp_seconds")).toBeUndefined();
    expect(valueOf(text, "scan_duration_seconds_count", { look: "profile" })).toBe(2);
    expect(text).toMatch(/^process_resident_memory_bytes /m);
  });
}, 120_000);
