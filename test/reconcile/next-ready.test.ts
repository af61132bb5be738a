import { expect, test } from "vitest";
import { nextReadyAt } from "../../src/reconcile/next-ready.ts";
import { attempt, instant } from "../support/ledger.ts";
import { hourMs } from "../support/pipeline.ts";
import { assessed } from "../support/sight.ts";

/** Two dates without rows: one was tried once, the other three times. */
function scene(after: "2024-01-05T12:00:10Z" | "2024-01-05T12:30Z") {
  return assessed({
    processors: { a: { repair: { probe: { afterMs: hourMs, max: 1 } } } },
    seen: { a: "#..." },
    now: after,
    ledger: {
      attempts: [
        ...["09", "10", "11"].map((hour) => attempt("a", "2024-01-02", `2024-01-05T${hour}:50Z`)),
        attempt("a", "2024-01-03", "2024-01-05T12:00Z"),
      ],
    },
  });
}

test("a daemon wakes up for the end of a backoff, then for a probe; a run that ends waits for no probe", () => {
  const [backingOff, waiting] = [scene("2024-01-05T12:00:10Z"), scene("2024-01-05T12:30Z")];
  const at = (assessment: typeof waiting, awaitsProbes: boolean) =>
    nextReadyAt(assessment, { elsewhereAt: null, awaitsProbes });
  expect(at(backingOff, true)).toBe(instant("2024-01-05T12:00:30Z"));
  expect(at(waiting, true)).toBe(instant("2024-01-05T12:50Z"));
  expect(at(waiting, false)).toBeNull();
  expect(nextReadyAt(waiting, { elsewhereAt: 7, awaitsProbes: true })).toBe(7);
});
