import { expect, test } from "vitest";
import { gapsBehindPoison } from "../../src/core/stopped-chains.ts";
import { attempt, decision } from "../support/ledger.ts";
import { type ProcessorSketch, tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";

/** How many gaps of `a`, which is chronological, wait behind poison; the dates are those of January from the first on. */
function waiting(seen: string, more: Partial<Scene> = {}, own: ProcessorSketch = {}): number | undefined {
  const assessment = assessed({
    processors: { a: { chronological: true, ...own } },
    schedules: [tableSchedule()],
    dates: { default: "a".repeat(seen.length) },
    seen: { a: seen },
    now: "2024-01-09T12:00Z",
    ...more,
  });
  const [a] = assessment.grid.pipeline.processors.filter(({ name }) => name === "a");
  return a === undefined ? undefined : gapsBehindPoison(assessment, a);
}

const failed = (day: string) => [1, 2, 3].map((hour) => attempt("a", day, `2024-01-08T0${hour}:00Z`));
const poisonOnThe2nd = { ledger: { attempts: failed("2024-01-02") } };

test("the gaps behind a quarantined date of their season are counted, and none before it or in other seasons", () => {
  expect(waiting("...#..", poisonOnThe2nd)).toBe(3);
  expect(waiting("......", { ...poisonOnThe2nd, dates: { default: "aaabbb" } })).toBe(1);
  expect(waiting("...", { ledger: { attempts: failed("2024-01-03") } })).toBe(0);
});

test("a second date that was given up does not wait itself, and what is behind both is counted once", () => {
  const attempts = [...failed("2024-01-02"), ...failed("2024-01-04")];
  expect(waiting(".....", { ledger: { attempts } })).toBe(2);
});

test("a date that no repair can fill stops the chain like one that was given up", () => {
  const own: ProcessorSketch = { repair: { replaces: false } };
  expect(waiting("#5..", {}, { ...own, expect: { rows: { min: 10 } } })).toBe(2);
});

test("nothing is counted where poison is passed over, or where the processor is not chronological", () => {
  expect(waiting("......", poisonOnThe2nd, { onPoison: "continue" })).toBe(0);
  expect(waiting("......", poisonOnThe2nd, { chronological: false })).toBe(0);
});

test("what waits for its turn behind a date that is worked on or held is not stopped, whatever lies further on", () => {
  const running = [{ repair: "a", dates: ["2024-01-01"] }];
  expect(waiting("......", { ...poisonOnThe2nd, inFlight: running })).toBe(0);
  const decisions = [decision("pause", { start: "2024-01-01", end: "2024-01-01" })];
  expect(waiting("......", { ledger: { ...poisonOnThe2nd.ledger, decisions } })).toBe(0);
});

test("only selected gaps are counted, also behind poison before the selection", () => {
  const selection = { start: "2024-01-04", end: "2024-01-05" };
  expect(waiting("#.....", { ...poisonOnThe2nd, selection })).toBe(2);
});
