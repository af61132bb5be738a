import { describe, expect, test } from "vitest";
import { fenceTables } from "../../src/core/fence-names.ts";
import type { RepairAction } from "../../src/core/repair-action.ts";
import { appendingRepairs } from "../../src/core/repair-advice.ts";
import { type ExpectationSketch, pipelineOf, type RepairSketch } from "../support/pipeline.ts";

const command: RepairAction = {
  kind: "command",
  argv: ["fill"],
  cwd: "/",
  env: {},
  exitCodes: { retryable: [], permanent: [] },
};
const silent: RepairSketch = { action: command, saysReplaces: false };

function warned(repair: RepairSketch | null, ...expectations: readonly ExpectationSketch[]) {
  const processors = Object.fromEntries(
    expectations.map((expectation, index) => [`p${index}`, { expect: expectation, repair }]),
  );
  return appendingRepairs(pipelineOf({ processors }));
}

describe("a repair that says nothing of replacing", () => {
  test("is warned of where nothing limits the rows, with what to add", () => {
    expect(warned(silent, { rows: { min: 10 }, checks: [{ name: "c", sql: "true" }] })).toEqual([
      expect.objectContaining({
        level: "warning",
        place: "processors.p0.repair",
        found: expect.stringContaining("p0"),
        hint: expect.stringMatching(/unique_keys.*replaces: true/),
      }),
    ]);
  });

  test.each<readonly [string, ExpectationSketch]>([
    ["a unique key", { uniqueKeys: [["id"]] }],
    ["a most number of rows", { rows: { max: 20 } }],
    ["a most number of rows per unit", { rows: { maxPerUnit: 2 } }],
    [
      "a measure of counts with a maximum",
      { measures: [{ name: "m", sql: "count(*) / 3", min: 1, max: 2 }] },
    ],
  ])("is not where doubled rows break %s", (_, expectation) => {
    expect(warned(silent, expectation)).toEqual([]);
  });

  test("is where a measure with a maximum does not count rows", () => {
    const measures = [{ name: "m", sql: "avg(score)", min: 1, max: 2 }];
    expect(warned(silent, { measures })).toHaveLength(1);
  });

  test("is once for all tables that it fills, naming those that would not notice", () => {
    const [finding, ...more] = warned({ ...silent, name: "both" }, {}, { uniqueKeys: [["id"]] }, {});
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ place: "repairs.both", found: expect.stringContaining("p0, p2") });
  });
});

test("a repair that says so either way is not warned of, and neither is a SELECT, which replaces", () => {
  expect(warned({ action: command, saysReplaces: true, replaces: false }, {})).toEqual([]);
  expect(warned({ saysReplaces: false }, {})).toEqual([]);
  expect(warned(null, {})).toEqual([]);
});

test("the tables that SQL repairs create are one in a DuckDB file, and one next to each table in BigQuery", () => {
  const pipeline = pipelineOf({
    processors: {
      a: { table: { parts: ["raw", "a"] } },
      b: { table: { parts: ["p", "raw", "b"] } },
      c: { table: { parts: ["raw", "c"] }, repair: silent },
    },
  });
  expect(fenceTables(pipeline, "duckdb")).toEqual(["gap_reconciler.fence"]);
  expect(fenceTables(pipeline, "bigquery")).toEqual([
    "raw.gap_reconciler_fence_a",
    "p.raw.gap_reconciler_fence_b",
  ]);
});
