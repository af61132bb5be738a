import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { Waiver } from "../../src/core/pipeline.ts";
import { attempt, decision, opened } from "../support/ledger.ts";
import {
  type EdgeSketch,
  everyDay,
  hourMs,
  type ProcessorSketch,
  tableSchedule,
} from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, type Scene } from "../support/sight.ts";

const waived = (downstream: "exempt" | "proceed", processor = "up"): Waiver => ({
  id: "w",
  processors: [processor],
  start: parseIsoDate("2024-01-01"),
  end: parseIsoDate("2024-12-31"),
  reason: "never scraped",
  owner: "data-team",
  expires: null,
  downstream,
  source: "config",
});

/** The one cell of `a` on 2024-01-01, which reads `up` by the edge. */
function cell(
  edge: Omit<EdgeSketch, "on">,
  up: ProcessorSketch,
  seen: string | null,
  more: Partial<Scene> = {},
) {
  const scene: Scene = {
    processors: { up, a: { needs: [{ on: "up", ...edge }] } },
    seen: { up: seen, a: "." },
    now: "2024-01-02T12:00Z",
    ...more,
  };
  return cellAt(assessed(scene), "a", "2024-01-01");
}

const ready = { disposition: "ready", degraded: false };
const degraded = { disposition: "ready", degraded: true };
const blocked = { disposition: "blocked", reason: "upstream" };
const usedUp = {
  attempts: [1, 2, 3].map((hour) => attempt("up", "2024-01-01", `2024-01-02T0${hour}:00Z`)),
};

/** `up` is complete, and its own input was written after it. */
function outdatedUpstream(stale: "report" | "repair"): Partial<Scene> {
  return {
    processors: {
      top: { writtenAtColumn: "w" },
      up: { writtenAtColumn: "w", needs: ["top"], stale },
      a: { needs: ["up"] },
    },
    seen: {
      top: [{ date: "2024-01-01", lastWrite: "2024-01-02T09:00Z" }],
      up: [{ date: "2024-01-01", firstWrite: "2024-01-02T08:00Z" }],
    },
    now: "2024-01-02T12:00Z",
  };
}

describe("a hard edge", () => {
  test("is satisfied by a complete cell, in whatever state it is called", () => {
    expect(cell({}, {}, "#")).toMatchObject(ready);
    const scene = outdatedUpstream("report");
    expect(cellAt(assessed({ processors: {}, ...scene }), "up", "2024-01-01").state).toBe("stale");
    expect(cell({}, {}, "#", scene)).toMatchObject(ready);
  });

  test("waits for a stale cell while that is computed again, and no longer", () => {
    const scene = outdatedUpstream("repair");
    expect(cell({}, {}, "#", scene)).toMatchObject(blocked);
    expect(cell({}, {}, "#", { ...scene, ledger: usedUp })).toMatchObject(ready);
  });

  test("waits for a complete cell whose own input is being repaired, as that will change it", () => {
    const scene: Partial<Scene> = {
      processors: { top: {}, up: { needs: ["top"], stale: "follow" }, a: { needs: ["up"] } },
    };
    expect(cell({}, {}, "#", { ...scene, seen: { top: ".", up: "#" } })).toMatchObject(blocked);
    expect(cell({}, {}, "#", { ...scene, seen: { top: "#", up: "#" } })).toMatchObject(ready);
    const unrepairable = { ...scene.processors, top: { repair: null } };
    expect(cell({}, {}, "#", { processors: unrepairable, seen: { top: ".", up: "#" } })).toMatchObject(ready);
  });

  test("blocks on every gap, whatever its disposition", () => {
    expect(cell({}, {}, ".")).toMatchObject(blocked);
    expect(cell({}, { repair: null }, ".")).toMatchObject(blocked);
    expect(cell({}, {}, ".", { ledger: usedUp })).toMatchObject(blocked);
    expect(cell({}, { expect: { rows: { min: 5 } } }, "3")).toMatchObject(blocked);
  });

  test("blocks on a cell that is unknown, as it may be anything", () => {
    expect(cell({}, {}, null)).toMatchObject(blocked);
  });

  test("is satisfied by enough completeness of a partial cell, if asked for", () => {
    const half = { expect: { rows: { min: 10 } } };
    expect(cell({ minCompleteness: 0.5 }, half, "5")).toMatchObject(ready);
    expect(cell({ minCompleteness: 0.6 }, half, "5")).toMatchObject(blocked);
    expect(cell({ minCompleteness: 0 }, half, ".")).toMatchObject(blocked);
  });

  test("is not satisfied by enough rows that are invalid", () => {
    const checked = { expect: { rows: { min: 10 }, checks: [{ name: "c", sql: "c" }] } };
    const invalid = { processors: { up: checked, a: { needs: [{ on: "up", minCompleteness: 0.1 }] } } };
    const seen = { up: [{ date: "2024-01-01", rows: 10, metrics: [1] }] };
    expect(cell({}, {}, "#", { ...invalid, seen })).toMatchObject(blocked);
  });

  test("is satisfied by an exempt cell that has rows", () => {
    const up = { expect: { rows: { min: 5 } }, bootstrapDays: 3 };
    expect(cell({}, up, "3")).toMatchObject(ready);
  });

  test("proceeds over a waived cell without rows where its waiver says so, and is degraded", () => {
    expect(cell({}, {}, ".", { waivers: [waived("proceed")] })).toMatchObject(degraded);
    expect(cell({}, {}, ".", { waivers: [waived("exempt")] })).toMatchObject({ state: "exempt" });
  });

  test("blocks on an exempt cell without rows where this cell was complete before", () => {
    const ledger = { gapEvents: [opened("a", "2024-01-01", "2024-01-02T00:00Z", { wasComplete: true })] };
    expect(cell({}, {}, ".", { waivers: [waived("exempt")], ledger })).toMatchObject(blocked);
  });

  test("is satisfied where the upstream is not scheduled on that date, though it could not be observed", () => {
    const scene: Scene = {
      processors: { up: { schedule: "games" }, a: { needs: ["up"] } },
      schedules: [everyDay, tableSchedule("games")],
      dates: { games: "-a" },
      seen: { up: null, a: ".." },
    };
    expect(dispositionsOf(assessed(scene), "a").slice(0, 2)).toBe("Rb");
  });
});

describe("a soft edge", () => {
  const soft = { mode: "soft" } as const;

  test("is satisfied by a complete cell", () => {
    expect(cell(soft, {}, "#")).toMatchObject(ready);
  });

  test("waits while somebody is working on the upstream", () => {
    expect(cell(soft, {}, ".")).toMatchObject(blocked);
    for (const state of ["queued", "running"] as const) {
      const inFlight = [{ repair: "up", dates: ["2024-01-01"], state }];
      expect(cell(soft, {}, ".", { inFlight })).toMatchObject(blocked);
    }
    const ledger = { attempts: [attempt("up", "2024-01-01", "2024-01-02T11:59:50Z")] };
    expect(cell(soft, {}, ".", { ledger })).toMatchObject(blocked);
  });

  test("goes on without an upstream that nobody is working on, and is degraded", () => {
    expect(cell(soft, { repair: null }, ".")).toMatchObject(degraded);
    expect(cell(soft, {}, ".", { ledger: usedUp })).toMatchObject(degraded);
    expect(cell(soft, {}, null)).toMatchObject(degraded);
    expect(cell(soft, { needs: ["top"] }, ".", { processors: softUnderBlocked })).toMatchObject(degraded);
    const pausedUp = { decisions: [decision("pause", { processors: ["up"] })] };
    expect(cell(soft, {}, ".", { ledger: pausedUp })).toMatchObject(degraded);
  });

  const softUnderBlocked = {
    top: { repair: null },
    up: { needs: ["top"] },
    a: { needs: [{ on: "up", mode: "soft" as const }] },
  };

  test("waits no longer than it is allowed to, from the opening of its own gap", () => {
    const openFor = (minutes: number) => ({
      gapEvents: [opened("a", "2024-01-01", Date.parse("2024-01-02T12:00Z") - minutes * 60_000)],
    });
    const limited = { ...soft, waitMs: 6 * hourMs };
    expect(cell(limited, {}, ".", { ledger: openFor(359) })).toMatchObject(blocked);
    expect(cell(limited, {}, ".", { ledger: openFor(360) })).toMatchObject(degraded);
    expect(cell(limited, {}, ".")).toMatchObject(blocked);
    expect(cell(soft, {}, ".", { ledger: openFor(99_999) })).toMatchObject(blocked);
  });
});

describe("any_of", () => {
  const scene = (left: string | null, right: string | null, more: Partial<Scene> = {}) =>
    cellAt(
      assessed({
        processors: { left: {}, right: {}, a: { needs: [{ on: ["left", "right"] }] } },
        seen: { left, right, a: "." },
        now: "2024-01-02T12:00Z",
        ...more,
      }),
      "a",
      "2024-01-01",
    );

  test("needs one of them", () => {
    expect(scene("#", ".")).toMatchObject(ready);
    expect(scene(".", "#")).toMatchObject(ready);
    expect(scene(null, "#")).toMatchObject(ready);
    expect(scene(".", ".")).toMatchObject(blocked);
  });

  test("takes a whole one rather than one that is waived", () => {
    const waivers = [waived("proceed", "left")];
    expect(scene(".", "#", { waivers })).toMatchObject(ready);
    expect(scene(".", ".", { waivers })).toMatchObject(degraded);
  });
});

describe("a window", () => {
  /** The dispositions of `a` where `up` was seen so; dates of `up` may be settled by the ledger. */
  function row(edge: Omit<EdgeSketch, "on">, seen: string | null, more: Partial<Scene> = {}): string {
    const scene: Scene = {
      processors: { up: {}, a: { needs: [{ on: "up", ...edge }] } },
      seen: { up: seen, a: ".".repeat(seen?.length ?? 5) },
      ...more,
    };
    return dispositionsOf(assessed(scene), "a").slice(0, -1);
  }
  const days = (count: number, sameDate = false) => ({ kind: "days", days: count, sameDate }) as const;
  const failed = (date: string) => [1, 2, 3].map((hour) => attempt("up", date, `2024-01-08T0${hour}:00Z`));

  test("blocks the dates that read a gap somebody is working on, and no others", () => {
    expect(row({ window: days(2) }, "#.####")).toBe("RRbbRR");
    expect(row({ window: days(2, true) }, "#.####")).toBe("RbbbRR");
    expect(row({ window: { kind: "dates", dates: 1, sameDate: false } }, "#.####")).toBe("RRbRRR");
  });

  test("is satisfied where it has no date at all", () => {
    expect(row({ window: days(30) }, "......").slice(0, 2)).toBe("Rb");
  });

  test("blocks on cells that are unknown or not due yet", () => {
    expect(row({ window: days(2) }, null, { now: "2024-01-06T12:00Z" })).toBe("Rbbbb");
    const late = {
      up: { due: { daysAfter: 4, minuteOfDay: 0 } },
      a: { needs: [{ on: "up", window: days(2) }] },
    };
    expect(row({}, "#.....", { processors: late })).toBe("RRbbbb");
  });

  test("counts what nobody is working on as settled, and is degraded", () => {
    const scene: Scene = {
      processors: { up: {}, a: { needs: [{ on: "up", window: days(2) }] } },
      seen: { up: "#.####", a: "......" },
      ledger: { attempts: failed("2024-01-02") },
      now: "2024-01-09T12:00Z",
    };
    const found = assessed(scene);
    expect(cellAt(found, "up", "2024-01-02").disposition).toBe("quarantined");
    const degradedOn = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"].map(
      (date) => cellAt(found, "a", date).degraded,
    );
    expect(degradedOn).toEqual([false, true, true, false]);
  });

  test.each([
    ["waived", { waivers: [waived("exempt")] }],
    ["paused", { ledger: { decisions: [decision("pause", { processors: ["up"] })] } }],
    ["unrepairable", { processors: { up: { repair: null }, a: { needs: [{ on: "up", window: days(2) }] } } }],
    [
      "blocked by what nobody is working on",
      {
        processors: {
          top: { repair: null },
          up: { needs: ["top"] },
          a: { needs: [{ on: "up", window: days(2) }] },
        },
      },
    ],
  ])("does not wait for cells that are %s", (_, more: Partial<Scene>) => {
    const scene: Scene = {
      processors: { up: {}, a: { needs: [{ on: "up", window: days(2) }] } },
      seen: { up: "#.##", a: "...." },
      ...more,
    };
    expect(cellAt(assessed(scene), "a", "2024-01-03")).toMatchObject(degraded);
  });

  test("does wait for cells that are blocked by what somebody is working on", () => {
    const processors = {
      top: {},
      up: { needs: ["top"] },
      a: { needs: [{ on: "up", window: days(2) }] },
    };
    expect(row({}, "#.##", { processors })).toBe("RRbb");
  });

  test("needs no more than its share, which is not lost in the last bit of a fraction", () => {
    const share = (minShare: number, seen: string) => row({ window: days(30), minShare }, seen).at(-1);
    expect(share(0.55, `${"#".repeat(11)}${".".repeat(9)}#`)).toBe("R");
    expect(share(0.55, `${"#".repeat(10)}${".".repeat(10)}#`)).toBe("b");
    expect(share(0.9, "#########.#")).toBe("R");
  });

  test("with enough satisfied cells is whole, not degraded, though the rest is settled", () => {
    const scene: Scene = {
      processors: { up: {}, a: { needs: [{ on: "up", window: days(4), minShare: 0.5 }] } },
      seen: { up: "#.###", a: "....." },
      ledger: { attempts: failed("2024-01-02") },
      now: "2024-01-09T12:00Z",
    };
    expect(cellAt(assessed(scene), "a", "2024-01-05")).toMatchObject(ready);
  });

  test("that is soft waits only for cells that are themselves worked on", () => {
    const of = (up: ProcessorSketch): string =>
      row({}, "#.##", {
        processors: { top: {}, up, a: { needs: [{ on: "up", mode: "soft", window: days(2) }] } },
      });
    expect(of({})).toBe("RRbb");
    expect(of({ needs: ["top"] })).toBe("RRRR");
  });

  test("since the previous date makes a weekly cell read the week, and Monday the weekend", () => {
    const scene = (own: string, seen: string): string =>
      dispositionsOf(
        assessed({
          processors: {
            up: {},
            a: { schedule: "own", needs: [{ on: "up", window: { kind: "since_previous" } }] },
          },
          schedules: [everyDay, tableSchedule("own")],
          dates: { own },
          seen: { up: seen, a: ".".repeat(seen.length) },
        }),
        "a",
      ).slice(0, -1);
    // 2024-01-01 is a Monday.
    expect(scene("------a------a------a", "#######.#############")).toBe("......R......b......R");
    expect(scene("aaaaa--aaaaa--a", "#####.#########")).toBe("RRRRR..bRRRR..R");
    expect(scene("aaaaa--aaaaa--a", "#############.#")).toBe("RRRRR..RRRRR..b");
  });
});

describe("processors that one run fills together", () => {
  const scene = (window: EdgeSketch["window"], seen: string): Scene => ({
    processors: {
      up: { repair: { name: "both" } },
      a: { repair: { name: "both" }, needs: [{ on: "up", ...(window === undefined ? {} : { window }) }] },
    },
    seen: { up: seen, a: ".".repeat(seen.length) },
  });

  test.each<[string, EdgeSketch["window"]]>([
    ["the same date", undefined],
    ["all since the previous date", { kind: "since_previous" }],
    ["a window with the own date", { kind: "days", days: 0, sameDate: true }],
  ])("do not wait for each other on the date that the run fills, reading %s", (_, window) => {
    expect(dispositionsOf(assessed(scene(window, "...")), "a")).toBe("RRR.");
  });

  test("do wait for each other's earlier dates", () => {
    const window = { kind: "days", days: 1, sameDate: true } as const;
    expect(dispositionsOf(assessed(scene(window, "#.#.")), "a")).toBe("RRbR.");
  });
});
