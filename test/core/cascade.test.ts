import { describe, expect, test } from "vitest";
import { assess } from "../../src/core/assess.ts";
import { cascade } from "../../src/core/cascade.ts";
import { plan } from "../../src/core/plan.ts";
import { attempt, runEnd } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { inputOf, type Scene } from "../support/sight.ts";

const steps = (scene: Scene) => cascade(inputOf(scene));
const short = (scene: Scene) => steps(scene).map(({ wave, id }) => `${wave} ${id}`);

const chain: Scene = {
  processors: { a: {}, b: { needs: ["a"] }, c: { needs: ["b"] } },
  schedules: [tableSchedule()],
  dates: { default: "aaa" },
  seen: { a: "#..", b: "##.", c: "..." },
};

describe("the cascade", () => {
  test("goes wave by wave until nothing is open, each wave on the output of the one before", () => {
    expect(short(chain)).toEqual([
      "1 a/2024-01-02..2024-01-03/1",
      "1 c/2024-01-01..2024-01-02/1",
      "2 b/2024-01-03..2024-01-03/1",
      "3 c/2024-01-03..2024-01-03/1",
    ]);
  });

  test("names the steps whose output a step reads, and no others", () => {
    const needs = Object.fromEntries(steps(chain).map((step) => [step.id, step.needs]));
    expect(needs).toEqual({
      "a/2024-01-02..2024-01-03/1": [],
      "c/2024-01-01..2024-01-02/1": [],
      "b/2024-01-03..2024-01-03/1": ["a/2024-01-02..2024-01-03/1"],
      "c/2024-01-03..2024-01-03/1": ["b/2024-01-03..2024-01-03/1"],
    });
  });

  test("reads through windows", () => {
    const found = steps({
      processors: { a: {}, b: { needs: [{ on: "a", window: { kind: "days", days: 2, sameDate: false } }] } },
      schedules: [tableSchedule()],
      dates: { default: "aaaaa" },
      seen: { a: "#.###", b: "###.." },
    });
    expect(found.map(({ id, wave, needs }) => ({ id, wave, needs }))).toEqual([
      { id: "a/2024-01-02..2024-01-02/1", wave: 1, needs: [] },
      { id: "b/2024-01-05..2024-01-05/1", wave: 1, needs: [] },
      { id: "b/2024-01-04..2024-01-04/1", wave: 2, needs: ["a/2024-01-02..2024-01-02/1"] },
    ]);
  });

  test("begins with what a real plan would enqueue if no cap were in its way", () => {
    const input = inputOf(chain);
    const real = plan(assess(input), { jobsMax: Infinity, cellsMax: Infinity, recentSlots: 0, slots: false });
    const first = cascade(input).filter(({ wave }) => wave === 1);
    const jobs = first.map(({ wave, needs, forecastSeconds, ...job }) => job);
    expect(JSON.stringify(jobs)).toBe(JSON.stringify(real));
  });

  test("takes runs in flight for done and waits out backoff", () => {
    const inFlight = [{ repair: "a", dates: ["2024-01-02", "2024-01-03"] }];
    expect(short({ ...chain, inFlight })).toContain("1 b/2024-01-03..2024-01-03/1");
    const attempts = [attempt("a", "2024-01-02", "2024-01-04T11:59:59Z")];
    expect(short({ ...chain, ledger: { attempts } })).toContain("1 a/2024-01-02..2024-01-02/2");
  });

  test("leaves out what no repair would reach: quarantined, unrepairable, held, and what hangs on them", () => {
    const attempts = [1, 2, 3].map((hour) => attempt("a", "2024-01-03", `2024-01-04T0${hour}:00Z`));
    expect(short({ ...chain, ledger: { attempts } })).toEqual([
      "1 a/2024-01-02..2024-01-02/1",
      "1 c/2024-01-01..2024-01-02/1",
    ]);
  });

  test("keeps a chronological processor to one job per season and wave", () => {
    const scene: Scene = {
      processors: { a: { chronological: true, repair: { maxDatesPerJob: 2 } } },
      schedules: [tableSchedule()],
      dates: { default: "aaaaab" },
      seen: { a: "......" },
    };
    expect(short(scene).toSorted()).toEqual([
      "1 a/2024-01-01..2024-01-02/1",
      "1 a/2024-01-06..2024-01-06/1",
      "2 a/2024-01-03..2024-01-04/1",
      "3 a/2024-01-05..2024-01-05/1",
    ]);
  });

  test("probes a half-open circuit with one date and then takes the rest", () => {
    const recentEnds = [runEnd("a", "2024-01-03T00:00Z", { systemic: "quota" })];
    expect(short({ ...chain, ledger: { recentEnds } })).toEqual([
      "1 a/2024-01-03..2024-01-03/1",
      "1 c/2024-01-01..2024-01-02/1",
      "2 a/2024-01-02..2024-01-02/1",
      "2 b/2024-01-03..2024-01-03/1",
      "3 c/2024-01-03..2024-01-03/1",
    ]);
  });

  test("forecasts by the mean of past runs, and says nothing without any", () => {
    const runTimes = [{ repair: "a", runs: 3, meanSeconds: 60, meanSecondsPerDate: 12.345 }];
    const found = steps({ ...chain, ledger: { runTimes } });
    expect(found.map(({ forecastSeconds }) => forecastSeconds)).toEqual([24.7, null, null, null]);
  });

  test("is empty where nothing is open", () => {
    expect(steps({ processors: { a: {} }, seen: { a: "###" } })).toEqual([]);
  });
});
