import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ReportDocument } from "../../src/core/completion-report.ts";
import { makeShop, type Shop } from "./in-process.ts";

// Each of them repairs first.
vi.setConfig({ testTimeout: 180_000 });

let shop: Shop;
beforeEach(async () => {
  shop = await makeShop();
});
afterEach(() => shop.warehouse.remove());

async function report(...args: string[]): Promise<ReportDocument> {
  return JSON.parse((await shop.run(["report", "--format", "json", ...args])).stdout) as ReportDocument;
}

test("without a ledger a report has nothing to compare with", async () => {
  expect(await report()).toMatchObject({
    before_as_of: null,
    total: { before: null, after: { gaps: 2, complete: 12 } },
  });
});

test("after a run a report compares with what its first cycle found", async () => {
  await shop.run(["run", "--quiet", "--log-level", "silent"]);
  expect(await report()).toMatchObject({
    before_is_partial: false,
    total: { before: { gaps: 2, complete: 12 }, after: { gaps: 0, complete: 14, coverage: 1 } },
  });
  expect((await shop.run(["report"])).stdout).toContain("2 of 2 gaps were closed.");
  expect((await shop.run(["report", "--html"])).stdout).toMatch(/^<!doctype html>/);
});

test("a report reads --since as a duration or an instant, and nothing else", async () => {
  await shop.run(["run", "--quiet", "--log-level", "silent"]);
  const first = (await report()).before_as_of;
  expect((await report("--since", "1d")).before_as_of).toBe(first);
  expect((await report("--since", "2024-01-31T12:00:00Z")).before_as_of).toBe(first);
  await expect(report("--since", "2024-01-31")).rejects.toMatchObject({ code: "usage" });
  await expect(report("--since", "yesterday")).rejects.toMatchObject({ code: "usage" });
});
