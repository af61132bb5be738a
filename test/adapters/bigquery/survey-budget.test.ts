import { describe, expect, test } from "vitest";
import { billedAtMost } from "../../../src/adapters/bigquery/billing.ts";
import { nothingOutside } from "../../../src/adapters/bigquery/outside.ts";
import { daysIn } from "../../../src/adapters/bigquery/spans.ts";
import { affordable, type Need } from "../../../src/adapters/bigquery/survey-budget.ts";
import { pipelineOf } from "../../support/pipeline.ts";

const megabyte = 2 ** 20;

describe("what a statement is billed at the most", () => {
  test.each([
    [0, 3, 0],
    [1, 1, 10],
    [5, 3, 30],
    [25, 1, 26],
    // All in one of the tables, which is rounded up like any other.
    [25, 3, 47],
  ])("for %s MB of %s tables is %s MB", (bytes, tables, expected) => {
    expect(billedAtMost(bytes * megabyte, tables)).toBe(expected * megabyte);
  });

  test("for tables that BigQuery does not name is what is read", () => {
    expect(billedAtMost(megabyte, 0)).toBe(megabyte);
  });
});

describe("within a budget", () => {
  const { processors } = pipelineOf({ processors: { a: {}, b: {}, c: {} } });
  const needs: readonly Need[] = processors.map((processor, index) => ({
    processor,
    days: [{ from: 0, to: 9 - index }],
    outside: nothingOutside,
  }));
  /** One for each day, and ten for each processor. */
  const priceOf = (some: readonly Need[]) =>
    Promise.resolve(some.reduce((sum, { days }) => sum + 10 + daysIn(days).size, 0));
  const chosen = async (bytes: number) =>
    (await affordable(needs, bytes, priceOf)).map(({ processor, days }) => [processor.name, days[0]?.from]);

  test("there is nothing where no day fits", async () => {
    expect(await chosen(10)).toEqual([]);
  });

  test("as many as can have their newest day have it", async () => {
    expect(await chosen(11)).toEqual([["a", 9]]);
    expect(await chosen(22)).toEqual([
      ["a", 9],
      ["b", 8],
    ]);
  });

  test("all go back as far as it reaches", async () => {
    expect(await chosen(33 + 5)).toEqual([
      ["a", 7],
      ["b", 7],
      ["c", 7],
    ]);
    expect(await chosen(1_000)).toEqual([
      ["a", 0],
      ["b", 0],
      ["c", 0],
    ]);
  });
});
