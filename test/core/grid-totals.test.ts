import { expect, test } from "vitest";
import { gridTotals } from "../../src/core/grid-totals.ts";
import { formatInstant } from "../../src/core/wall-clock.ts";
import { attempt, opened } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";

function totalsOf(scene: Partial<Scene> & Pick<Scene, "processors">) {
  return gridTotals(assessed({ schedules: [tableSchedule()], dates: { default: "aaaaaa" }, ...scene }));
}

test("gaps are counted by disposition and exempt cells by reason, each cell once", () => {
  const [a, b] = totalsOf({
    processors: { a: { bootstrapDays: 2 }, b: { needs: ["a"] } },
    seen: { a: "..#..#", b: "######" },
    inFlight: [{ repair: "a", dates: ["2024-01-04"] }],
  });
  expect(a?.states).toMatchObject({ exempt: 2, complete: 2, missing: 2 });
  expect(a?.exempt).toEqual(new Map([["bootstrap", 2]]));
  expect(a?.gaps).toEqual(
    new Map([
      ["running", 1],
      ["ready", 1],
    ]),
  );
  expect(b?.gaps).toEqual(new Map());
});

test("overdue is every gap and every unknown cell that is due, and what is pending is not", () => {
  const [a] = totalsOf({
    processors: { a: { due: { daysAfter: 2, minuteOfDay: 0 } } },
    seen: { a: "#.##??" },
    now: "2024-01-07T12:00Z",
  });
  // Dates up to the 5th are due: one is missing, one unknown; that of the 6th is unknown and not due.
  expect(a?.states).toMatchObject({ missing: 1, unknown: 2 });
  expect(a?.overdue).toBe(2);
});

test("the oldest gap is that which has been open longest on record, and the earliest date is told apart", () => {
  const [a, b] = totalsOf({
    processors: { a: {}, b: {} },
    seen: { a: "#.#.##", b: "######" },
    ledger: {
      gapEvents: [
        opened("a", "2024-01-02", "2024-01-06T09:00Z"),
        opened("a", "2024-01-04", "2024-01-05T09:00Z"),
        opened("b", "2024-01-04", "2024-01-05T09:00Z"),
      ],
      attempts: [attempt("b", "2024-01-04", "2024-01-06T09:00Z", { outcome: "repaired" })],
    },
  });
  expect(formatInstant(a?.openSince ?? 0)).toBe("2024-01-05T09:00:00Z");
  expect(formatInstant(a?.dueSince ?? 0)).toBe("2024-01-03T06:00:00Z");
  expect(b).toMatchObject({ openSince: null, dueSince: null });
});

test("only what is selected is counted", () => {
  const totals = totalsOf({
    processors: { a: {}, b: {} },
    selection: { processors: ["b"], start: "2024-01-02", end: "2024-01-03" },
  });
  expect(totals.map(({ processor, overdue }) => [processor.name, overdue])).toEqual([["b", 2]]);
});
