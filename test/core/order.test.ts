import { expect, test } from "vitest";
import { remainingWork, secondsPerDate } from "../../src/core/order.ts";
import { assessed } from "../support/sight.ts";
import { tableSchedule } from "../support/pipeline.ts";

const runTime = (repair: string, meanSecondsPerDate: number) => ({
  repair,
  runs: 5,
  meanSeconds: 99,
  meanSecondsPerDate,
});

test("the work of a repair is its own and all that hangs on it, in seconds per slot, each table once", () => {
  const assessment = assessed({
    processors: {
      root: { repair: { concurrency: 1 } },
      left: { needs: ["root"], repair: { concurrency: 2 } },
      right: { needs: ["root"], repair: { concurrency: 1 } },
      join: { needs: ["left", "right"], repair: { concurrency: 4 } },
      apart: { repair: { concurrency: 1 } },
    },
    schedules: [tableSchedule()],
    dates: { default: "aaaa" },
    seen: { root: "#...", left: "....", right: "....", join: "....", apart: "####" },
    ledger: { runTimes: [runTime("root", 10), runTime("left", 30), runTime("right", 5), runTime("join", 8)] },
  });
  expect([...remainingWork(assessment)]).toEqual([
    30 + 60 + 20 + 8, // root: three dates, and everything downstream
    60 + 8,
    20 + 8,
    8,
    0,
  ]);
});

test("gaps that nobody can work on are no work", () => {
  const assessment = assessed({
    processors: { a: { repair: { concurrency: 1 } }, b: { repair: { concurrency: 1 } } },
    schedules: [tableSchedule()],
    dates: { default: "aa" },
    seen: { a: "..", b: ".." },
    inFlight: [{ repair: "b", dates: ["2024-01-01", "2024-01-02"] }],
  });
  expect([...remainingWork(assessment)]).toEqual([2, 0]);
});

test("without a run on record all dates are taken to last the same", () => {
  expect(secondsPerDate({ runTimes: [null] }, 0)).toBe(secondsPerDate({ runTimes: [] }, null));
});
