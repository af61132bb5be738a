import { describe, expect, test } from "vitest";
import { type DecisionRequest, decisionOf, previewDecision } from "../../src/core/decide.ts";
import { foldDecisions } from "../../src/core/decisions.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import type { DecisionKind } from "../../src/core/ledger-records.ts";
import { attempt, baseline, decision, instant, runEnd } from "../support/ledger.ts";
import { hourMs, pipelineOf, runHistoryOf } from "../support/pipeline.ts";
import { assessed, cellAt, type Scene } from "../support/sight.ts";

interface Sketch {
  readonly processors?: readonly string[] | null;
  readonly start?: string;
  readonly end?: string;
  readonly waiver?: Partial<NonNullable<DecisionRequest["waiver"]>> | null;
}

function request(kind: DecisionKind, sketch: Sketch = {}): DecisionRequest {
  const waiver = { owner: "ann", expires: null, downstream: "exempt" as const, ...sketch.waiver };
  return {
    kind,
    processors: sketch.processors ?? null,
    startDate: sketch.start === undefined ? null : parseIsoDate(sketch.start),
    endDate: sketch.end === undefined ? null : parseIsoDate(sketch.end),
    actor: "ann",
    reason: "because",
    waiver: kind === "waive" && sketch.waiver !== null ? waiver : null,
  };
}

const usedUp = ["05", "06", "07"].map((hour) => attempt("orders", "2024-01-03", `2024-01-06T${hour}:00Z`));
const shop: Scene = {
  processors: { orders: {}, revenue: { needs: ["orders"] } },
  seen: { orders: "##.#.", revenue: "##.##" },
  ledger: { attempts: usedUp },
};

function preview(kind: DecisionKind, sketch: Sketch = {}, scene: Scene = shop) {
  return previewDecision(assessed(scene), request(kind, sketch));
}

describe("what a decision would do", () => {
  test("retry touches the gaps whose attempts count", () => {
    const found = preview("retry", { processors: ["orders"] });
    expect(found.touched).toEqual([{ processor: "orders", dates: ["2024-01-03"], detail: null }]);
    expect(found.effect).toContain("no longer count");
  });

  test("retry of a cell that backs off counts too", () => {
    const scene: Scene = {
      ...shop,
      ledger: { attempts: [attempt("orders", "2024-01-05", "2024-01-06T11:59:50Z")] },
    };
    expect(preview("retry", {}, scene).touched).toEqual([
      { processor: "orders", dates: ["2024-01-05"], detail: null },
    ]);
  });

  test("waive covers every scheduled date of the range, and says what it hides and what not", () => {
    const found = preview("waive", {
      processors: ["orders"],
      start: "2024-01-02",
      end: "2024-02-15",
      waiver: { downstream: "proceed" },
    });
    expect(found.touched[0]?.dates).toEqual([
      "2024-01-02",
      "2024-01-03",
      "2024-01-04",
      "2024-01-05",
      "2024-01-06",
    ]);
    expect(found.effect).toContain("runs on what there is");
    expect(found.notes).toEqual([
      "2 of them are gaps now",
      "2 of them are complete and stay so: a waiver hides no data",
      "dates after 2024-01-06 are covered too, once they are scheduled",
    ]);
  });

  test("unwaive takes back what a command waived, and says what the config keeps waived", () => {
    const waived = decision("waive", { processors: ["orders"], start: "2024-01-03", end: "2024-01-03" });
    const scene: Scene = {
      ...shop,
      ledger: { decisions: [waived] },
      waivers: [
        {
          id: "w",
          processors: ["orders"],
          start: parseIsoDate("2024-01-05"),
          end: parseIsoDate("2024-01-05"),
          reason: "r",
          owner: "o",
          expires: null,
          downstream: "exempt",
          source: "config",
        },
      ],
    };
    const found = preview("unwaive", { processors: ["orders"] }, scene);
    expect(found.touched).toEqual([{ processor: "orders", dates: ["2024-01-03"], detail: null }]);
    expect(found.notes).toEqual(["orders stays waived where the config says so"]);
    expect(() => preview("unwaive", { start: "2024-01-05" }, scene)).toThrow(/nothing to unwaive/);
  });

  test("pause touches what is not paused yet, resume what is", () => {
    const paused = decision("pause", { processors: ["orders"], start: "2024-01-03", end: "2024-01-04" });
    const scene: Scene = { ...shop, ledger: { decisions: [paused] } };
    expect(preview("resume", {}, scene).touched).toEqual([
      { processor: "orders", dates: ["2024-01-03", "2024-01-04"], detail: null },
    ]);
    expect(
      preview("pause", { processors: ["orders"], start: "2024-01-02" }, scene).touched[0]?.dates,
    ).toEqual(["2024-01-02", "2024-01-05", "2024-01-06"]);
    expect(() =>
      preview("pause", { processors: ["orders"], start: "2024-01-03", end: "2024-01-03" }, scene),
    ).toThrow(/nothing to pause/);
  });

  test("release touches the processors of an open circuit and says why it is open", () => {
    const recentEnds = Array.from({ length: 5 }, (_, index) =>
      runEnd("orders", `2024-01-06T11:5${index}Z`, { systemic: "authentication" }),
    );
    const found = preview("release", {}, { ...shop, ledger: { recentEnds } });
    expect(found.touched).toEqual([
      { processor: "orders", dates: [], detail: expect.stringContaining("the circuit of orders is open") },
    ]);
  });

  test("accept touches the processors of a mass gap", () => {
    const scene: Scene = {
      ...shop,
      ledger: { baselines: [baseline("processor", "orders", "2024-01-01..2024-01-05")] },
      safety: {
        autoRepairMaxAgeMs: null,
        massGap: { maxShare: 0.2, cellsMin: 1 },
        scheduleChange: { maxShare: 0.01, datesMin: 3 },
        circuitBreaker: { failures: 5, coolOffMs: 1 },
      },
    };
    const found = preview("accept", { processors: ["orders"] }, scene);
    expect(found.touched[0]?.detail).toContain("2 of 5 cells that were complete became gaps");
  });

  test("retry touches what runs elsewhere, which cancel cannot stop", () => {
    const history = [{ name: "orders", date: "2024-01-03", started: "2024-01-06T11:00Z" }];
    const scene: Scene = {
      ...shop,
      ledger: {},
      runHistory: runHistoryOf({ runningMaxMs: 72 * hourMs }),
      history,
    };
    expect(preview("retry", {}, scene).touched).toEqual([
      { processor: "orders", dates: ["2024-01-03"], detail: null },
    ]);
    expect(() => preview("cancel", {}, scene)).toThrow(/no repair of the selection is running/);
  });

  test("cancel touches what is running", () => {
    const scene: Scene = { ...shop, inFlight: [{ repair: "orders", dates: ["2024-01-03"] }] };
    expect(preview("cancel", {}, scene).touched).toEqual([
      { processor: "orders", dates: ["2024-01-03"], detail: null },
    ]);
  });

  test.each([
    ["retry", { processors: ["revenue"] }, "no gap of the selection"],
    ["unwaive", {}, "no waiver"],
    ["release", {}, "no circuit"],
    ["accept", {}, "nothing speaks against"],
    ["resume", {}, "nothing of the selection is paused"],
    ["cancel", {}, "no repair of the selection is running"],
    ["pause", { start: "2023-01-01", end: "2023-01-31" }, "none of its dates is scheduled"],
    ["waive", { processors: ["orders"], start: "2023-01-01", end: "2023-01-31" }, "no date of the selection"],
  ] as const)("%s refuses a selection of nothing", (kind, sketch, why) => {
    expect(() => preview(kind, sketch)).toThrow(why);
  });

  test("refuses what is incomplete or contradicts itself", () => {
    expect(() => preview("waive", { processors: ["orders"], start: "2024-01-01" })).toThrow(
      "a first and a last date",
    );
    expect(() => preview("waive", { start: "2024-01-01", end: "2024-01-02" })).toThrow("expected processors");
    expect(() => preview("release", { start: "2024-01-01" })).toThrow("found dates");
    expect(() => preview("accept", { end: "2024-01-01" })).toThrow("found dates");
    expect(() => preview("pause", { start: "2024-01-02", end: "2024-01-01" })).toThrow("before it starts");
  });
});

describe("a decision", () => {
  test("does what its preview said", () => {
    const at = instant("2024-01-06T11:00Z");
    const retried = assessed({
      ...shop,
      ledger: {
        attempts: usedUp,
        decisions: [decisionOf(request("retry", { processors: ["orders"] }), at, "d1")],
      },
    });
    expect(cellAt(assessed(shop), "orders", "2024-01-03").disposition).toBe("quarantined");
    expect(cellAt(retried, "orders", "2024-01-03").disposition).toBe("ready");
    const waived = decisionOf(
      request("waive", { processors: ["orders"], start: "2024-01-03", end: "2024-01-03" }),
      at,
      "d2",
    );
    expect(
      cellAt(assessed({ ...shop, ledger: { decisions: [waived] } }), "orders", "2024-01-03"),
    ).toMatchObject({
      state: "exempt",
      reason: "waived",
    });
  });

  test("keeps who, when, why and which", () => {
    const made = decisionOf(request("pause", { processors: ["orders"], start: "2024-01-03" }), 42, "d3");
    expect(made).toEqual({
      id: "d3",
      at: 42,
      actor: "ann",
      reason: "because",
      kind: "pause",
      processors: ["orders"],
      startDate: "2024-01-03",
      endDate: null,
      waiver: null,
    });
    const folded = foldDecisions(pipelineOf(shop), [made]);
    expect(folded.pausedBy("orders", toDay(parseIsoDate("2024-01-09")))?.id).toBe("d3");
    expect(folded.pausedBy("orders", toDay(parseIsoDate("2024-01-02")))).toBeNull();
  });
});
