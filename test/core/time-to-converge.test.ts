import { expect, test } from "vitest";
import { secondsToConvergence } from "../../src/core/time-to-converge.ts";
import { attempt } from "../support/ledger.ts";
import { type ProcessorSketch, tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";

function secondsOf(processors: Readonly<Record<string, ProcessorSketch>>, scene: Partial<Scene> = {}) {
  return secondsToConvergence(
    assessed({ processors, schedules: [tableSchedule()], dates: { default: "aaaa" }, ...scene }),
  );
}

function runTimes(seconds: Readonly<Record<string, number>>) {
  const times = Object.entries(seconds).map(([repair, meanSecondsPerDate]) => ({
    repair,
    runs: 5,
    meanSeconds: 99,
    meanSecondsPerDate,
  }));
  return { ledger: { runTimes: times } };
}

test("it is the work of the repair that takes longest with all of its slots", () => {
  const seconds = secondsOf(
    { a: { repair: { concurrency: 2 } }, b: { needs: ["a"], repair: { concurrency: 1 } } },
    { seen: { a: "#...", b: "...." }, ...runTimes({ a: 10, b: 20 }) },
  );
  expect(seconds).toBe(4 * 20);
});

test("a pool, the jobs at once and a warehouse that is one file bound it too", () => {
  const three = (repair: ProcessorSketch["repair"]) => ({
    a: { repair: { ...repair, concurrency: 9 } },
    b: { repair: { ...repair, concurrency: 9 } },
    c: { repair: { ...repair, concurrency: 9 } },
  });
  const times = runTimes({ a: 10, b: 10, c: 10 });
  const limits = { jobsMax: 4, cellsPerCycleMax: 2000, commandsMax: 3 };
  expect(secondsOf(three({}), { ...times, limits })).toBe(120 / 4);
  expect(
    secondsOf(three({ pool: "heavy" }), { ...times, limits, pools: [{ name: "heavy", slots: 2 }] }),
  ).toBe(60);
  const action = {
    kind: "command",
    argv: ["x"],
    cwd: "/",
    env: {},
    exitCodes: { retryable: [], permanent: [] },
  } as const;
  expect(secondsOf(three({ action }), { ...times, limits })).toBe(120 / 3);
});

test("what nobody can work on takes no time, and what waits for it neither", () => {
  const quarantined = ["1", "2", "3", "4"].map((day) =>
    attempt("a", `2024-01-0${day}`, "2024-01-05T06:00Z", { outcome: "failed_permanently" }),
  );
  const { ledger } = runTimes({ a: 10, b: 10 });
  expect(secondsOf({ a: {}, b: { needs: ["a"] } }, { ledger: { ...ledger, attempts: quarantined } })).toBe(0);
});

test("a repair without a run on record is taken for the average of the others; without any nobody can tell", () => {
  const both = { a: { repair: { concurrency: 1 } }, b: { repair: { concurrency: 1 } } };
  expect(secondsOf(both, { seen: { a: "####", b: "...#" }, ...runTimes({ a: 10 }) })).toBe(30);
  expect(secondsOf(both)).toBeNull();
  expect(secondsOf(both, { seen: { a: "####", b: "####" } })).toBe(0);
});
