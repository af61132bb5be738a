import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { Waiver } from "../../src/core/pipeline.ts";
import { attempt, baseline, closed, decision, opened } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, type Scene, type SeenDate, statesOf } from "../support/sight.ts";

/** The states of processor `a` without those of today, which is no part of the patterns. */
function states(scene: Scene, processor = "a"): string {
  return statesOf(assessed(scene), processor).slice(0, -1);
}

function waiver(more: Partial<Waiver> = {}): Waiver {
  return {
    id: "w",
    processors: ["a"],
    start: parseIsoDate("2024-01-01"),
    end: parseIsoDate("2024-12-31"),
    reason: "never scraped",
    owner: "data-team",
    expires: null,
    downstream: "exempt",
    source: "config",
    ...more,
  };
}

describe("what was seen decides first", () => {
  const checked = { rows: { min: 5 }, checks: [{ name: "c", sql: "c" }] };

  test("no rows are missing, too few are partial, a failed check is invalid, the rest is complete", () => {
    const seen: readonly SeenDate[] = [
      { date: "2024-01-02", rows: 4, metrics: [0] },
      { date: "2024-01-03", rows: 5, metrics: [1] },
      { date: "2024-01-04", rows: 5, metrics: [0] },
    ];
    const scene = { processors: { a: { expect: checked } }, seen: { a: seen }, now: "2024-01-05T12:00Z" };
    expect(states(scene)).toBe("MPIC");
  });

  test("a failed query makes every scheduled date unknown, never missing, whatever else would apply", () => {
    const scene = {
      processors: { a: { bootstrapDays: 2, available: { from: "2024-01-04" } } },
      seen: { a: null, b: "....." },
      waivers: [waiver()],
      now: "2024-01-06T12:00Z",
    };
    expect(statesOf(assessed(scene), "a")).toBe("??????");
  });

  test("a processor that no observation names is unknown", () => {
    const scene: Scene = { processors: { a: {} }, schedules: [tableSchedule()], dates: { default: "aa-a" } };
    expect(states({ ...scene, seen: { a: null } })).toBe("??-?");
  });

  test("rows on a past date that is not scheduled are unexpected, unless that is allowed", () => {
    const scene = (offSchedule: "report" | "allow"): Scene => ({
      processors: { a: { offSchedule } },
      schedules: [tableSchedule()],
      dates: { default: "aa--a" },
      seen: { a: "##0##" },
    });
    expect(states(scene("report"))).toBe("CC-UC");
    expect(states(scene("allow"))).toBe("CC--C");
  });

  test("rows of today that is not scheduled are not unexpected yet", () => {
    const scene: Scene = {
      processors: { a: {} },
      schedules: [tableSchedule()],
      dates: { default: "a-" },
      seen: { a: "##" },
      now: "2024-01-02T12:00Z",
    };
    expect(statesOf(assessed(scene), "a")).toBe("C-");
  });
});

describe("a date that was left out of the look", () => {
  const scene: Scene = { processors: { a: {}, b: { needs: ["a"] } }, seen: { a: "#?#", b: "#.." } };

  test("is unknown, whatever there was before, and the others are judged all the same", () => {
    expect(states(scene)).toBe("C?C");
  });

  test("blocks what needs it on that date alone", () => {
    expect(dispositionsOf(assessed(scene), "b").slice(0, -1)).toBe(".bR");
  });

  test("is no reason to take what was made of it for stale", () => {
    const seen = {
      a: "?",
      b: [{ date: "2024-01-01", firstWrite: "2024-01-01T01:00Z", lastWrite: "2024-01-01T01:00Z" }],
    };
    const written = { a: { writtenAtColumn: "w" }, b: { needs: ["a"], writtenAtColumn: "w" } };
    expect(states({ processors: written, seen, now: "2024-01-02T12:00Z" }, "b")).toBe("C");
  });
});

describe("due", () => {
  const scene = (now: string, more: Scene["processors"][string] = {}): Scene => ({
    processors: { a: more },
    seen: { a: "#.." },
    now,
  });

  test("a date is pending until its wall time in the pipeline's zone, and a gap from then on", () => {
    expect(statesOf(assessed(scene("2024-01-03T05:59Z")), "a")).toBe("Cpp");
    expect(statesOf(assessed(scene("2024-01-03T06:00Z")), "a")).toBe("CMp");
    const inNewYork = { ...scene("2024-01-03T10:59Z"), timezone: "America/New_York" };
    expect(statesOf(assessed(inNewYork), "a")).toBe("Cpp");
    expect(statesOf(assessed({ ...inNewYork, now: "2024-01-03T11:00Z" }), "a")).toBe("CMp");
  });

  test("a date may be due on its own day", () => {
    const sameDay = { due: { daysAfter: 0, minuteOfDay: 720 } };
    expect(statesOf(assessed(scene("2024-01-03T11:59Z", sameDay)), "a")).toBe("CMp");
    expect(statesOf(assessed(scene("2024-01-03T12:00Z", sameDay)), "a")).toBe("CMM");
  });

  test("data that came before it is due is complete", () => {
    expect(
      statesOf(assessed({ processors: { a: {} }, seen: { a: "###" }, now: "2024-01-03T00:00Z" }), "a"),
    ).toBe("CCC");
  });

  test("too few rows or invalid ones are pending too, as long as they are not due", () => {
    const partial = { processors: { a: { expect: { rows: { min: 5 } } } }, seen: { a: "#3" } };
    expect(statesOf(assessed({ ...partial, now: "2024-01-02T00:00Z" }), "a")).toBe("Cp");
  });

  test("a cell is never due before a hard upstream, but before a soft one", () => {
    const late = { due: { daysAfter: 2, minuteOfDay: 0 } };
    const of = (mode: "hard" | "soft") =>
      statesOf(
        assessed({
          processors: { up: late, a: { needs: [{ on: "up", mode }] } },
          seen: { up: "....", a: "...." },
          now: "2024-01-04T12:00Z",
        }),
        "a",
      );
    expect([of("hard"), of("soft")]).toEqual(["MMpp", "MMMp"]);
  });

  test("of any_of the first that is due is enough, and a window with the own date counts", () => {
    const late = { due: { daysAfter: 3, minuteOfDay: 0 } };
    const of = (needs: Scene["processors"][string]["needs"]) =>
      statesOf(
        assessed({
          processors: { slow: late, quick: {}, a: { needs: needs ?? [] } },
          seen: {},
          now: "2024-01-04T12:00Z",
        }),
        "a",
      );
    expect(of([{ on: ["slow", "quick"] }])).toBe("MMMp");
    expect(of([{ on: "slow", window: { kind: "since_previous" } }])).toBe("Mppp");
    expect(of([{ on: "slow", window: { kind: "days", days: 2, sameDate: true } }])).toBe("Mppp");
    expect(of([{ on: "slow", window: { kind: "days", days: 2, sameDate: false } }])).toBe("MMMp");
  });

  test("a horizon in the past leaves what became due since then pending", () => {
    const horizon = Date.parse("2024-01-03T12:00Z");
    const scene: Scene = {
      processors: { a: {} },
      seen: { a: "....." },
      now: "2024-01-06T12:00Z",
      policy: { horizon },
    };
    expect(statesOf(assessed(scene), "a")).toBe("MMpppp");
  });
});

describe("exempt", () => {
  test("the first calendar days of each season are, scheduled or not, and only what is not complete", () => {
    const scene: Scene = {
      processors: { a: { bootstrapDays: 3 } },
      schedules: [tableSchedule()],
      dates: { default: "a-aaabbbbb" },
      seen: { a: "..#......." },
    };
    expect(states(scene)).toBe("E-CMMEEEMM");
    expect(cellAt(assessed(scene), "a", "2024-01-01").reason).toBe("bootstrap");
  });

  test("dates outside the time in which the data is available are, both ends available", () => {
    const scene = {
      processors: { a: { available: { from: "2024-01-02", to: "2024-01-03" } } },
      seen: { a: "....#" },
    };
    expect(states(scene)).toBe("EMMEC");
    expect(cellAt(assessed(scene), "a", "2024-01-04").reason).toBe("availability");
  });

  test("waived dates are, from the first to the last, and complete ones stay complete", () => {
    const ranged = waiver({ start: parseIsoDate("2024-01-02"), end: parseIsoDate("2024-01-04") });
    const scene = { processors: { a: {}, b: {} }, seen: { a: "..#..", b: "....." }, waivers: [ranged] };
    expect([states(scene), states(scene, "b")]).toEqual(["MECEM", "MMMMM"]);
    expect(cellAt(assessed(scene), "a", "2024-01-02").reason).toBe("waived");
  });

  test("a waiver holds through its last day in the pipeline's zone", () => {
    const expiring = waiver({ expires: parseIsoDate("2024-01-05") });
    const at = (now: string) =>
      cellAt(
        assessed({
          processors: { a: {} },
          seen: { a: ".." },
          now,
          timezone: "America/New_York",
          waivers: [expiring],
        }),
        "a",
        "2024-01-01",
      ).state;
    expect(at("2024-01-06T04:59Z")).toBe("exempt");
    expect(at("2024-01-06T05:00Z")).toBe("missing");
  });

  test("of two waivers one that still holds is enough, wherever they come from", () => {
    const scene = {
      processors: { a: {} },
      seen: { a: "..." },
      waivers: [waiver({ expires: parseIsoDate("2024-01-01") })],
      ledger: { decisions: [decision("waive", { processors: ["a"], start: "2024-01-02" })] },
    };
    expect(states(scene)).toBe("MEE");
  });

  test("so is a cell whose hard upstream is exempt and empty, all the way down", () => {
    const scene = {
      processors: { up: {}, a: { needs: ["up"] }, down: { needs: ["a"] } },
      seen: { up: "..#", a: "...", down: "..." },
      waivers: [waiver({ processors: ["up"] })],
    };
    expect([states(scene), states(scene, "down")]).toEqual(["EEM", "EEM"]);
    expect(cellAt(assessed(scene), "down", "2024-01-01").reason).toBe("upstream_exempt");
  });

  test("not where the exempt upstream has rows", () => {
    const scene = {
      processors: { up: { expect: { rows: { min: 5 } } }, a: { needs: ["up"] } },
      seen: { up: "3.", a: ".." },
      waivers: [waiver({ processors: ["up"] })],
    };
    expect(states(scene)).toBe("ME");
  });

  test("not where the waiver lets dependents proceed", () => {
    const scene = {
      processors: { up: {}, a: { needs: ["up"] } },
      seen: { up: "..", a: ".." },
      waivers: [waiver({ processors: ["up"], downstream: "proceed" })],
    };
    expect([states(scene, "up"), states(scene)]).toEqual(["EE", "MM"]);
  });

  test("not where the cell was complete before: then it is data that was lost", () => {
    const scene = {
      processors: { up: {}, a: { needs: ["up"] } },
      seen: { up: "...", a: "..." },
      waivers: [waiver({ processors: ["up"] })],
      ledger: {
        gapEvents: [
          opened("a", "2024-01-01", "2024-01-02T00:00Z"),
          closed("a", "2024-01-01", "2024-01-02T01:00Z"),
        ],
        baselines: [baseline("processor", "a", "2024-01-02", { hash: "an older expectation" })],
      },
    };
    expect(states(scene)).toBe("MME");
  });

  test("not by a soft edge, and of any_of only where all are exempt", () => {
    const scene = (needs: Scene["processors"][string]["needs"]): Scene => ({
      processors: { up: {}, other: {}, a: { needs: needs ?? [] } },
      seen: { up: ".", other: ".", a: "." },
      waivers: [waiver({ processors: ["up"] })],
    });
    expect(states(scene([{ on: "up", mode: "soft" }]))).toBe("M");
    expect(states(scene([{ on: ["up", "other"] }]))).toBe("M");
    expect(
      states({ ...scene([{ on: ["up", "other"] }]), waivers: [waiver({ processors: ["up", "other"] })] }),
    ).toBe("E");
  });

  test("exempt comes before pending", () => {
    const scene = { processors: { a: {} }, seen: { a: "." }, now: "2024-01-01T01:00Z", waivers: [waiver()] };
    expect(statesOf(assessed(scene), "a")).toBe("E");
  });

  test("of several reasons the first of bootstrap, availability, waiver, upstream is kept", () => {
    const all = { bootstrapDays: 2, available: { from: "2024-01-04" }, needs: ["up"] };
    const scene = {
      processors: { up: {}, a: all },
      seen: { up: "......", a: "......" },
      waivers: [waiver({ processors: ["up"] }), waiver({ end: parseIsoDate("2024-01-05") })],
    };
    const reasons = [1, 2, 3, 4, 5, 6].map((day) => cellAt(assessed(scene), "a", `2024-01-0${day}`).reason);
    expect(reasons).toEqual([
      "bootstrap",
      "bootstrap",
      "availability",
      "waived",
      "waived",
      "upstream_exempt",
    ]);
  });
});

describe("stale", () => {
  const written = { writtenAtColumn: "processed_at" };
  const up = (lastWrite: string, rows = 10): readonly SeenDate[] => [
    { date: "2024-01-01", rows, firstWrite: "2024-01-02T00:00Z", lastWrite },
  ];
  const own: readonly SeenDate[] = [
    { date: "2024-01-01", firstWrite: "2024-01-02T06:00Z", lastWrite: "2024-01-02T07:00Z" },
  ];
  const scene = (upSeen: readonly SeenDate[], more: Scene["processors"][string] = {}): Scene => ({
    processors: { up: written, a: { ...written, needs: ["up"], ...more } },
    seen: { up: upSeen, a: own },
    now: "2024-01-02T12:00Z",
  });

  test("without a record a cell is where its upstream was written after the cell's first write", () => {
    expect(states(scene(up("2024-01-02T06:00Z")))).toBe("C");
    expect(states(scene(up("2024-01-02T06:30Z")))).toBe("S");
    expect(states(scene(up("2024-01-02T06:30Z"), { stale: "ignore" }))).toBe("C");
    expect(states(scene(up("2024-01-02T06:30Z"), { stale: "repair" }))).toBe("S");
  });

  test("with a record a cell is where the upstream differs from what the repair read, whatever the times", () => {
    const made = (version: string) => ({
      attempts: [
        attempt("a", "2024-01-01", "2024-01-02T07:00Z", { outcome: "repaired", inputs: { up: version } }),
      ],
    });
    const late = Date.parse("2024-01-02T06:30Z");
    expect(states({ ...scene(up("2024-01-02T06:30Z")), ledger: made(`10//${late}`) })).toBe("C");
    expect(states({ ...scene(up("2024-01-02T06:30Z", 11)), ledger: made(`10//${late}`) })).toBe("S");
    expect(states({ ...scene(up("2024-01-02T05:00Z")), ledger: made("0") })).toBe("S");
  });

  test("what somebody else wrote after our repair is judged by times again", () => {
    const ledger = {
      attempts: [
        attempt("a", "2024-01-01", "2024-01-02T05:00Z", { outcome: "repaired", inputs: { up: "old" } }),
      ],
    } as const;
    expect(states({ ...scene(up("2024-01-02T05:30Z")), ledger })).toBe("C");
    expect(states({ ...scene(up("2024-01-02T06:30Z")), ledger })).toBe("S");
  });

  test("a cell is not without write times, nor by an edge that is not asked", () => {
    expect(states(scene(up("2024-01-02T06:30Z"), { writtenAtColumn: null }))).toBe("C");
    expect(states(scene(up("2024-01-02T06:30Z"), { needs: [{ on: "up", stale: false }] }))).toBe("C");
    const blind = { ...scene(up("2024-01-02T06:30Z")), seen: { up: null, a: own } };
    expect(states(blind)).toBe("C");
  });

  test("a gap is a gap, not stale", () => {
    expect(states(scene(up("2024-01-02T06:30Z"), { expect: { rows: { min: 50 } } }))).toBe("P");
  });

  test("through a window a cell is where any date in it was written later", () => {
    const seen = {
      up: [
        { date: "2024-01-01", firstWrite: "2024-01-02T00:00Z", lastWrite: "2024-01-09T00:00Z" },
        { date: "2024-01-02", firstWrite: "2024-01-03T00:00Z", lastWrite: "2024-01-03T00:00Z" },
      ],
      a: ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"].map((date) => ({
        date,
        firstWrite: "2024-01-06T00:00Z",
        lastWrite: "2024-01-06T00:00Z",
      })),
    };
    const windowed = (stale: boolean): Scene => ({
      processors: {
        up: written,
        a: {
          ...written,
          needs: [{ on: "up", stale, window: { kind: "days", days: 2, sameDate: false } }],
        },
      },
      seen,
      now: "2024-01-05T12:00Z",
    });
    expect(states(windowed(true))).toBe("CSSC");
    expect(states(windowed(false))).toBe("CCCC");
  });
});
