import { describe, expect, test } from "vitest";
import { toDay, parseIsoDate } from "../../src/core/iso-date.ts";
import { inputsOfRun, inputVersions, outdatesOf } from "../../src/core/staleness.ts";
import { attempt, decision } from "../support/ledger.ts";
import { everyDay, tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, type Scene, statesOf } from "../support/sight.ts";

/** `up` was repaired on 01-02 at noon, and `a` was complete before. */
const outdated = attempt("up", "2024-01-02", "2024-01-05T12:00Z", {
  outcome: "repaired",
  outdates: { a: "2024-01-02" },
});

const follow = { stale: "follow" } as const;
const chain: Scene = {
  processors: { up: {}, a: { needs: ["up"], ...follow } },
  seen: { up: "####", a: "####" },
  ledger: { attempts: [outdated] },
};

const states = (scene: Scene, processor = "a") => statesOf(assessed(scene), processor).slice(0, -1);

describe("what a repair of ours outdated", () => {
  test("is a gap that is computed again, without any write time", () => {
    expect(states(chain)).toBe("CSCC");
    expect(dispositionsOf(assessed(chain), "a").slice(0, -1)).toBe(".R..");
  });

  test("is no gap any more once a repair that began after it has made it", () => {
    const made = (start: string) =>
      attempt("a", "2024-01-02", "2024-01-05T14:00Z", {
        outcome: "repaired",
        stateBefore: "stale",
        startedAt: Date.parse(start),
      });
    const after = (start: string) => states({ ...chain, ledger: { attempts: [outdated, made(start)] } });
    expect(after("2024-01-05T12:00:00Z")).toBe("CCCC");
    // It may have read what was there before.
    expect(after("2024-01-05T11:59:00Z")).toBe("CSCC");
  });

  test("is left alone where somebody has written it since", () => {
    const seen = (firstWrite: string) => ({
      up: "##",
      a: [{ date: "2024-01-02", firstWrite, lastWrite: firstWrite }],
    });
    const scene = (firstWrite: string): Scene => ({
      processors: { up: {}, a: { needs: ["up"], writtenAtColumn: "w", ...follow } },
      seen: seen(firstWrite),
      ledger: { attempts: [outdated] },
    });
    expect(cellAt(assessed(scene("2024-01-05T13:00Z")), "a", "2024-01-02").state).toBe("complete");
    expect(cellAt(assessed(scene("2024-01-05T11:00Z")), "a", "2024-01-02").state).toBe("stale");
  });

  test("is reported alone where the processor says so, and where no repair can replace it", () => {
    const of = (more: Scene["processors"][string]) => {
      const scene = { ...chain, processors: { up: {}, a: { needs: ["up"], ...more } } };
      return `${states(scene)} ${dispositionsOf(assessed(scene), "a").slice(0, -1)}`;
    };
    expect(of({ stale: "report" })).toBe("CSCC ....");
    expect(of({ stale: "ignore" })).toBe("CCCC ....");
    expect(of({ ...follow, repair: null })).toBe("CSCC ....");
    expect(of({ ...follow, repair: { replaces: false } })).toBe("CSCC ....");
  });

  test("becomes a gap when a person asks for it, until it was made again", () => {
    const processors = { up: {}, a: { needs: ["up"], stale: "report" as const } };
    const rebuild = decision("rebuild", { at: "2024-01-05T15:00Z", start: "2024-01-02" });
    const of = (attempts: readonly ReturnType<typeof attempt>[]) => {
      const scene = { ...chain, processors, ledger: { attempts, decisions: [rebuild] } };
      return dispositionsOf(assessed(scene), "a").slice(0, -1);
    };
    expect(of([outdated])).toBe(".R..");
    const made = attempt("a", "2024-01-02", "2024-01-05T16:00Z", {
      outcome: "repaired",
      stateBefore: "stale",
    });
    expect(of([outdated, made])).toBe("....");
  });
});

describe("what others changed", () => {
  const made = (inputs: Readonly<Record<string, string>>) =>
    attempt("a", "2024-01-02", "2024-01-05T14:00Z", { outcome: "repaired", inputs });

  test("is reported by the version on record, on every edge that outdates, and repaired only where that is asked for", () => {
    const scene = (stale: "follow" | "repair", inputs: Readonly<Record<string, string>>): Scene => ({
      processors: { up: {}, a: { needs: ["up"], stale } },
      seen: { up: "####", a: "####" },
      ledger: { attempts: [made(inputs)] },
    });
    expect(states(scene("follow", { up: "10//" }))).toBe("CCCC");
    const changed = { up: "9//" };
    expect(states(scene("follow", changed))).toBe("CSCC");
    expect(dispositionsOf(assessed(scene("follow", changed)), "a").slice(0, -1)).toBe("....");
    expect(dispositionsOf(assessed(scene("repair", changed)), "a").slice(0, -1)).toBe(".R..");
  });
});

describe("a change outdates", () => {
  const outdates = (scene: Scene, processor: string, date: string) => {
    const assessment = assessed(scene);
    const changed = assessment.compiled.byName.get(processor);
    if (changed === undefined) throw new RangeError(processor);
    return outdatesOf(assessment, changed, toDay(parseIsoDate(date)), () => false);
  };

  test("the cells that counted it among their dates, once it has left the schedule", () => {
    const scene: Scene = {
      processors: {
        up: { offSchedule: "gap" },
        next: { needs: [{ on: "up", window: { kind: "offset_dates", dates: -1 } }], ...follow },
        ahead: { needs: [{ on: "up", window: { kind: "offset_dates", dates: 1 } }], ...follow },
      },
      schedules: [tableSchedule()],
      dates: { default: "aa-aa" },
      seen: { up: "#####", next: "##.##", ahead: "##.##" },
    };
    expect(outdates(scene, "up", "2024-01-03")).toEqual({ next: "2024-01-04", ahead: "2024-01-02" });
  });

  test("the cells with rows that read it, by windows and offsets, and no dates without", () => {
    const scene: Scene = {
      processors: {
        up: {},
        same: { needs: ["up"], ...follow },
        next: { needs: [{ on: "up", window: { kind: "offset_days", days: -1 } }], ...follow },
        back: {
          needs: [{ on: "up", window: { kind: "days", days: 2, sameDate: false }, stale: true }],
          ...follow,
        },
        loose: { needs: [{ on: "up", window: { kind: "days", days: 2, sameDate: false } }], ...follow },
        soft: { needs: [{ on: "up", mode: "soft", stale: false }], ...follow },
      },
      seen: { up: "####", same: "####", next: "##.#", back: "####", loose: "####", soft: "####" },
    };
    expect(outdates(scene, "up", "2024-01-02")).toEqual({
      same: "2024-01-02",
      back: "2024-01-03..2024-01-04",
    });
    expect(outdates(scene, "up", "2024-01-03")).toEqual({
      same: "2024-01-03",
      next: "2024-01-04",
      back: "2024-01-04",
    });
  });

  test("the month that it lies in", () => {
    const months = { ...everyDay, name: "months", source: { ...everyDay.source, every: "month" } } as const;
    const scene: Scene = {
      processors: {
        up: {},
        monthly: { schedule: "months", needs: [{ on: "up", window: { kind: "until_next" } }], ...follow },
      },
      schedules: [everyDay, months],
      seen: { up: "#".repeat(40), monthly: `#${".".repeat(30)}#` },
      now: "2024-03-02T12:00Z",
    };
    expect(outdates(scene, "up", "2024-01-20")).toEqual({ monthly: "2024-01-01" });
    expect(outdates(scene, "up", "2024-02-01")).toEqual({ monthly: "2024-02-01" });
  });

  test("what nobody can see, as it may have been there", () => {
    const scene: Scene = {
      processors: { up: {}, a: { needs: ["up"], ...follow } },
      seen: { up: "####", a: null },
    };
    expect(outdates(scene, "up", "2024-01-02")).toEqual({ a: "2024-01-02" });
  });
});

test("what one run filled date by date is recorded as computed from what it filled, and all else from what was there", () => {
  const scene = (seen: Scene["seen"]): Scene => ({
    processors: { up: {}, total: { needs: ["up"], dependsOnPast: true } },
    seen: seen ?? {},
  });
  const [before, after] = [
    assessed(scene({ up: "##", total: ".1" })),
    assessed(scene({ up: "#5", total: "11" })),
  ];
  const total = after.grid.pipeline.processors[1];
  if (total === undefined) throw new RangeError("there is no total");
  const first = after.grid.axis.first;
  const seenBefore = inputVersions(before, total, 1);
  const filled = (processor: number, day: number) => processor === total.index && day === first;
  const made = inputsOfRun(after, total, 1, { before: seenBefore, filled });
  const own = "total offset_dates -1";
  expect(made[own]).toBe(inputVersions(after, total, 1)[own]);
  expect(made[own]).not.toBe(seenBefore[own]);
  expect(made["up"]).toBe(seenBefore["up"]);
  expect(inputsOfRun(after, total, 1, { before: seenBefore, filled: () => false })).toEqual(seenBefore);
});
