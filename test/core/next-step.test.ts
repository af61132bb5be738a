import { expect, test } from "vitest";
import type { LedgerRecords } from "../../src/core/ledger-records.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { describeNext } from "../../src/core/next-step.ts";
import { attempt, decision } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed } from "../support/sight.ts";

/** What is next for the last of four dates of `a`, which is chronological and has no row. */
function nextOfLast(ledger: Partial<LedgerRecords>): string | undefined {
  const assessment = assessed({
    processors: { a: { chronological: true } },
    schedules: [tableSchedule()],
    dates: { default: "aaaa" },
    now: "2024-01-09T12:00Z",
    ledger,
  });
  const [a] = assessment.grid.pipeline.processors;
  return a === undefined ? undefined : describeNext(assessment, a, 3).text;
}

test("behind a date that was given up nothing is awaited: it is said what stops the chain, and what lets it go on", () => {
  const attempts = [1, 2, 3].map((hour) => attempt("a", "2024-01-02", `2024-01-08T0${hour}:00Z`));
  expect(nextOfLast({ attempts })).toBe(
    "nothing repairs it: a 2024-01-02 was given up, and on_poison: stop holds up all later dates of its season; mend or waive that date, or set on_poison: continue",
  );
});

test("behind a date that only waits the chain goes on by itself", () => {
  const decisions = [decision("pause", { start: "2024-01-02", end: "2024-01-02" })];
  expect(nextOfLast({ decisions })).toBe("it waits for a 2024-01-02");
});

test("data that came though it was waived makes the waiver pointless, until it has expired", () => {
  const toldWith = (expires: string) => {
    const waived = decision("waive", { processors: ["a"], start: "2024-01-01", end: "2024-01-04" });
    const waiver = { owner: "ann", expires: parseIsoDate(expires), downstream: "exempt" } as const;
    const assessment = assessed({
      processors: { a: {} },
      seen: { a: "#..." },
      now: "2024-01-09T12:00Z",
      ledger: { decisions: [{ ...waived, reason: "never scraped", waiver }] },
    });
    const [a] = assessment.grid.pipeline.processors;
    return a === undefined ? [] : [0, 1].map((position) => describeNext(assessment, a, position).text);
  };
  expect(toldWith("2024-01-09")).toEqual([
    "nothing: it meets its expectation, so that the waiver of ann by a decision is pointless for it",
    "nothing: waived by ann (never scraped), until 2024-01-09",
  ]);
  expect(toldWith("2024-01-08")[0]).toBe("nothing: it meets its expectation");
});
