import { expect, test } from "vitest";
import type { CostDocument } from "../../src/core/cost.ts";
import { renderPlan } from "../../src/terminal/plan-table.ts";
import { renderSummary } from "../../src/terminal/summary.ts";
import { formatBytes, formatUsd } from "../../src/presentation/numbers.ts";
import { documentOf } from "./documents.ts";

const cost: CostDocument = {
  scan_bytes: 31_457_280,
  scan_usd: 0.000179,
  scan_bytes_last_24h: 1_288_490_189,
  scan_usd_last_24h: 0.007324,
  scan_bytes_per_cycle: null,
  scan_bytes_per_day: 214_748_364_800,
  forecast_bytes: 3_221_225_472,
  forecast_usd: 1.25,
  price_per_tib_usd: 6.25,
};
const options = { color: false, columns: 200 };
const scene = { processors: { a: {} }, seen: { a: "#..#" } };

test("a summary ends with what was billed, what the day was, and what the repairs will be", () => {
  expect(renderSummary(documentOf(scene, { cost }), options)).toMatch(
    /\n\nbilled: 30 MiB \(less than \$0\.01\) now; 1\.2 GiB of 200 GiB \(less than \$0\.01\) in the last 24 hours; about 3 GiB \(\$1\.25\) for what is to be repaired\n$/,
  );
  expect(renderSummary(documentOf(scene), options)).not.toContain("billed");
});

test("a plan has the bytes of each job where bytes are billed, and no such column elsewhere", () => {
  const [step] = documentOf(scene, { withPlan: true }).plan;
  const forecastBytes = new Map([[step?.id ?? "", 73_400_320]]);
  const billed = renderPlan(documentOf(scene, { withPlan: true, cost, forecastBytes }), options);
  expect(billed).toMatch(/dates +time +billed +why\n/);
  expect(billed).toMatch(/ 2 +\? +70 MiB +2 missing\n/);
  expect(renderPlan(documentOf(scene, { withPlan: true }), options)).toMatch(/dates +time +why\n/);
});

test("bytes and dollars are short", () => {
  expect([0, 1, 1023, 1024, 10_485_760, 1.5 * 2 ** 30, 2 ** 50].map(formatBytes)).toEqual([
    "0 B",
    "1 B",
    "1023 B",
    "1 KiB",
    "10 MiB",
    "1.5 GiB",
    "1 PiB",
  ]);
  expect([0, 0.001, 0.01, 12.4].map(formatUsd)).toEqual(["$0", "less than $0.01", "$0.01", "$12.40"]);
});
