import { describe, expect, test } from "vitest";
import { isAccepted, isConverged } from "../../src/core/assess.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { baseline, decision } from "../support/ledger.ts";
import { everyDay, type PipelineSketch, tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene, statesOf } from "../support/sight.ts";

const now = "2024-01-04T12:00Z";
const converged = (scene: Scene) => isConverged(assessed({ now, ...scene }));

describe("a range is converged", () => {
  test("when no cell is a gap or unknown", () => {
    expect(converged({ processors: { a: {} }, seen: { a: "###" } })).toBe(true);
    expect(converged({ processors: { a: {} }, seen: { a: "##." } })).toBe(false);
    expect(converged({ processors: { a: {} }, seen: { a: null } })).toBe(false);
  });

  test("whatever is pending, exempt or unexpected", () => {
    const scene: Scene = {
      processors: { a: { bootstrapDays: 1 } },
      schedules: [tableSchedule()],
      dates: { default: "a-aa" },
      seen: { a: ".###" },
    };
    expect(converged(scene)).toBe(true);
  });

  test("whatever a processor of severity info lacks", () => {
    expect(converged({ processors: { a: { severity: "info" } }, seen: { a: "..." } })).toBe(true);
    expect(converged({ processors: { a: { severity: "warning" } }, seen: { a: "..." } })).toBe(false);
  });

  test("by the processors and dates that were selected", () => {
    const scene = { processors: { a: {}, b: {} }, seen: { a: ".##", b: "###" } };
    expect(converged(scene)).toBe(false);
    expect(converged({ ...scene, selection: { processors: ["b"] } })).toBe(true);
    expect(converged({ ...scene, selection: { start: "2024-01-02" } })).toBe(true);
    expect(converged({ ...scene, selection: { end: "2024-01-01" } })).toBe(false);
  });

  test("though it is stale, unless stale cells are to be repaired", () => {
    const scene = (stale: "report" | "repair"): Scene => ({
      processors: {
        up: { writtenAtColumn: "w" },
        a: { writtenAtColumn: "w", needs: ["up"], stale },
      },
      seen: {
        up: [{ date: "2024-01-01", lastWrite: "2024-01-03T00:00Z" }],
        a: [{ date: "2024-01-01", firstWrite: "2024-01-02T00:00Z" }],
      },
      now: "2024-01-02T12:00Z",
    });
    expect([converged(scene("report")), converged(scene("repair"))]).toEqual([true, false]);
  });

  test("never while its schedule is at fault", () => {
    const scene: Scene = {
      processors: { a: {} },
      schedules: [tableSchedule()],
      dates: { default: "aa-" },
      seen: { a: "##" },
      ledger: { baselines: [baseline("schedule", "default", "2023-12-28..2024-01-02")] },
    };
    expect(converged(scene)).toBe(false);
    const accepted = [decision("accept", { at: "2024-01-02T00:00Z" })];
    expect(converged({ ...scene, ledger: { ...scene.ledger, decisions: accepted } })).toBe(true);
  });
});

describe("the breakers", () => {
  const massGap = { maxShare: 0.5, cellsMin: 2 };
  const safety: PipelineSketch["safety"] = {
    autoRepairMaxAgeMs: null,
    massGap,
    scheduleChange: { maxShare: 0.01, datesMin: 3 },
    circuitBreaker: { failures: 5, coolOffMs: 1 },
  };
  const full = (name: string) => baseline("processor", name, "2024-01-01..2024-01-03");

  test("see a mass gap in one processor, and do not hold the others for it", () => {
    const found = assessed({
      processors: { a: {}, b: {}, c: {} },
      seen: { a: "#..", b: "###", c: "###" },
      safety,
      ledger: { baselines: [full("a"), full("b"), full("c")] },
      now,
    });
    expect(found.breakers.massGaps).toEqual([
      "2 of 3 cells that were complete became gaps; more than 50 % at once is taken for a fault of the detector",
      null,
      null,
    ]);
    expect(found.breakers.overallMassGap).toBeNull();
    expect(isAccepted(found)).toBe(true);
  });

  test("see a mass gap of all together, which no processor has alone", () => {
    const found = assessed({
      processors: { a: {}, b: {} },
      seen: { a: "..", b: ".." },
      safety: { ...safety, massGap: { maxShare: 0.5, cellsMin: 4 } },
      ledger: { baselines: [full("a"), full("b")] },
      now,
    });
    expect(found.breakers.massGaps).toEqual([null, null]);
    expect(found.breakers.overallMassGap).toContain("6 of 6");
    expect(isAccepted(found)).toBe(false);
  });

  test("do not count what is unknown, exempt or pending as gone", () => {
    const found = assessed({
      processors: { a: {}, b: {}, c: {} },
      seen: { a: null, b: "...", c: "..." },
      safety,
      waivers: [
        {
          id: "w",
          processors: ["b"],
          start: parseIsoDate("2024-01-01"),
          end: parseIsoDate("2024-01-31"),
          reason: "gone",
          owner: "ann",
          expires: null,
          downstream: "exempt",
          source: "config",
        },
      ],
      ledger: { baselines: [full("a"), full("b"), full("c")] },
      policy: { horizon: Date.parse("2023-12-31T00:00Z") },
      now,
    });
    expect(found.breakers.massGaps).toEqual([null, null, null]);
  });

  test("take a baseline of another expectation for none", () => {
    const found = assessed({
      processors: { a: {} },
      seen: { a: "..." },
      safety,
      ledger: { baselines: [baseline("processor", "a", "2024-01-01..2024-01-03", { hash: "older" })] },
      now,
    });
    expect(found.breakers.massGaps).toEqual([null]);
  });

  test("judge a schedule that nobody uses not at all", () => {
    const found = assessed({
      processors: { a: {} },
      schedules: [everyDay, tableSchedule("unused", 1)],
      dates: { unused: "a" },
      seen: { a: "###" },
      now,
    });
    expect(found.breakers.scheduleFaults.size).toBe(0);
  });
});

test("a grid may reach into the future, where everything is pending", () => {
  const found = assessed({
    processors: { a: {} },
    seen: { a: "#" },
    last: "2024-01-05",
    now: "2024-01-02T12:00Z",
  });
  expect(statesOf(found, "a")).toBe("Cpppp");
});

test("the same input gives the same assessment, byte by byte, and is not touched", () => {
  const scene: Scene = {
    processors: { a: {}, b: { needs: ["a"] }, c: { needs: [{ on: "b", mode: "soft" }] } },
    seen: { a: "#.#3#", b: "##...", c: "....." },
  };
  const bytes = () => {
    const { grid } = assessed(scene);
    return JSON.stringify(
      [grid.states, grid.dispositions, grid.reasons, grid.degraded].map((row) => [...row]),
    );
  };
  expect(bytes()).toBe(bytes());
});
