import { describe, expect, test } from "vitest";
import { explainCell } from "../../src/core/explain.ts";
import { cascade } from "../../src/core/cascade.ts";
import { fromDay } from "../../src/core/iso-date.ts";
import { plan } from "../../src/core/plan.ts";
import { resultDocument } from "../../src/core/result-document.ts";
import { attempt, decision, instant, repairStart } from "../support/ledger.ts";
import { hourMs, runHistoryOf } from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, inputOf, type RunSketch, type Scene } from "../support/sight.ts";

// Goal: a run that others record as under way keeps us from doubling it, for as long as it may be alive and no longer.

const date = "2024-01-01";
const now = "2024-01-02T12:00Z";
const began = "2024-01-02T11:00Z";

const scene = (history: Scene["history"], more: Partial<Scene> = {}): Scene => ({
  processors: { a: {}, b: { needs: ["a"] } },
  seen: { a: ".", b: "." },
  now,
  runHistory: runHistoryOf({ runningMaxMs: 4 * hourMs }),
  ...(history === undefined ? {} : { history }),
  ...more,
});

const gap = (history: readonly RunSketch[], more: Partial<Scene> = {}) =>
  cellAt(assessed(scene(history, more)), "a", date);

const elsewhere = { disposition: "running", reason: "elsewhere" };
const ready = { disposition: "ready", reason: "" };
const run = (more: Partial<RunSketch> = {}): RunSketch => ({ name: "a", date, started: began, ...more });

describe("a run elsewhere", () => {
  test("makes the gap running, what needs it wait, and nothing be planned for either", () => {
    const assessment = assessed(scene([run()]));
    expect(cellAt(assessment, "a", date)).toMatchObject(elsewhere);
    expect(cellAt(assessment, "b", date)).toMatchObject({ disposition: "blocked", reason: "upstream" });
    expect(plan(assessment, { jobsMax: 8, cellsMax: 2000, recentSlots: 0, slots: true })).toEqual([]);
  });

  test("takes no slot of ours, and splits the batch that would run over its date", () => {
    const planned = (slots: boolean) => {
      const assessment = assessed(
        scene([run({ date: "2024-01-02", started: "2024-01-04T11:00Z" })], {
          processors: { a: { repair: { concurrency: 1 } } },
          seen: { a: "..." },
          now: "2024-01-04T12:00Z",
        }),
      );
      expect(dispositionsOf(assessment, "a")).toBe("RrR.");
      return plan(assessment, { jobsMax: 1, cellsMax: 2000, recentSlots: 0, slots });
    };
    expect(planned(false).map(({ days }) => days.map(fromDay))).toEqual([["2024-01-03"], ["2024-01-01"]]);
    expect(planned(true)).toHaveLength(1);
  });

  test("is taken to succeed by the whole cascade", () => {
    const steps = cascade(inputOf(scene([run()])));
    expect(steps.map(({ id }) => id)).toEqual(["b/2024-01-01..2024-01-01/1"]);
  });

  test("says nothing where the cell is complete", () => {
    expect(gap([run()], { seen: { a: "#" } })).toMatchObject({ state: "complete", disposition: "none" });
  });

  test("is found by the name that the history has for the processor", () => {
    const named = { runHistory: runHistoryOf({ names: { a: "AProcessor" } }) };
    expect(gap([run({ name: "AProcessor" })], named)).toMatchObject(elsewhere);
    expect(gap([run()], named)).toMatchObject(ready);
    expect(gap([run({ name: "c" })])).toMatchObject(ready);
  });

  test("is told by explain with its start, its limit and how to call it dead", () => {
    const assessment = assessed(
      scene([run({ id: "r1" }), run({ kind: "failed", started: "2024-01-02T08:00Z" })]),
    );
    const [processor] = assessment.grid.pipeline.processors;
    if (processor === undefined) throw new Error("the scene has no processor");
    const { next, next_at, run_history } = explainCell(assessment, processor, 0);
    expect(next).toBe(
      "run r1 is under way elsewhere since 2024-01-02T11:00:00Z, as the run history says; at 2024-01-02T15:00:00Z it is taken for dead (run_history.running_max), or now if a person says: reconcile retry --processor a --start-date 2024-01-01 --end-date 2024-01-01",
    );
    expect(next_at).toBe("2024-01-02T15:00:00Z");
    expect(run_history?.runs.map(({ kind, started_at }) => `${kind} ${started_at}`)).toEqual([
      "running 2024-01-02T11:00:00Z",
      "failed 2024-01-02T08:00:00Z",
    ]);
  });
});

describe("a row that says running", () => {
  test.each([
    ["ended, by another row of the run", [run({ kind: "ended", id: "r1" }), run({ id: "r1" })], ready],
    ["failed, by another row of the run", [run({ kind: "failed", id: "r1" }), run({ id: "r1" })], ready],
    ["was skipped itself", [run({ kind: "skipped", id: "r1" }), run({ id: "r1" })], ready],
    ["ended, by a row that began at once, without ids", [run(), run({ kind: "ended" })], ready],
    [
      "was followed by a run that ended",
      [run({ kind: "ended", id: "r2", started: "2024-01-02T11:30Z" }), run({ id: "r1" })],
      ready,
    ],
    [
      "was followed by a run that met it and did nothing",
      [run({ kind: "skipped", id: "r2", started: "2024-01-02T11:30Z" }), run({ id: "r1" })],
      elsewhere,
    ],
    [
      "follows a run that ended",
      [run({ id: "r2" }), run({ kind: "ended", id: "r1", started: "2024-01-02T10:00Z" })],
      elsewhere,
    ],
    ["is of another date", [run({ date: "2024-01-02" })], ready],
  ])("and %s", (_, history, expected) => {
    expect(gap(history)).toMatchObject(expected);
  });

  test("for longer than it may counts for nothing, and is reported once", () => {
    const stale = run({ started: "2024-01-02T08:00Z", id: "r1" });
    const assessment = assessed(scene([stale, stale]));
    expect(cellAt(assessment, "a", date)).toMatchObject(ready);
    const document = resultDocument({ assessment, target: null, steps: [], repairs: [], cost: null });
    expect(document.stale_runs).toEqual([
      { processor: "a", date, started_at: "2024-01-02T08:00:00Z", run_id: "r1" },
    ]);
    // A minute before, it was alive.
    expect(gap([{ ...stale, started: "2024-01-02T08:01Z" }])).toMatchObject(elsewhere);
  });

  test("is dead once a person asked for a retry after it began", () => {
    const retried = (at: string) => ({ ledger: { decisions: [decision("retry", { at })] } });
    expect(gap([run()], retried("2024-01-02T11:30Z"))).toMatchObject(ready);
    expect(gap([run()], retried("2024-01-02T10:30Z"))).toMatchObject(elsewhere);
  });
});

describe("what our own run wrote into the history", () => {
  const ended = (more: Partial<Parameters<typeof attempt>[3]> = {}) => ({
    ledger: {
      attempts: [
        attempt("a", date, "2024-01-02T11:10Z", { startedAt: instant("2024-01-02T10:59Z"), ...more }),
      ],
    },
  });

  test("is not elsewhere while it goes on, whoever watches over it", () => {
    const unfinished = [repairStart("a", [date], { startedAt: instant("2024-01-02T11:00:30Z") })];
    // Its clock is half a minute behind ours.
    expect(gap([run()], { ledger: { unfinished } })).toMatchObject(ready);
    const earlier = [repairStart("a", [date], { startedAt: instant("2024-01-02T11:02Z") })];
    expect(gap([run()], { ledger: { unfinished: earlier } })).toMatchObject(elsewhere);
    const other = [repairStart("a", ["2024-01-02"], { startedAt: instant("2024-01-02T11:00:30Z") })];
    expect(gap([run()], { ledger: { unfinished: other } })).toMatchObject(elsewhere);
  });

  test("does not keep it from being tried again, when it died and left its row behind", () => {
    expect(gap([run()], ended())).toMatchObject({ disposition: "ready" });
    expect(gap([run({ started: "2024-01-02T11:20Z" })], ended())).toMatchObject(elsewhere);
  });

  test("counts where another machine accepted it and may go on after we gave up", () => {
    const action = {
      kind: "http" as const,
      method: "POST" as const,
      url: "http://localhost",
      headers: {},
      body: null,
      acceptedStatuses: [],
      poll: null,
    };
    const processors = { a: { repair: { action } } };
    const seen = { a: "." };
    expect(gap([run()], { processors, seen, ...ended({ outcome: "timed_out" }) })).toMatchObject(elsewhere);
    expect(gap([run()], { processors, seen, ...ended({ outcome: "failed" }) })).toMatchObject(ready);
  });
});

test("a history that cannot be read holds nothing back, and is no secret", () => {
  const assessment = assessed(scene("there is no table ops.runs"));
  expect(cellAt(assessment, "a", date)).toMatchObject(ready);
  const document = resultDocument({ assessment, target: null, steps: [], repairs: [], cost: null });
  expect(document.run_history_failure).toEqual({ code: "not_found", message: "there is no table ops.runs" });
});
