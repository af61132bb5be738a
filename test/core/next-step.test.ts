import { expect, test } from "vitest";
import type { LedgerRecords } from "../../src/core/ledger-records.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { describeNext } from "../../src/core/next-step.ts";
import type { RepairUnit } from "../../src/core/pipeline.ts";
import { attempt, decision, runEnd } from "../support/ledger.ts";
import { hourMs, tableSchedule } from "../support/pipeline.ts";
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

test("what is next for a quarantined date depends on what its attempts did", () => {
  const next = (
    outcomes: readonly Partial<Parameters<typeof attempt>[3] & object>[],
    probe: RepairUnit["probe"] = { afterMs: 6 * hourMs, max: 5 },
  ) => {
    const attempts = outcomes.map((more, index) =>
      attempt("a", "2024-01-01", `2024-01-08T0${index}:00Z`, more),
    );
    const recentEnds = attempts.map(({ endedAt, repairId }, index) =>
      runEnd("a", endedAt, { repairId, errorCode: `exit_${index}`, message: "no route" }),
    );
    const assessment = assessed({
      processors: { a: { repair: { maxAttempts: 3, probe } } },
      seen: { a: "." },
      now: "2024-01-08T04:00Z",
      ledger: { attempts, recentEnds },
    });
    const [a] = assessment.grid.pipeline.processors;
    return a === undefined ? null : describeNext(assessment, a, 0);
  };
  const empty = { outcome: "ineffective", rowsAfter: 0 } as const;
  const short = { outcome: "ineffective", rowsAfter: 3 } as const;
  const failed = { outcome: "failed" } as const;
  const after =
    ". Nothing more is tried until its inputs, its repair or its expectation change, or a person says: reconcile retry --processor a --start-date 2024-01-01 --end-date 2024-01-01";
  expect(next([empty, empty, empty])).toEqual({
    text: `its repair ended well and wrote no rows 3 times: the data may be late (it is probed again at 2024-01-08T08:00:00Z, 5 of 5 left), or there is nothing to write on this date: see rows.min: 0, completion_log, or reconcile waive${after}`,
    at: Date.parse("2024-01-08T08:00:00Z"),
  });
  expect(next([empty, empty, empty], null)).toEqual({
    text: `its repair ended well and wrote no rows 3 times: the data may be late, or there is nothing to write on this date: see rows.min: 0, completion_log, or reconcile waive${after}`,
    at: null,
  });
  expect(next([short, short, short], null)?.text).toBe(
    `its repair ended well and left too few rows, or wrong ones, 3 times: its source may be incomplete yet, or the expectation asks for too much${after}`,
  );
  expect(next([empty, failed, failed], null)?.text).toBe(
    `its repair ended well and wrote no rows once, and failed 2 times (exit_2: no route)${after}`,
  );
  expect(next([failed, failed, failed, failed], { afterMs: 1, max: 1 })?.text).toBe(
    `its repair failed 4 times (exit_3: no route); its probe is used up${after}`,
  );
  expect(next([empty, empty, empty], { afterMs: hourMs, max: 2 })?.text).toBe(
    "it is quarantined and probed now, 2 of 2 probes left: its repair ended well and wrote no rows 3 times: the data may be late, or there is nothing to write on this date: see rows.min: 0, completion_log, or reconcile waive",
  );
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
