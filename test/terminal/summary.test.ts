import { describe, expect, test } from "vitest";
import type { RepairEnd } from "../../src/core/ledger-records.ts";
import { renderSummary } from "../../src/terminal/summary.ts";
import { attempt, decision, runEnd } from "../support/ledger.ts";
import { runHistoryOf } from "../support/pipeline.ts";
import type { Scene } from "../support/sight.ts";
import { documentOf } from "./documents.ts";
import { golden, hasEscapes, widest } from "./lines.ts";

const plain = { columns: 80, color: false };

const usedUp = ["05", "06", "07"].map((hour) => attempt("context", "2024-01-03", `2024-01-09T${hour}:00Z`));

const stuck: Scene = {
  processors: { context: {}, features: { needs: ["context"] }, predictions: { needs: ["features"] } },
  seen: { context: "##.#####", features: "##.#####", predictions: "##.#####" },
  ledger: { attempts: usedUp },
};

function end(outcome: RepairEnd["outcome"], message: string | null): RepairEnd {
  return {
    ...runEnd("context", "2024-01-09T05:00Z", {
      outcome,
      message,
      errorCode: message === null ? null : "exit_1",
    }),
    logTail: null,
    cells: [attempt("context", "2024-01-03", "2024-01-09T05:00Z", { outcome })],
  };
}

describe("a summary", () => {
  test("is one line when all is well", () => {
    const document = documentOf({
      processors: { orders: {} },
      seen: { orders: "####" },
      selection: { end: "2024-01-04" },
    });
    expect(renderSummary(document, { columns: 100, color: false })).toBe(
      "converged  test: 4 complete cells, 2024-01-01 to 2024-01-04, as of 2024-01-05T12:00:00Z\n",
    );
  });

  test("adds a line for what is exempt, pending, stale or unexpected, and no more", () => {
    const document = documentOf(
      { processors: { orders: { bootstrapDays: 2 } }, seen: { orders: "..##" } },
      { target: "local" },
    );
    expect(renderSummary(document, { columns: 120, color: false })).toBe(
      golden(`
converged  test (local): 2 complete cells, 2024-01-01 to 2024-01-05, as of 2024-01-05T12:00:00Z
  exempt: 2 in the first days of the season; 1 not due yet
`),
    );
  });

  test("names rows that stand in no cell, a line for each kind", () => {
    const document = documentOf({
      processors: { orders: {}, refunds: {} },
      seen: { orders: "####", refunds: "####" },
      outside: {
        orders: { withoutDate: 2, before: 1, after: 1_200 },
        refunds: { withoutDate: null, before: null, after: 0 },
      },
      selection: { end: "2024-01-04" },
    });
    expect(document.stray_rows).toEqual([
      { processor: "orders", without_date: 2, after_today: 1200, before_schedule: 1 },
    ]);
    expect(renderSummary(document, plain)).toContain(
      golden(`
rows in no cell
  orders: 2 rows without a date
  orders: 1,200 rows dated after today
  orders: 1 row dated before the schedule begins
`),
    );
  });

  test("names runs elsewhere that never ended, once for each processor, and says that the run history could not be read", () => {
    const run = (name: string, date: string, started: string, id?: string) => ({
      name,
      date,
      started,
      ...(id === undefined ? {} : { id }),
    });
    const scene: Scene = {
      processors: { orders: {}, revenue: {} },
      seen: { orders: "####", revenue: "####" },
      selection: { end: "2024-01-04" },
      runHistory: runHistoryOf(),
    };
    const history = [
      run("orders", "2024-01-03", "2024-01-05T07:30Z", "r7"),
      run("revenue", "2024-01-04", "2024-01-05T07:00Z"),
      run("orders", "2024-01-02", "2024-01-05T06:00Z", "r6"),
    ];
    const told = renderSummary(documentOf({ ...scene, history }), { columns: 200, color: false });
    expect(told.split("\n").slice(1)).toEqual([
      "",
      "run history",
      "  orders 2024-01-02 to 2024-01-03 (2 dates): 2 runs are said to be running, the first since 2024-01-05T06:00:00Z; they are taken for dead and ignored",
      "  revenue 2024-01-04: a run is said to be running since 2024-01-05T07:00:00Z; it is taken for dead and ignored",
      "",
    ]);
    const unread = documentOf({ ...scene, history: "there is no table ops.runs" });
    expect(renderSummary(unread, { columns: 200, color: false })).toContain(
      "\nrun history\n  it could not be read, so that runs elsewhere may be unknown and be doubled: not found: there is no table ops.runs\n",
    );
  });

  test("collapses what waits into what it waits for, and says what to do", () => {
    expect(renderSummary(documentOf(stuck), plain)).toBe(
      golden(`
not converged  test: 2024-01-01 to 2024-01-09, as of 2024-01-09T12:00:00Z
  3 gaps: 1 quarantined, 2 blocked; 21 complete
  3 not due yet

causes
  ✗ context 2024-01-03 missing, quarantined: all 3 attempts are used up; 2 cells
    wait for it

next
  reconcile explain context 2024-01-03
      why its repair does not work, with the log of each attempt
  reconcile retry --processor context   once that is mended: new attempts
`),
    );
  });

  test("advises commands that mean the same pipeline", () => {
    const told = renderSummary(documentOf(stuck), { ...plain, pipelineFlags: " --target prod" });
    expect(told).toContain("  reconcile explain context 2024-01-03 --target prod\n");
  });

  test("puts what waits for a person before what is repaired by itself", () => {
    const document = documentOf({
      ...stuck,
      seen: { context: "##.##...", features: "##.#####", predictions: "########" },
      ledger: {
        attempts: usedUp,
        decisions: [decision("pause", { processors: ["context"], start: "2024-01-06", end: "2024-01-06" })],
      },
    });
    const causes = renderSummary(document, { columns: 200, color: false }).split("causes\n")[1];
    expect(causes).toContain(
      golden(`
  ✗ context 2024-01-03 missing, quarantined: all 3 attempts are used up; 1 cell waits for it
  ✗ context 2024-01-06 missing, held: paused by a person
  ✗ context 2024-01-07 to 2024-01-08 (2 dates) missing, ready
`),
    );
  });

  test("tells a table that could not be observed once, with what the warehouse said", () => {
    const document = documentOf({
      processors: { orders: {}, revenue: {} },
      seen: { orders: null, revenue: "####" },
    });
    const text = renderSummary(document, plain);
    expect(text).toContain("5 cells could not be observed; 4 complete");
    expect(text).toContain("could not be observed\n  ? orders: permission: denied (5 cells)\n");
    expect(text).toContain("reconcile validate --connect");
  });

  test("says of a cause that is no gap of the selection why it is none", () => {
    const document = documentOf({
      processors: { orders: {}, revenue: { needs: ["orders"] } },
      seen: { orders: null, revenue: "##.#" },
      selection: { processors: ["revenue"] },
    });
    expect(renderSummary(document, plain)).toContain(
      golden(`
causes
    1 cell waits for orders 2024-01-03, not due yet, or outside of what was
    selected
`),
    );
    const whole = documentOf({
      processors: { orders: {}, revenue: { needs: ["orders"] } },
      seen: { orders: null, revenue: "##.#" },
    });
    expect(renderSummary(whole, plain)).toContain(
      "1 cell waits for orders 2024-01-03, which could not be observed",
    );
  });

  test("counts repairs by outcome and tells each failure once, without its escape sequences", () => {
    const failed = end("failed", "python \u001b[31mended\u001b[0m\nwith exit code 1");
    const document = documentOf(stuck, { repairs: [failed, failed, end("repaired", null)] });
    expect(renderSummary(document, plain)).toContain(
      golden(`
repairs: 3 runs, cells 2 failed, 1 repaired
  2 × context  failed: exit_1: python ended with exit code 1
`),
    );
  });

  test("names a breaker with its reason", () => {
    const recentEnds = Array.from({ length: 5 }, (_, index) =>
      runEnd("orders", `2024-01-05T11:5${index}Z`, { systemic: "authentication", message: "bad password" }),
    );
    const document = documentOf({
      processors: { orders: {} },
      seen: { orders: "##.#" },
      ledger: { recentEnds },
    });
    const text = renderSummary(document, plain);
    expect(text).toContain("stopped by a safety\n  circuit of orders: open");
    expect(text).toContain("reconcile release --processor orders");
  });

  test("shows at most ten causes and says how many more there are", () => {
    const processors = Object.fromEntries(
      Array.from({ length: 14 }, (_, index) => [`p${index}`, { repair: null }]),
    );
    const text = renderSummary(
      documentOf({ processors, now: "2024-01-02T12:00Z", selection: { end: "2024-01-01" } }),
      plain,
    );
    expect(text.match(/unrepairable: no repair is configured/g)).toHaveLength(10);
    expect(text).toContain("  … and 4 more; --format json lists every gap\n");
  });

  test("calls a range converged in which only processors of severity info have gaps, and still shows these", () => {
    const document = documentOf({
      processors: { extra: { severity: "info", repair: null } },
      seen: { extra: "##.#" },
    });
    const text = renderSummary(document, plain);
    expect(text).toMatch(/^converged /);
    expect(text).toContain("extra 2024-01-03 missing");
  });

  test.each([40, 80, 120])(
    "wraps everything but commands at %d columns, and has no escapes without colours",
    (columns) => {
      const text = renderSummary(documentOf(stuck), { columns, color: false });
      expect(hasEscapes(text)).toBe(false);
      const prose = text.split("\n").filter((line) => !line.includes("reconcile "));
      expect(widest(prose.join("\n"))).toBeLessThanOrEqual(columns);
      expect(hasEscapes(renderSummary(documentOf(stuck), { columns, color: true }))).toBe(true);
    },
  );
});
