// `off_schedule: gap`: rows on a past date that left the schedule are a gap until its repair has taken them away.
import { describe, expect, test } from "vitest";
import { isConverged } from "../../src/core/assess.ts";
import { batchesOf, positionsIn } from "../../src/core/batches.ts";
import { cascade } from "../../src/core/cascade.ts";
import { explainCell } from "../../src/core/explain.ts";
import { gapDocument } from "../../src/core/gap-document.ts";
import { fromDay } from "../../src/core/iso-date.ts";
import { directBlockers } from "../../src/core/root-causes.ts";
import { seasonAt } from "../../src/core/schedule.ts";
import { attempt, baseline, opened } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, inputOf, type Scene, statesOf } from "../support/sight.ts";

const scene = (dates: string, seen: string, more: Partial<Scene> = {}): Scene => ({
  processors: { a: { offSchedule: "gap" } },
  schedules: [tableSchedule()],
  dates: { default: dates },
  seen: { a: seen },
  now: "2024-02-20T12:00Z",
  ...more,
});

/** Of the axis only what the pattern shows. */
const states = (of: Scene, name = "a", length = 6) => statesOf(assessed(of), name).slice(0, length);

function cell(of: Scene, position: number, name = "a") {
  const assessment = assessed(of);
  const processor = assessment.compiled.byName.get(name);
  if (processor === undefined) throw new RangeError(`there is no ${name}`);
  return {
    assessment,
    explained: explainCell(assessment, processor, position),
    gap: gapDocument(assessment, processor, position),
    blockers: directBlockers(assessment, { processor, position }).map(
      (at) => `${at.processor.name}/${at.position}`,
    ),
  };
}

describe("rows on a date that left the schedule", () => {
  test("are invalid and ready to be repaired, and keep it from being converged", () => {
    const found = assessed(scene("aa--aa", "##.###"));
    expect(statesOf(found, "a").slice(0, 6)).toBe("CC-ICC");
    expect(dispositionsOf(found, "a").slice(0, 6)).toBe("...R..");
    expect(isConverged(found)).toBe(false);
    expect(isConverged(assessed(scene("aa--aa", "##..##")))).toBe(true);
  });

  test("are explained by what was expected: no rows", () => {
    const { explained, gap } = cell(scene("aa--aa", "##.###"), 3);
    expect(explained.expected).toEqual(["no rows: the date is not scheduled"]);
    expect(explained.checks).toEqual([
      {
        name: "off_schedule",
        holds: false,
        observed: "10 rows",
        expected: "no rows: the date is not scheduled",
      },
    ]);
    expect(gap).toMatchObject({
      state: "invalid",
      observed: { rows: 10 },
      expected: { rows_min: 0, rows_max: 0 },
      failed_checks: ["off_schedule"],
    });
  });

  test("of today are none yet, and those of a date that is not due are pending", () => {
    const today = scene("a-", "##", { now: "2024-01-02T12:00Z" });
    expect(statesOf(assessed(today), "a")).toBe("C-");
    const due = { daysAfter: 3, minuteOfDay: 0 };
    const early = scene("a--", "#.#", {
      processors: { a: { offSchedule: "gap", due } },
      now: "2024-01-04T12:00Z",
      policy: { horizon: Date.parse("2024-01-04T12:00Z") },
    });
    expect(statesOf(assessed(early), "a")).toBe("C-p-");
  });

  test("may be waived, and are left alone by a repair that only adds", () => {
    const waived = scene("aa-a", "####", {
      waivers: [
        {
          id: "w",
          processors: ["a"],
          start: fromDay(19_725),
          end: fromDay(19_725),
          reason: "kept on purpose",
          owner: "ann",
          expires: null,
          downstream: "exempt",
          source: "config",
        },
      ],
    });
    expect(states(waived, "a", 4)).toBe("CCEC");
    const adding = scene("aa-a", "####", {
      processors: { a: { offSchedule: "gap", repair: { replaces: false } } },
    });
    expect(cellAt(assessed(adding), "a", "2024-01-03")).toMatchObject({
      disposition: "unrepairable",
      reason: "repair_does_not_replace",
    });
  });

  test("are not gone while nobody can look: a gap on record stays open as unknown", () => {
    const ledger = { gapEvents: [opened("a", "2024-01-03", "2024-02-01T00:00Z")] };
    expect(states(scene("aa-a", "##?#", { ledger }), "a", 4)).toBe("CC?C");
    expect(states(scene("aa-a", "##?#"), "a", 4)).toBe("CC-C");
    expect(states(scene("aa-a", "", { ledger, seen: { a: null } }), "a", 4)).toBe("????");
  });

  test("are no loss of data: the mass gap does not count them", () => {
    const safety: Scene["safety"] = {
      autoRepairMaxAgeMs: null,
      massGap: { maxShare: 0.2, cellsMin: 1 },
      scheduleChange: { maxShare: 1, datesMin: 100 },
      circuitBreaker: { failures: 5, coolOffMs: 1 },
    };
    const ledger = { baselines: [baseline("processor", "a", "2024-01-01..2024-01-06")] };
    const found = assessed(scene("a----a", "######", { safety, ledger }));
    expect(found.breakers.massGaps).toEqual([null]);
    expect(statesOf(found, "a").slice(0, 6)).toBe("CIIIIC");
  });
});

describe("rows before the schedule", () => {
  const later = (ledger: Scene["ledger"] = {}): Scene => scene("--aa", "####", { ledger });

  test("stand in no cell, and are unexpected where another schedule begins earlier", () => {
    expect(statesOf(assessed(later()), "a").slice(0, 2)).toBe("CC");
    const of: Scene = {
      ...later(),
      processors: { a: { offSchedule: "gap" }, b: { schedule: "daily" } },
      schedules: [tableSchedule(), tableSchedule("daily")],
      dates: { default: "--aa", daily: "aaaa" },
      seen: { a: "####", b: "####" },
    };
    expect(states(of, "a", 4)).toBe("UUCC");
  });

  test("are a gap on the dates that the schedule had, by its baseline or by the gap on record", () => {
    const baselines = [baseline("schedule", "default", "2024-01-02..2024-01-04")];
    expect(states(later({ baselines }), "a", 3)).toBe("ICC");
    const gapEvents = [opened("a", "2024-01-01", "2024-02-01T00:00Z")];
    expect(states(later({ gapEvents }), "a", 4)).toBe("IUCC");
  });

  test("are left alone before the start date of the config", () => {
    const baselines = [baseline("schedule", "default", "2024-01-01..2024-01-04")];
    const of = scene("--aa", "####", {
      ledger: { baselines },
      schedules: [{ ...tableSchedule(), startDate: fromDay(19_725) }],
    });
    expect(states(of, "a", 2)).toBe("CC");
  });
});

describe("what is downstream", () => {
  const chain = (dates: string, a: string, b: string): Scene => ({
    ...scene(dates, a),
    processors: { a: { offSchedule: "gap" }, b: { offSchedule: "gap", needs: ["a"] } },
    seen: { a, b },
  });

  test("of a date off the schedule is emptied after its upstream, which would give it the same rows again", () => {
    const both = cell(chain("aa-a", "####", "####"), 2, "b");
    expect(dispositionsOf(both.assessment, "a").slice(0, 4)).toBe("..R.");
    expect(dispositionsOf(both.assessment, "b").slice(0, 4)).toBe("..b.");
    expect(both.blockers).toEqual(["a/2"]);
    const alone = assessed(chain("aa-a", "##.#", "####"));
    expect(dispositionsOf(alone, "b").slice(0, 4)).toBe("..R.");
  });

  test("of a date off the schedule needs nothing else: it is emptied though its upstreams are incomplete", () => {
    const of: Scene = {
      ...scene("aa-a", ""),
      schedules: [tableSchedule(), tableSchedule("daily")],
      dates: { default: "aa-a", daily: "aaaa" },
      processors: { a: { schedule: "daily" }, b: { offSchedule: "gap", needs: ["a"] } },
      seen: { a: "##..", b: "####" },
    };
    expect(cellAt(assessed(of), "b", "2024-01-03")).toMatchObject({ state: "invalid", disposition: "ready" });
  });

  test("and reads over the date waits until the rows are gone", () => {
    const of: Scene = {
      ...scene("aa-a", ""),
      processors: {
        a: { offSchedule: "gap" },
        b: { needs: [{ on: "a", window: { kind: "days", days: 3, sameDate: true } }] },
      },
      seen: { a: "####", b: "##.." },
    };
    const { assessment, blockers, explained } = cell(of, 3, "b");
    expect(dispositionsOf(assessment, "b").slice(0, 4)).toBe("...b");
    expect(blockers).toEqual(["a/2"]);
    expect(explained.upstreams[0]?.blocked_by).toMatchObject([
      { processor: "a", date: "2024-01-03", state: "invalid" },
    ]);
  });

  test("is planned behind it, and counts as done where no rows are left", () => {
    const steps = cascade(inputOf(chain("aa-a", "####", "####")));
    expect(steps.map(({ id, wave }) => `${wave} ${id}`)).toEqual([
      "1 a/2024-01-03..2024-01-03/1",
      "2 b/2024-01-03..2024-01-03/1",
    ]);
  });
});

describe("a job", () => {
  const batches = (of: Scene) =>
    batchesOf(assessed(of), 0).map((batch) =>
      positionsIn(batch)
        .map((position) => position + 1)
        .join(" "),
    );

  test("takes a date off the schedule together with its neighbours", () => {
    expect(batches(scene("aa-a", "..##"))).toEqual(["1 2 3"]);
  });

  test("does not cross one that is not its own", () => {
    const failed = [1, 2, 3].map((hour) => attempt("a", "2024-01-03", `2024-02-08T0${hour}:00Z`));
    const of = scene("aa-a", "..#.", { ledger: { attempts: failed } });
    expect(cellAt(assessed(of), "a", "2024-01-03").disposition).toBe("quarantined");
    expect(batches(of)).toEqual(["4", "1 2"]);
  });

  test("gives such a date the season of the last scheduled date before it, or of the first", () => {
    const { sight } = inputOf(scene("-aa--bb", "......."));
    const schedule = sight.schedules.get("default");
    if (schedule === undefined) throw new RangeError("no schedule");
    expect([0, 1, 2, 3, 4, 5].map((position) => seasonAt(schedule, position))).toEqual([0, 0, 0, 0, 1, 1]);
    expect(batches(scene("aa-bb", "..#.."))).toEqual(["4 5", "1 2 3"]);
  });

  test("of a chronological processor takes it in its turn", () => {
    const failed = [1, 2, 3].map((hour) => attempt("a", "2024-01-03", `2024-02-08T0${hour}:00Z`));
    const of = scene("aa-a", "..#.", {
      processors: { a: { offSchedule: "gap", chronological: true } },
      ledger: { attempts: failed },
    });
    const { assessment, blockers } = cell(of, 3);
    expect(dispositionsOf(assessment, "a").slice(0, 4)).toBe("RRxb");
    expect(blockers).toEqual(["a/2"]);
  });
});
