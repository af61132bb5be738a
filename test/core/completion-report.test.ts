import { describe, expect, test } from "vitest";
import { completionReport, type ReportEntry } from "../../src/core/completion-report.ts";
import { beforeFromLedger, type ReportBefore } from "../../src/core/report-past.ts";
import type { CycleRecord, GapEvent } from "../../src/core/ledger-records.ts";
import { closed, instant, opened } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";

const scene: Scene = {
  schedules: [tableSchedule()],
  dates: { default: "aaaa--bbbb" },
  processors: {
    raw: { phase: "2" },
    features: { phase: "4", bootstrapDays: 1 },
    hidden: { phase: "4", stale: "report" },
  },
  seen: { raw: "##.#..####", features: ".###....##", hidden: null },
};

/** When the dates up to the 8th are due. */
const firstCycle = "2024-01-09T12:00Z";

function cycle(finishedAt: string): CycleRecord {
  const at = instant(finishedAt);
  return {
    cycleId: "c",
    startedAt: at - 1000,
    finishedAt: at,
    converged: false,
    accepted: true,
    gaps: 0,
    unknown: 0,
    enqueued: 0,
    scanBytes: 0,
  };
}

function ledger(events: readonly GapEvent[], since: string | null = null): ReportBefore | null {
  return beforeFromLedger(
    { cycles: [cycle(firstCycle), cycle("2024-01-10T00:00Z")], gapEvents: events },
    since === null ? null : instant(since),
    10_000,
  );
}

describe("a completion report", () => {
  test("counts expected, complete, exempt and gaps by season, phase and processor", () => {
    const report = completionReport({ assessment: assessed(scene), target: "local", before: null });
    expect(report).toMatchObject({
      schema_version: 1,
      pipeline: "test",
      target: "local",
      as_of: "2024-01-11T12:00:00Z",
      before_as_of: null,
      range: { start_date: "2024-01-01", end_date: "2024-01-11" },
      converged: false,
    });
    expect(report.seasons.map(({ season, start_date, end_date }) => [season, start_date, end_date])).toEqual([
      ["a", "2024-01-01", "2024-01-04"],
      ["b", "2024-01-07", "2024-01-10"],
    ]);
    const [a, b] = report.seasons;
    expect(
      a?.phases.map(({ phase, processors }) => [phase, processors.map(({ processor }) => processor)]),
    ).toEqual([
      ["2", ["raw"]],
      ["4", ["features", "hidden"]],
    ]);
    expect(a?.phases[0]?.after).toEqual({
      expected: 4,
      complete: 3,
      exempt: {},
      pending: 0,
      unknown: 0,
      gaps: 1,
      coverage: 0.75,
    });
    expect(a?.phases[1]?.after).toMatchObject({
      expected: 8,
      complete: 3,
      exempt: { bootstrap: 1 },
      unknown: 4,
      gaps: 0,
    });
    expect(b?.phases[1]?.processors[0]?.after).toMatchObject({
      exempt: { bootstrap: 1 },
      gaps: 1,
      coverage: 0.6666,
    });
    expect(report.total.after).toMatchObject({ expected: 24, complete: 12, unknown: 8, gaps: 2 });
    expect(report.total.before).toBeNull();
  });

  test("each level is the sum of the one below", () => {
    const report = completionReport({ assessment: assessed(scene), target: null, before: ledger([]) });
    for (const pick of ["after", "before"] as const) {
      const sum = (entries: readonly ReportEntry[], of: "expected" | "complete" | "gaps") =>
        entries.reduce((total, entry) => total + (entry[pick]?.[of] ?? 0), 0);
      for (const of of ["expected", "complete", "gaps"] as const) {
        expect(sum(report.seasons, of)).toBe(report.total[pick]?.[of]);
        for (const season of report.seasons) {
          expect(sum(season.phases, of)).toBe(season[pick]?.[of]);
          for (const phase of season.phases) expect(sum(phase.processors, of)).toBe(phase[pick]?.[of]);
        }
      }
    }
  });

  test("never rounds up to complete", () => {
    const assessment = assessed({
      schedules: [tableSchedule()],
      dates: { default: "a".repeat(20_001) },
      start: "1970-01-01",
      processors: { raw: {} },
      seen: { raw: `${"#".repeat(20_000)}.` },
    });
    const report = completionReport({ assessment, target: null, before: null });
    expect(report.total.after).toMatchObject({ complete: 20_000, gaps: 1, coverage: 0.9999 });
  });

  test("has the mean share of good rows where there is a quality column", () => {
    const assessment = assessed({
      processors: {
        raw: {
          expect: { quality: { column: "q", good: 90, ok: 70, degraded: 50, minGoodShare: 0, afterDays: 0 } },
        },
      },
      seen: {
        raw: [
          { date: "2024-01-01", rows: 10, metrics: [10, 10, 10] },
          { date: "2024-01-02", rows: 10, metrics: [5, 10, 10] },
        ],
      },
      now: "2024-01-03T12:00Z",
    });
    const report = completionReport({ assessment, target: null, before: null });
    expect(report.total.quality).toEqual({ mean_good_share: 0.75, cells: 2 });
  });

  test("counts only what was selected", () => {
    const assessment = assessed({
      ...scene,
      selection: { processors: ["raw"], start: "2024-01-07", end: "2024-01-08" },
    });
    const report = completionReport({ assessment, target: null, before: null });
    expect(report.total.after).toMatchObject({ expected: 2, complete: 2 });
    expect(report.seasons).toHaveLength(1);
    expect(report.converged).toBe(true);
  });
});

describe("what was before", () => {
  const total = (before: ReportBefore | null) =>
    completionReport({ assessment: assessed(scene), target: null, before }).total.before;

  test("is the state at the first cycle, with what it found then", () => {
    const events = [
      opened("raw", "2024-01-03", firstCycle),
      opened("raw", "2024-01-02", firstCycle),
      opened("features", "2024-01-08", firstCycle),
      closed("raw", "2024-01-02", "2024-01-09T13:00Z"),
    ];
    expect(total(ledger(events))).toMatchObject({ gaps: 3, complete: 7, pending: 6 });
  });

  test("follows from what happened first after an instant", () => {
    const events = [
      opened("raw", "2024-01-01", "2024-01-09T13:00Z", { wasComplete: true }),
      closed("raw", "2024-01-01", "2024-01-09T14:00Z"),
      closed("raw", "2024-01-02", "2024-01-09T14:00Z"),
      opened("raw", "2024-01-03", "2024-01-09T15:00Z", { wasComplete: true }),
    ];
    // Dates after the 8th were not due then: they count as pending, whatever they are now.
    expect(total(ledger(events))).toMatchObject({ gaps: 2, complete: 8, pending: 6 });
  });

  test("takes a gap that was opened and closed earlier for closed", () => {
    const events = [
      opened("raw", "2024-01-02", firstCycle),
      closed("raw", "2024-01-02", "2024-01-09T13:00Z"),
    ];
    expect(total(ledger(events, "2024-01-10T00:00Z"))?.gaps).toBe(2);
    expect(total(ledger(events))?.gaps).toBe(3);
  });

  test("reaches back to the first cycle at most", () => {
    const report = completionReport({
      assessment: assessed(scene),
      target: null,
      before: ledger([], "2020-01-01T00:00Z"),
    });
    expect(report.before_as_of).toBe("2024-01-09T12:00:00Z");
    expect(beforeFromLedger({ cycles: [], gapEvents: [] }, null, 10)).toBeNull();
  });

  test("says that it may miss something where the ledger told no more than it tells at once", () => {
    const activity = { cycles: [cycle(firstCycle)], gapEvents: [opened("raw", "2024-01-03", firstCycle)] };
    expect(beforeFromLedger(activity, null, 1)).toMatchObject({ isPartial: true });
    expect(beforeFromLedger(activity, null, 2)).toMatchObject({ isPartial: false });
  });

  test("may be another assessment", () => {
    const past = assessed({ ...scene, seen: {} });
    // Of 24 cells two are exempt: the first date of each season.
    expect(total({ kind: "assessment", assessment: past })).toMatchObject({ complete: 0, gaps: 22 });
  });
});
