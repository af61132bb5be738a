import { describe, expect, test } from "vitest";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { foldLedger, lostStarts, startedRuns } from "../../src/core/ledger-facts.ts";
import { emptyLedgerRecords, type LedgerRecords } from "../../src/core/ledger-records.ts";
import {
  attempt,
  baseline,
  closed,
  decision,
  instant,
  opened,
  repairStart,
  runEnd,
} from "../support/ledger.ts";
import { pipelineOf } from "../support/pipeline.ts";

const pipeline = pipelineOf({
  processors: { a: { repair: { maxAttempts: 2 } }, b: {}, bare: { repair: null } },
});
const now = instant("2024-01-09T12:00Z");
const fold = (records: Partial<LedgerRecords>) =>
  foldLedger(pipeline, { ...emptyLedgerRecords, ...records }, now);
const day = (date: string) => toDay(parseIsoDate(date));

test("each cell has its own history, folded by the rules of its own repair", () => {
  const attempts = ["a", "b", "bare"].flatMap((name) =>
    [1, 2].map((hour) => attempt(name, "2024-01-02", `2024-01-08T0${hour}:00Z`)),
  );
  const { cellFacts } = fold({ attempts });
  expect(cellFacts(0, day("2024-01-02")).quarantine?.cause).toBe("attempts_used_up");
  expect(cellFacts(1, day("2024-01-02"))).toMatchObject({ charged: 2, quarantine: null });
  expect(cellFacts(0, day("2024-01-03")).charged).toBe(0);
});

test("history of processors that the config no longer has is passed over", () => {
  const records = {
    attempts: [attempt("gone", "2024-01-02", "2024-01-08T00:00Z")],
    gapEvents: [opened("gone", "2024-01-02", "2024-01-08T00:00Z")],
  };
  expect(fold(records).openOnRecord).toEqual([]);
});

test("every gap that the ledger holds open is known", () => {
  const gapEvents = [
    opened("a", "2024-01-02", "2024-01-08T00:00Z"),
    opened("b", "2024-01-03", "2024-01-08T00:00Z"),
    closed("b", "2024-01-03", "2024-01-08T01:00Z"),
  ];
  const open = fold({ gapEvents }).openOnRecord.map(({ processor, day: at }) => [processor, fromDay(at)]);
  expect(open).toEqual([[0, "2024-01-02"]]);
});

test("a cell was complete once if an event, a repair or any baseline says so", () => {
  const { everComplete } = fold({
    attempts: [attempt("a", "2024-01-01", "2024-01-08T00:00Z", { outcome: "repaired" })],
    gapEvents: [closed("a", "2024-01-02", "2024-01-08T00:00Z")],
    baselines: [baseline("processor", "a", "2024-01-03..2024-01-04", { hash: "an older one" })],
  });
  const dates = [1, 2, 3, 4, 5].map((number) => everComplete(0, day(`2024-01-0${number}`)));
  expect(dates).toEqual([true, true, true, true, false]);
  expect(everComplete(1, day("2024-01-03"))).toBe(false);
});

describe("baselines", () => {
  const baselines = [
    baseline("processor", "a", "2024-01-01", { hash: "older" }),
    baseline("processor", "a", "2024-01-02", { at: instant("2024-01-02T00:00Z") }),
    baseline("processor", "a", "2024-01-03", { at: instant("2024-01-03T00:00Z") }),
    baseline("schedule", "default", "2024-01-04", { at: instant("2024-01-02T00:00Z") }),
    baseline("schedule", "default", "2024-01-05", { at: instant("2024-01-03T00:00Z") }),
  ];
  const of = (at?: string) => {
    const decisions = at === undefined ? [] : [decision("accept", { at, processors: ["a"] })];
    const { baselines: own, scheduleBaselines } = fold({ baselines, decisions });
    return [own(0), scheduleBaselines("default")].map((list) => list.map(({ dates }) => dates));
  };

  test("are those of the present expectation, of a schedule all", () => {
    expect(of()).toEqual([
      ["2024-01-02", "2024-01-03"],
      ["2024-01-04", "2024-01-05"],
    ]);
  });

  test("from before an accept do not count any more, of its schedule neither", () => {
    expect(of("2024-01-02T12:00Z")).toEqual([["2024-01-03"], ["2024-01-05"]]);
    expect(of("2024-01-04T00:00Z")).toEqual([[], []]);
  });
});

test("a circuit belongs to its repair, and is released by its processors", () => {
  const recentEnds = [runEnd("a", "2024-01-09T11:50Z", { systemic: "quota" })];
  expect(fold({ recentEnds }).circuits.map(({ state }) => state)).toEqual(["open", "closed"]);
  const decisions = [decision("release", { at: "2024-01-09T11:55Z", processors: ["a"] })];
  expect(fold({ recentEnds, decisions }).circuits.map(({ state }) => state)).toEqual(["closed", "closed"]);
});

test("run times stand where their repair does", () => {
  const runTimes = [{ repair: "b", runs: 1, meanSeconds: 2, meanSecondsPerDate: 3 }];
  expect(fold({ runTimes }).runTimes).toEqual([null, runTimes[0]]);
});

describe("starts without an end", () => {
  const start = (more: Parameters<typeof repairStart>[2]) =>
    repairStart("a", ["2024-01-01", "2024-01-02"], more);

  test("are lost from their deadline on, or when their worker is dead", () => {
    const late = start({ repairId: "late", deadlineAt: now });
    const alive = start({ repairId: "alive", deadlineAt: now + 1 });
    const dead = start({ repairId: "dead", deadlineAt: now + 1, worker: "dead" });
    const lost = lostStarts([late, alive, dead], now, (worker) => worker === "dead");
    expect(lost.map(({ repairId }) => repairId)).toEqual(["late", "dead"]);
  });

  test("are runs in flight, but not of repairs that the config no longer has", () => {
    const gone = repairStart("gone", ["2024-01-01"]);
    expect(startedRuns(pipeline, [start({ processors: ["a", "gone"] }), gone])).toEqual([
      { repairUnit: 0, state: "running", processors: [0], days: [day("2024-01-01"), day("2024-01-02")] },
    ]);
  });
});
