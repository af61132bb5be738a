import { describe, expect, test } from "vitest";
import { burnDown, renderBurnDown } from "../../../src/http/page/burn-down.ts";
import type { EndedRepair } from "../../../src/reconcile/ports/live-view.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { instant } from "../../support/ledger.ts";
import { liveViewOf } from "../../support/live-view.ts";

const now = "2024-01-09T12:00Z";
const scene = { processors: { raw: {} }, seen: { raw: "##..####" }, now };

function ended(at: string, outcomes: readonly EndedRepair["outcome"][]): EndedRepair {
  return {
    repairId: at,
    repair: "raw",
    processors: ["raw"],
    dates: [parseIsoDate("2024-01-02")],
    attempt: 1,
    startedAt: instant(at) - 1000,
    endedAt: instant(at),
    outcome: outcomes[0] ?? "failed",
    systemic: null,
    errorCode: null,
    message: null,
    cells: outcomes.map((outcome) => ({
      processor: "raw",
      date: parseIsoDate("2024-01-02"),
      outcome,
      rowsBefore: 0,
      rowsAfter: 1,
    })),
  };
}

describe("the curve of gaps", () => {
  test("goes through the cycles on record, the repairs since the last of them, and now", () => {
    const { view } = liveViewOf(scene, {
      history: [
        { at: instant("2024-01-08T00:00Z"), gaps: 9, unknown: 0, converged: false },
        { at: instant("2024-01-09T10:00Z"), gaps: 5, unknown: 0, converged: false },
      ],
      ended: [
        ended("2024-01-09T11:30Z", ["failed"]),
        ended("2024-01-09T11:00Z", ["repaired", "repaired", "ineffective"]),
        ended("2024-01-09T10:30Z", ["repaired"]),
        ended("2024-01-09T09:00Z", ["repaired"]),
      ],
    });
    expect(burnDown(view)).toEqual([
      { at: instant("2024-01-08T00:00Z"), gaps: 9 },
      { at: instant("2024-01-09T10:00Z"), gaps: 5 },
      { at: instant("2024-01-09T10:30Z"), gaps: 4 },
      { at: instant("2024-01-09T11:00Z"), gaps: 2 },
      { at: instant("2024-01-09T11:30Z"), gaps: 2 },
      { at: instant(now), gaps: 2 },
    ]);
  });

  test("is told in words too", () => {
    const { view } = liveViewOf(scene, {
      history: [{ at: instant("2024-01-08T00:00Z"), gaps: 9, unknown: 0, converged: false }],
    });
    expect(renderBurnDown(view).toString()).toContain(
      'aria-label="From 9 gaps at 2024-01-08T00:00:00Z to 2 at 2024-01-09T12:00:00Z; at most 9."',
    );
  });

  test("keeps its ends however many cycles there were", () => {
    const history = Array.from({ length: 2_000 }, (_, index) => ({
      at: instant("2024-01-02T12:00Z") + index * 300_000,
      gaps: 2_000 - index,
      unknown: 0,
      converged: false,
    }));
    const points = burnDown(liveViewOf(scene, { history }).view);
    expect(points).toHaveLength(400);
    expect([points[0]?.gaps, points.at(-1)?.gaps]).toEqual([2_000, 2]);
  });

  test("is left out where nothing was looked at or recorded yet", () => {
    expect(burnDown(liveViewOf(scene, { sight: null }).view)).toEqual([]);
    expect(renderBurnDown(liveViewOf(scene).view).toString()).toContain("There is no history yet");
  });
});
