import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ResultDocument } from "../../src/core/result-document.ts";
import { samplesOf, valueOf } from "../support/metrics.ts";
import { makeShop, type Shop, shopYaml } from "./in-process.ts";

let shop: Shop;
afterEach(() => shop.warehouse.remove());

const withoutRepairs = shopYaml.replaceAll(/^ {4}repair: .*\n/gm, "");

test("a run that leaves gaps writes what its JSON says, in one step", async () => {
  shop = await makeShop(withoutRepairs);
  const path = join(shop.folder, "shop.prom");
  const { stdout, code } = await shop.run(["--once", "--format", "json", "--metrics-file", path]);
  expect(code).toBe(2);
  const document: ResultDocument = JSON.parse(stdout);
  expect(document.gaps).toHaveLength(2);
  const text = await readFile(path, "utf8");
  const cells = samplesOf(text).filter(({ name }) => name === "cells");
  expect(new Set(cells.map(({ labels }) => labels["processor"]))).toEqual(new Set(["orders", "revenue"]));
  for (const { labels, value } of cells) {
    const counts = document.counts[labels["processor"] ?? ""];
    const counted = Object.entries(counts ?? {}).find(([state]) => state === labels["state"]);
    expect(value, JSON.stringify(labels)).toBe(counted?.[1]);
  }
  expect(valueOf(text, "gaps", { processor: "revenue", disposition: "unrepairable" })).toBe(1);
  expect(valueOf(text, "converged")).toBe(0);
  expect(valueOf(text, "cycles_total", { outcome: "not_converged" })).toBe(1);
  // What is of daemons or of any process would be stale, or another's, in a file.
  expect(text).not.toMatch(/gap_reconciler_leader|^process_|^nodejs_/m);
  expect(text.endsWith("\n")).toBe(true);
  expect((await readdir(shop.folder)).filter((name) => name.includes(".prom"))).toEqual(["shop.prom"]);
});

test("a run that fails writes what is known of it, and fails with its own error", async () => {
  shop = await makeShop(shopYaml.replace("table: shop.days", "table: shop.nights"));
  const path = join(shop.folder, "shop.prom");
  const run = shop.run(["run", "--metrics-file", path]);
  await expect(run).rejects.toMatchObject({ code: "schedule_failed" });
  const text = await readFile(path, "utf8");
  expect(valueOf(text, "cycles_total", { outcome: "failed" })).toBe(1);
  expect(valueOf(text, "scan_errors_total", { reason: "schedule" })).toBe(1);
  expect(samplesOf(text).filter(({ name }) => name === "cells" || name === "converged")).toEqual([]);
});

test("a run that is refused leaves the file of the run before", async () => {
  shop = await makeShop(withoutRepairs);
  const path = join(shop.folder, "shop.prom");
  await writeFile(path, "before\n");
  const run = shop.run(["--once", "--metrics-file", path, "--start-date", "2190-01-01"]);
  await expect(run).rejects.toMatchObject({ code: "usage" });
  expect(await readFile(path, "utf8")).toBe("before\n");
});

test("a place that no collector reads, or where nothing can be written, is refused before anything is done", async () => {
  shop = await makeShop();
  const before = await readdir(shop.folder);
  await expect(shop.run(["--once", "--metrics-file", join(shop.folder, "shop.txt")])).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("ends in .prom"),
  });
  const nowhere = join(shop.folder, "none", "shop.prom");
  await expect(shop.run(["--once", "--metrics-file", nowhere])).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining(join(shop.folder, "none")),
  });
  expect(await readdir(shop.folder)).toEqual(before);
});
