import { describe, expect, test } from "vitest";
import type { CellAttempt, GapEvent } from "../../src/core/ledger-records.ts";
import { batchDatesMax, foldCell, noFacts, type RetryRules } from "../../src/core/retry-policy.ts";
import { attempt as attemptOf, closed as closedAt, instant, opened as openedAt } from "../support/ledger.ts";
import { dayMs, hourMs } from "../support/pipeline.ts";

const rules: RetryRules = {
  maxAttempts: 3,
  backoffMs: [30_000, 60_000, 120_000],
  probe: { afterMs: hourMs, max: 3 },
  repairHash: "r1",
  expectationHash: "e1",
  retriedAt: 0,
};
const minuteMs = 60_000;
const t0 = instant("2024-01-05T00:00Z");

/** All times are minutes after `t0`. */
const attempt = (minute: number, more: Parameters<typeof attemptOf>[3] = {}) =>
  attemptOf("a", "2024-01-01", t0 + minute * minuteMs, more);
const repaired = (minute: number, more: Parameters<typeof attemptOf>[3] = {}) =>
  attempt(minute, { outcome: "repaired", ...more });
const opened = (minute: number, more: Partial<GapEvent> = {}) =>
  openedAt("a", "2024-01-01", t0 + minute * minuteMs, more);
const closed = (minute: number, more: Partial<GapEvent> = {}) =>
  closedAt("a", "2024-01-01", t0 + minute * minuteMs, more);

function fold(
  attempts: readonly CellAttempt[],
  events: readonly GapEvent[],
  minute: number,
  more: Partial<RetryRules> = {},
) {
  return foldCell(attempts, events, { ...rules, ...more }, t0 + minute * minuteMs);
}

const hour = hourMs / minuteMs;
const day = dayMs / minuteMs;

describe("attempts", () => {
  test("a cell without history has no facts", () => {
    expect(fold([], [], 0)).toEqual(noFacts);
  });

  test("each failure is charged and waits longer; the last wait repeats", () => {
    const waits = [1, 2, 3, 4, 5].map((count) => {
      const list = Array.from({ length: count }, (_, index) => attempt(index));
      const facts = fold(list, [], 10, { maxAttempts: 9 });
      expect(facts.charged).toBe(count);
      return (facts.notBefore - (list.at(-1)?.endedAt ?? 0)) / 1000;
    });
    expect(waits).toEqual([30, 60, 120, 120, 120]);
  });

  test("an uncharged failure backs off but costs no attempt", () => {
    const facts = fold([attempt(0, { outcome: "lost_lock", charged: false })], [], 0);
    expect(facts).toMatchObject({ charged: 0, notBefore: t0 + 30_000, quarantine: null });
  });

  test("a skipped run is nothing at all", () => {
    expect(fold([attempt(0, { outcome: "skipped", charged: false })], [], 0)).toEqual(noFacts);
  });

  test("the other side may ask for a longer wait than the backoff", () => {
    const until = t0 + 90 * minuteMs;
    expect(fold([attempt(0, { notBefore: until })], [], 1).notBefore).toBe(until);
    expect(fold([attempt(0, { notBefore: t0 + 1 })], [], 1).notBefore).toBe(t0 + 30_000);
  });
});

describe("quarantine", () => {
  const three = [attempt(0), attempt(1), attempt(2)];

  test("the last attempt that is charged quarantines the cell, not the one before", () => {
    expect(fold(three.slice(0, 2), [], 9).quarantine).toBeNull();
    expect(fold(three, [], 9).quarantine).toEqual({ cause: "attempts_used_up", since: t0 + 2 * minuteMs });
  });

  test("a permanent error and a result that is worse quarantine at once", () => {
    expect(fold([attempt(0, { outcome: "failed_permanently" })], [], 9).quarantine?.cause).toBe(
      "permanent_error",
    );
    expect(fold([attempt(0, { outcome: "ineffective", worse: true })], [], 9).quarantine?.cause).toBe(
      "made_worse",
    );
  });

  test("a retry forgets what ended before it, and counts what comes after", () => {
    const retriedAt = t0 + 5 * minuteMs;
    expect(fold(three, [], 9, { retriedAt })).toMatchObject({ charged: 0, quarantine: null, notBefore: 0 });
    expect(fold([...three, attempt(6)], [], 9, { retriedAt }).charged).toBe(1);
  });

  test.each([
    ["repair", { repairHash: "r2" }],
    ["expectation", { expectationHash: "e2" }],
  ])("a changed %s gives a new chance", (_, change) => {
    expect(fold(three, [], 9, change)).toMatchObject({ charged: 0, quarantine: null, lastBatchDates: 0 });
    const worse = [attempt(0, { worse: true })];
    expect(fold(worse, [], 9, change).quarantine).toBeNull();
  });
});

describe("success", () => {
  const two = [attempt(0), attempt(1)];

  test("clears the attempts before it once it held for an hour", () => {
    const history = [...two, repaired(2)];
    expect(fold(history, [closed(3)], 2 + hour - 1).charged).toBe(2);
    expect(fold(history, [closed(3)], 2 + hour).charged).toBe(0);
  });

  test("clears nothing where the gap re-opened before the hour was over, however late one asks", () => {
    const events = [closed(3), opened(30)];
    expect(fold([...two, repaired(2)], events, 40).charged).toBe(2);
    expect(fold([...two, repaired(2)], events, 40 + day).charged).toBe(2);
  });

  test("clears them where the gap re-opened later", () => {
    const facts = fold([...two, repaired(2)], [closed(3), opened(2 + hour)], 2 + hour);
    expect(facts).toMatchObject({ charged: 0, notBefore: 0, quarantine: null });
  });

  test("of somebody else counts as much as one of ours", () => {
    expect(fold(two, [opened(-1), closed(2)], 2 + hour)).toMatchObject({ charged: 0, openSince: null });
  });

  test("that a failure followed held only until then, though nobody saw the gap open", () => {
    const history = [...two, repaired(2), attempt(20)];
    expect(fold(history, [], 21)).toMatchObject({ charged: 3 });
    expect(fold(history, [], 2 + 5 * hour).charged).toBe(3);
    expect(fold(history, [], 21).openSince).toBe(t0 + 20 * minuteMs - 1000);
  });

  test("is not undone by a failure of a run that had started before it", () => {
    const late = attempt(10, { outcome: "lost_lock", charged: false, startedAt: t0 });
    expect(fold([...two, repaired(2), late], [closed(11)], 2 + hour).charged).toBe(0);
  });

  test("records what the content was made from", () => {
    const facts = fold([repaired(2, { inputs: { up: "1/2/3" } })], [], 3);
    expect(facts).toMatchObject({
      lastInputs: { up: "1/2/3" },
      everComplete: true,
    });
  });
});

describe("openings", () => {
  test("the ledger knows since when a gap is open, and whether the cell was ever complete", () => {
    expect(fold([], [opened(5)], 9)).toMatchObject({
      openSince: t0 + 5 * minuteMs,
      openOnRecord: true,
      everComplete: false,
    });
    expect(fold([], [opened(5, { wasComplete: true })], 9).everComplete).toBe(true);
    expect(fold([], [opened(5), closed(6)], 9)).toMatchObject({
      openSince: null,
      openOnRecord: false,
      everComplete: true,
    });
    expect(fold([], [opened(5), closed(6, { state: "exempt" })], 9).everComplete).toBe(false);
  });

  const twice = [opened(0), closed(10), opened(20), closed(30), opened(40)];

  test("a gap that re-opened three times in seven days is quarantined, the first opening is none", () => {
    expect(fold([], twice, 50).quarantine).toBeNull();
    const thrice = [...twice, closed(50), opened(60)];
    expect(fold([], thrice, 61).quarantine).toEqual({ cause: "reopened", since: t0 + 60 * minuteMs });
  });

  test("re-openings are forgotten after seven days", () => {
    const thrice = [...twice, closed(50), opened(60)];
    expect(fold([], thrice, 20 + 7 * day).quarantine?.cause).toBe("reopened");
    expect(fold([], thrice, 20 + 7 * day + 1).quarantine).toBeNull();
  });

  test("an opening that is written twice, as by two processes, is one", () => {
    const doubled = [opened(0), closed(10), opened(20), opened(20), opened(20), opened(21)];
    expect(fold([], doubled, 50).quarantine).toBeNull();
  });

  test("a repair of a gap that was just repaired is a re-opening, though no cycle saw it", () => {
    const history = [repaired(0), repaired(10), repaired(20), repaired(30)];
    expect(fold(history.slice(0, 3), [], 31).quarantine).toBeNull();
    expect(fold(history, [], 31).quarantine?.cause).toBe("reopened");
  });

  test("a rebuild of what is complete re-opens nothing", () => {
    const rebuilt = [0, 10, 20, 30].map((minute) => repaired(minute, { stateBefore: "complete" }));
    expect(fold(rebuilt, [], 31).quarantine).toBeNull();
  });

  test("re-openings end with a retry, and with a changed repair", () => {
    const thrice = [...twice, closed(50), opened(60)];
    expect(fold([], thrice, 70, { retriedAt: t0 + 65 * minuteMs }).quarantine).toBeNull();
    const history = [repaired(5), repaired(25), repaired(45)];
    expect(fold(history, thrice, 70).quarantine?.cause).toBe("reopened");
    expect(fold(history, thrice, 70, { repairHash: "r2" }).quarantine).toBeNull();
  });
});

describe("probes of a quarantined cell", () => {
  const three = [attempt(0), attempt(1), attempt(2)];
  const spacing = (attempts: readonly CellAttempt[], last: number) =>
    (fold(attempts, [], 99).probeNotBefore - t0) / minuteMs - last;

  test("the first may come at once, each next one after twice as long, at most seven days", () => {
    expect(fold(three, [], 9).probeNotBefore).toBe(0);
    expect(spacing([...three, attempt(10)], 10)).toBe(hour);
    expect(spacing([...three, attempt(10), attempt(20)], 20)).toBe(2 * hour);
    const many = Array.from({ length: 20 }, (_, index) => attempt(10 + index));
    expect(spacing([...three, ...many], 29)).toBe(7 * day);
  });

  test("they are spaced after a permanent error too, though it used up one attempt only", () => {
    const fatal = attempt(0, { outcome: "failed_permanently" });
    expect(fold([fatal], [], 9).probeNotBefore).toBe(0);
    expect(spacing([fatal, attempt(10)], 10)).toBe(hour);
  });

  test("an uncharged one is one of them", () => {
    expect(spacing([...three, attempt(10, { outcome: "lost_lock", charged: false })], 10)).toBe(hour);
  });
});

describe("probes by the clock", () => {
  const three = [attempt(0), attempt(1), attempt(2)];
  const next = (attempts: readonly CellAttempt[], more: Partial<RetryRules> = {}) => {
    const { probes } = fold(attempts, [], 99_999, more);
    return probes === null
      ? null
      : [probes.left, probes.nextAt === null ? null : (probes.nextAt - t0) / minuteMs];
  };

  test("the first comes after `after`, each next one after twice as long, at most `max`", () => {
    expect(next(three)).toEqual([3, 2 + hour]);
    expect(next([...three, attempt(100)])).toEqual([2, 100 + 2 * hour]);
    expect(next([...three, attempt(100), attempt(300)])).toEqual([1, 300 + 4 * hour]);
    expect(next([...three, attempt(100), attempt(300), attempt(700)])).toEqual([0, null]);
    expect(next([...three, attempt(100), attempt(300), attempt(700), attempt(800)])).toEqual([0, null]);
  });

  test("there are none before the attempts are used up, and none where the repair has none", () => {
    expect(next(three.slice(1))).toBeNull();
    expect(next(three, { probe: null })).toBeNull();
  });

  test("attempts that are not charged count as probes, so that their number has an end", () => {
    expect(next([...three, attempt(100, { outcome: "inputs_moved", charged: false })])).toEqual([
      2,
      100 + 2 * hour,
    ]);
  });

  test("nothing is probed after a permanent error, a repair that made it worse, or a third re-opening", () => {
    expect(next([attempt(0), attempt(1, { outcome: "failed_permanently" })])).toBeNull();
    expect(next([...three, attempt(100, { outcome: "failed_permanently" })])).toBeNull();
    expect(next([...three, attempt(100, { worse: true })])).toBeNull();
    const reopening = [0, 1, 2, 3].flatMap((index) => [opened(index * 10), closed(index * 10 + 5)]);
    const facts = fold([attempt(31), attempt(32), attempt(33)], reopening.slice(0, -1), 40);
    expect(facts.quarantine?.cause).toBe("attempts_used_up");
    expect(facts.probes).toBeNull();
  });

  test("a success that held, a retry and a changed repair end them", () => {
    expect(fold([...three, repaired(100)], [opened(0), closed(101)], 100 + 2 * hour).probes).toBeNull();
    expect(next(three, { retriedAt: t0 + 2 * minuteMs })).toBeNull();
    expect(next(three, { repairHash: "r2" })).toBeNull();
  });

  test("the other side's wish not to be asked before is heeded", () => {
    const asked = attempt(2, { notBefore: t0 + 5 * hour * minuteMs });
    expect(next([attempt(0), attempt(1), asked])).toEqual([3, 5 * hour]);
  });

  test("the quarantine is as old as its last attempt, whatever was probed since", () => {
    expect(fold([...three, attempt(100)], [], 200).quarantine?.since).toBe(t0 + 2 * minuteMs);
  });

  test("no more is counted than the ledger keeps of a cell", () => {
    const many = Array.from({ length: 28 }, (_, index) => attempt(index));
    expect(next(many, { maxAttempts: 28 })).toEqual([2, 27 + hour]);
    expect(next([...many, attempt(28), attempt(29)], { maxAttempts: 30 })).toEqual([0, null]);
  });
});

test("attempts are told apart by what they did", () => {
  const { tried } = fold(
    [
      attempt(0, { outcome: "ineffective", rowsAfter: 0 }),
      attempt(1, { outcome: "ineffective", rowsAfter: 2 }),
      attempt(2, { outcome: "timed_out", repairId: "x" }),
      attempt(3, { outcome: "lost_lock", charged: false }),
    ],
    [],
    9,
  );
  expect(tried).toEqual({
    empty: 1,
    short: 1,
    failed: 1,
    lastFailure: { repairId: "x", outcome: "timed_out" },
  });
});

test("a version of an empty date that an earlier release recorded is the one of today", () => {
  const { lastInputs } = fold([repaired(0, { inputs: { up: "0//", b: "3//" } })], [], 9);
  expect(lastInputs).toEqual({ up: "0", b: "3//" });
});

describe("dates per job", () => {
  const max = (charged: number, lastBatchDates: number, maxAttempts = 3) =>
    batchDatesMax({ ...noFacts, charged, lastBatchDates }, maxAttempts, 31);

  test("the first attempt takes all, the next one half, the last one date: 31, 16, 1", () => {
    expect([max(0, 0), max(1, 31), max(2, 16)]).toEqual([31, 16, 1]);
  });

  test("with more attempts it goes on halving, and ends with one date all the same", () => {
    expect([max(1, 31, 6), max(2, 16, 6), max(3, 8, 6), max(4, 4, 6), max(5, 2, 6)]).toEqual([
      16, 8, 4, 2, 1,
    ]);
  });

  test("an uncharged failure does not make it smaller, nor larger", () => {
    expect([max(0, 31), max(0, 5), max(0, 90)]).toEqual([31, 5, 31]);
  });

  test("a repair with one attempt takes all in it", () => {
    expect(max(0, 0, 1)).toBe(31);
  });
});
