import { describe, expect, test } from "vitest";
import { renderPlan } from "../../src/terminal/plan-table.ts";
import { attempt } from "../support/ledger.ts";
import type { Scene } from "../support/sight.ts";
import { documentOf } from "./documents.ts";
import { golden, hasEscapes, widest } from "./lines.ts";

const plain = { columns: 100, color: false };
const runTimes = [{ repair: "orders", runs: 3, meanSeconds: 200, meanSecondsPerDate: 100 }];

describe("a plan", () => {
  test("has a line per job, in waves, with dates, time and reason", () => {
    const scene: Scene = {
      processors: { orders: {}, revenue: { needs: ["orders"] } },
      seen: { orders: "##..##", revenue: "##..#." },
      ledger: { runTimes },
    };
    expect(renderPlan(documentOf(scene, { withPlan: true }), plain)).toBe(
      golden(`
3 jobs in 2 waves for 5 cells, at least 3 min of run time (test, 2024-01-01 to 2024-01-07)

wave  repair    first       last        dates   time  why
   1  orders    2024-01-03  2024-01-04      2  3 min  2 missing
   1  revenue   2024-01-06  2024-01-06      1      ?  1 missing
   2  revenue   2024-01-03  2024-01-04      2      ?  2 missing
`),
    );
  });

  test("folds many jobs into a line per repair and wave, with sums", () => {
    const scene: Scene = {
      processors: {
        orders: { expect: { rows: { min: 5 } }, repair: { batch: "single", maxDatesPerJob: 1 } },
        revenue: { needs: ["orders"], repair: { batch: "single", maxDatesPerJob: 1 } },
      },
      seen: { orders: `${".".repeat(30)}${"1".repeat(20)}#`, revenue: `${".".repeat(50)}#` },
      ledger: { runTimes },
    };
    expect(renderPlan(documentOf(scene, { withPlan: true }), plain)).toBe(
      golden(`
100 jobs in 2 waves for 100 cells, at least 1 h 23 min of run time (test, 2024-01-01 to 2024-02-21)

wave  repair    first       last        dates        time  why                     jobs
   1  orders    2024-01-01  2024-02-19     50  1 h 23 min  20 partial, 30 missing    50
   2  revenue   2024-01-01  2024-02-19     50           ?  50 missing                50
a line is all jobs of a repair in a wave; --format json lists each
`),
    );
  });

  test("never has more than 40 lines of jobs", () => {
    const processors = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`p${index}`, {}]));
    const scene: Scene = { processors, now: "2024-01-02T12:00Z", selection: { end: "2024-01-01" } };
    const text = renderPlan(documentOf(scene, { withPlan: true }), plain);
    expect(text.match(/1 missing/g)).toHaveLength(40);
    expect(text).toContain("… and 20 more; --format json lists every job\n");
  });

  test("says what is not planned, and why", () => {
    const attempts = ["05", "06", "07"].map((hour) =>
      attempt("orders", "2024-01-03", `2024-01-06T${hour}:00Z`),
    );
    const scene: Scene = {
      processors: { orders: {}, revenue: { needs: ["orders"] } },
      seen: { orders: "##.##", revenue: "##.##" },
      ledger: { attempts },
    };
    expect(renderPlan(documentOf(scene, { withPlan: true }), plain)).toBe(
      golden(`
nothing to run: 2 gaps, none of them can be repaired now (test, 2024-01-01 to 2024-01-06)

not planned: 2 gaps (1 quarantined, 1 blocked); reconcile explain orders 2024-01-03
`),
    );
  });

  test("is one line when there is nothing to do", () => {
    const document = documentOf({ processors: { orders: {} }, seen: { orders: "####" } }, { withPlan: true });
    expect(renderPlan(document, plain)).toBe("nothing to run: no gap (test, 2024-01-01 to 2024-01-05)\n");
  });

  test.each([80, 120])(
    "fits into %d columns with a long name, without escapes where there are no colours",
    (columns) => {
      const name = "a_processor_with_a_name_that_is_as_long_as_the_terminal_is_wide_or_even_more";
      const document = documentOf(
        { processors: { [name]: {} }, seen: { [name]: "#.#" } },
        { withPlan: true },
      );
      const text = renderPlan(document, { columns, color: false });
      expect(widest(text)).toBeLessThanOrEqual(columns);
      expect(text).toContain("1 missing");
      expect(hasEscapes(text)).toBe(false);
      expect(hasEscapes(renderPlan(document, { columns, color: true }))).toBe(true);
    },
  );
});
