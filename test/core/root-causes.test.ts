import { describe, expect, test } from "vitest";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { plan } from "../../src/core/plan.ts";
import { type CellAt, directBlockers, rootCauses, rootCausesMax } from "../../src/core/root-causes.ts";
import { attempt, opened, runEnd } from "../support/ledger.ts";
import { hourMs, tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, type Scene } from "../support/sight.ts";

function causes(scene: Scene, processor: string, date: string, how = rootCauses): readonly string[] {
  const assessment = assessed({ now: "2024-01-09T12:00Z", ...scene });
  return named(assessment, how(assessment, at(assessment, processor, date)));
}

function at(assessment: ReturnType<typeof assessed>, name: string, date: string): CellAt {
  const processor = assessment.compiled.byName.get(name);
  if (processor === undefined) throw new RangeError(`there is no processor ${name}`);
  return { processor, position: toDay(parseIsoDate(date)) - assessment.grid.axis.first };
}

function named(assessment: ReturnType<typeof assessed>, cells: readonly CellAt[]): readonly string[] {
  return cells.map(
    ({ processor, position }) =>
      `${processor.name}/${fromDay(assessment.grid.axis.first + position).slice(8)}`,
  );
}

describe("the root causes of a blocked gap", () => {
  const chain: Scene = {
    processors: { a: {}, b: { needs: ["a"] }, c: { needs: ["b"] }, d: { needs: ["c"] } },
    seen: { a: ".", b: ".", c: ".", d: "." },
  };

  test("lie as far up as gaps go: three levels here", () => {
    expect(causes(chain, "d", "2024-01-01")).toEqual(["a/01"]);
    expect(causes(chain, "d", "2024-01-01", directBlockers)).toEqual(["c/01"]);
  });

  test("are unknown and pending cells too", () => {
    expect(causes({ ...chain, seen: { a: null, b: "." } }, "d", "2024-01-01")).toEqual(["a/01"]);
    // With completeness asked for, an upstream that is not due yet can block a cell that is.
    const late = {
      ...chain.processors,
      a: { due: { daysAfter: 99, minuteOfDay: 0 } },
      b: {
        needs: [
          { on: "a", window: { kind: "days", days: 0, sameDate: true } as const, mode: "hard" as const },
        ],
        due: { daysAfter: 1, minuteOfDay: 0 },
      },
    };
    expect(causes({ processors: late }, "b", "2024-01-01")).toEqual(["a/01"]);
  });

  test("are of a cell that nothing blocks none", () => {
    expect(causes(chain, "a", "2024-01-01")).toEqual([]);
    expect(
      causes({ processors: { a: {}, b: { needs: ["a"] } }, seen: { a: "#" } }, "b", "2024-01-01"),
    ).toEqual([]);
  });

  test("are several where several edges block, each once, and none of the edges that are satisfied", () => {
    const scene: Scene = {
      processors: {
        x: {},
        y: {},
        z: {},
        left: { needs: ["x", "y"] },
        right: { needs: ["y", "z"] },
        end: { needs: ["left", "right"] },
      },
      seen: { z: "#" },
    };
    expect(causes(scene, "end", "2024-01-01")).toEqual(["x/01", "y/01"]);
  });

  test("are all of any_of while none is there, and none once one is", () => {
    const scene = (x: string): Scene => ({
      processors: { x: {}, y: {}, other: {}, a: { needs: [{ on: ["x", "y"] }, "other"] } },
      seen: { x },
    });
    expect(causes(scene("."), "a", "2024-01-01")).toEqual(["x/01", "y/01", "other/01"]);
    expect(causes(scene("#"), "a", "2024-01-01")).toEqual(["other/01"]);
  });

  test("through a window are the cells that somebody is working on, not the settled ones", () => {
    const quarantined = [1, 2, 3].map((hour) => attempt("up", "2024-01-02", `2024-01-08T0${hour}:00Z`));
    const scene: Scene = {
      processors: {
        up: {},
        a: { needs: [{ on: "up", window: { kind: "days", days: 4, sameDate: false } }] },
      },
      seen: { up: "#..###", a: "......" },
      schedules: [tableSchedule()],
      dates: { default: "aaaaaa" },
      ledger: { attempts: quarantined },
    };
    expect(causes(scene, "a", "2024-01-05")).toEqual(["up/03"]);
  });

  test("are none of a window that has its share already", () => {
    const scene: Scene = {
      processors: {
        other: {},
        up: {},
        a: {
          needs: [{ on: "up", minShare: 0.5, window: { kind: "days", days: 4, sameDate: false } }, "other"],
        },
      },
      seen: { up: "#.###", a: "#####", other: "####." },
      schedules: [tableSchedule()],
      dates: { default: "aaaaa" },
    };
    expect(causes({ ...scene, seen: { ...scene.seen, a: "####." } }, "a", "2024-01-05")).toEqual([
      "other/05",
    ]);
  });

  test("are none of a soft edge that waited long enough", () => {
    const scene: Scene = {
      processors: { up: {}, other: {}, a: { needs: [{ on: "up", mode: "soft", waitMs: hourMs }, "other"] } },
      ledger: { gapEvents: [opened("a", "2024-01-01", "2024-01-09T11:00Z")] },
    };
    expect(causes(scene, "a", "2024-01-01")).toEqual(["other/01"]);
    expect(causes({ ...scene, ledger: {} }, "a", "2024-01-01")).toEqual(["up/01", "other/01"]);
  });

  test("of a chronological gap are what stops the chain, and what is above that", () => {
    const scene: Scene = {
      processors: { up: {}, a: { needs: ["up"], chronological: true } },
      seen: { up: "#.##", a: "...." },
      schedules: [tableSchedule()],
      dates: { default: "aaaa" },
    };
    expect(causes(scene, "a", "2024-01-04", directBlockers)).toEqual(["a/02"]);
    expect(causes(scene, "a", "2024-01-04")).toEqual(["up/02"]);
  });

  test("are as many as one can read", () => {
    const seen = { up: ".".repeat(40), a: ".".repeat(40) };
    const scene: Scene = {
      processors: {
        up: {},
        a: { needs: [{ on: "up", window: { kind: "days", days: 39, sameDate: false } }] },
      },
      seen,
      now: "2024-02-12T12:00Z",
    };
    expect(causes(scene, "a", "2024-02-09")).toHaveLength(rootCausesMax);
  });

  test("are named after the plan too, which may have put off what they are", () => {
    const scene: Scene = {
      processors: {
        up: {},
        a: { needs: [{ on: "up", mode: "soft" }] },
        b: { needs: [{ on: "up", window: { kind: "days", days: 2, sameDate: false } }] },
      },
      seen: { up: "...", a: "...", b: "..." },
      schedules: [tableSchedule()],
      dates: { default: "aaa" },
      ledger: { recentEnds: [runEnd("up", "2024-01-05T00:00Z", { systemic: "quota" })] },
      now: "2024-01-09T12:00Z",
    };
    const assessment = assessed(scene);
    plan(assessment, { jobsMax: Infinity, cellsMax: Infinity, recentSlots: 0, slots: false });
    expect(cellAt(assessment, "up", "2024-01-01")).toMatchObject({ disposition: "held", reason: "circuit" });
    expect(named(assessment, rootCauses(assessment, at(assessment, "a", "2024-01-01")))).toEqual(["up/01"]);
    expect(named(assessment, rootCauses(assessment, at(assessment, "b", "2024-01-02")))).toEqual(["up/01"]);
  });
});
