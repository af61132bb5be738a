import { describe, expect, test } from "vitest";
import type { CycleRecord, RepairEnd } from "../../src/core/ledger-records.ts";
import type { LedgerActivity } from "../../src/reconcile/ports.ts";
import { activityDocument, renderActivity } from "../../src/terminal/activity.ts";
import { closed, decision, opened, runEnd } from "../support/ledger.ts";
import { golden, hasEscapes } from "./lines.ts";

const nothing: LedgerActivity = { gapEvents: [], ends: [], decisions: [], cycles: [] };

function end(repair: string, outcome: RepairEnd["outcome"]): RepairEnd {
  return { ...runEnd(repair, "2024-01-05T05:00Z", { outcome }), logTail: null, cells: [] };
}

function cycle(converged: boolean, accepted: boolean): CycleRecord {
  return {
    cycleId: "c",
    startedAt: 0,
    finishedAt: 0,
    converged,
    accepted,
    gaps: 0,
    unknown: 0,
    enqueued: 0,
    scanBytes: 0,
  };
}

const busy: LedgerActivity = {
  gapEvents: [
    opened("orders", "2024-01-03", "2024-01-05T01:00Z"),
    closed("orders", "2024-01-03", "2024-01-05T02:00Z"),
    opened("orders", "2024-01-03", "2024-01-05T03:00Z"),
    opened("revenue", "2024-01-03", "2024-01-05T03:00Z", { wasComplete: true }),
  ],
  ends: [end("orders", "repaired"), end("orders", "repaired"), end("revenue", "timed_out")],
  decisions: [
    decision("pause", {
      processors: ["orders"],
      start: "2024-01-03",
      end: "2024-01-03",
      at: "2024-01-05T04:00Z",
    }),
    decision("release", { at: "2024-01-05T05:00Z" }),
  ],
  cycles: [cycle(false, true), cycle(true, true), cycle(false, false)],
};

describe("activity", () => {
  test("says what opened, closed, broke again, was repaired and was decided by whom", () => {
    expect(renderActivity(busy, { columns: 100, color: false })).toBe(
      golden(`
since then  3 cycles, 1 converged, 1 not accepted
gaps  3 opened (2 of them again, after they had been complete), 1 closed
  orders: 2 opened (1 of them again, after they had been complete), 1 closed
  revenue: 1 opened (1 of them again, after they had been complete), 0 closed
repairs  2 repaired, 1 timed out
  revenue: 1 timed out
decisions  2
  2024-01-05T04:00:00Z ann pause orders 2024-01-03: because
  2024-01-05T05:00:00Z ann release every processor: because
`),
    );
  });

  test("says so where nothing happened", () => {
    expect(renderActivity(nothing, { columns: 80, color: false })).toBe(
      "since then  0 cycles, 0 converged\ngaps  0 opened, 0 closed\nrepairs  none\ndecisions  none\n",
    );
  });

  test("is the same for programs", () => {
    expect(activityDocument(busy)).toEqual({
      cycles: { count: 3, converged: 1, not_accepted: 1 },
      gaps: {
        orders: { opened: 2, closed: 1, reopened: 1 },
        revenue: { opened: 1, closed: 0, reopened: 1 },
      },
      repairs: { orders: { repaired: 2 }, revenue: { timed_out: 1 } },
      decisions: [
        {
          id: "pause-1",
          at: "2024-01-05T04:00:00Z",
          actor: "ann",
          kind: "pause",
          reason: "because",
          processors: ["orders"],
          start_date: "2024-01-03",
          end_date: "2024-01-03",
          waiver: null,
        },
        expect.objectContaining({ kind: "release", processors: null, start_date: null }),
      ],
    });
  });

  test("a reason cannot drive the terminal, and there are escapes only with colours", () => {
    const decisions = [{ ...decision("pause"), reason: "\u001b[2Jgone\nfor ever" }];
    const text = renderActivity({ ...nothing, decisions }, { columns: 100, color: false });
    expect(text).toContain("pause every processor: gone for ever\n");
    expect(hasEscapes(text)).toBe(false);
    expect(hasEscapes(renderActivity(nothing, { columns: 100, color: true }))).toBe(true);
  });
});
