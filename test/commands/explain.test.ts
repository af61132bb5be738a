import { afterEach, beforeEach, expect, test } from "vitest";
import { makeShop, type Shop, shopYaml } from "./in-process.ts";

const secret = "correct-horse-battery";
const yaml = shopYaml
  .replace(
    "processors:",
    `run_history:
  table: ops.runs
  date_column: data_date
  processor_column: name
  status_column: status
  started_at_column: started_at
  error_column: errors
processors:`,
  )
  .replace("table: shop.orders", 'table: shop.orders\n    owner: "${file:secret.txt}"');

let shop: Shop;
beforeEach(async () => {
  shop = await makeShop(yaml, {
    files: { "secret.txt": secret },
    statements: [
      "create schema ops",
      "create table ops.runs as select 'orders' as name, 'failed' as status, date '2024-01-03' as data_date, timestamp '2024-01-04 05:00' as started_at, " +
        `'login as ${secret} refused: ' || repeat('é', 9000) as errors`,
    ],
  });
});
afterEach(() => shop.warehouse.remove());

test("explain tells of runs elsewhere, however long ago, with at most 4 KiB of an error and no secret in it", async () => {
  const { stdout } = await shop.run(["explain", "orders", "2024-01-03", "--format", "json"]);
  const { run_history } = JSON.parse(stdout) as { run_history: { runs: { error: string }[] } };
  expect(run_history).toEqual({
    runs: [
      {
        run_id: null,
        status: "failed",
        kind: "failed",
        started_at: "2024-01-04T05:00:00Z",
        ended_at: null,
        error: expect.stringMatching(/^login as \*\*\* refused: é+$/),
      },
    ],
    failure: null,
  });
  const bytes = Buffer.byteLength(run_history.runs[0]?.error ?? "");
  expect(bytes).toBeGreaterThan(4090);
  expect(bytes).toBeLessThanOrEqual(4096);
});

test("explain says why the runs elsewhere are not known, and the rest all the same", async () => {
  await shop.warehouse.write(["drop table ops.runs"]);
  const { stdout } = await shop.run(["explain", "orders", "2024-01-03"]);
  expect(stdout).toContain("the run history could not be read: not found: there is no table ops.runs");
  expect(stdout).toContain("orders on 2024-01-03 (shop.orders) is missing; ready");
});

test("explain tells of a cell whose table is gone, without the query that would have needed its columns", async () => {
  await shop.warehouse.write(["drop table shop.revenue"]);
  const { stdout, code } = await shop.run(["explain", "revenue", "2024-01-03"]);
  expect(code).toBe(0);
  expect(stdout).toContain("revenue on 2024-01-03 (shop.revenue) is unknown");
  expect(stdout).toContain("nothing: the query failed: not found: there is no table shop.revenue");
  expect(stdout).not.toContain("by this query");

  const { stdout: json } = await shop.run(["explain", "revenue", "2024-01-03", "--format", "json"]);
  expect(JSON.parse(json)).toMatchObject({ state: "unknown", sql: null, failure: { code: "not_found" } });
});
