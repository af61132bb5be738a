import { describe, expect, test } from "vitest";
import { circuitOf, isMassGap, massGapOf, scheduleChangeOf, scheduleHole } from "../../src/core/breaker.ts";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { axisOf, denseSchedules } from "../../src/core/schedule.ts";
import { baseline, instant, runEnd } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { scheduleOf } from "../support/sight.ts";

const minuteMs = 60_000;
const t0 = instant("2024-01-05T00:00Z");
const rules = { failures: 3, coolOffMs: 30 * minuteMs };

/** All times are minutes after `t0`. */
const end = (minute: number, more: Parameters<typeof runEnd>[2] = {}) =>
  runEnd("a", t0 + minute * minuteMs, more);
const circuit = (ends: readonly ReturnType<typeof end>[], minute: number, released = -1e9) =>
  circuitOf(ends, rules, t0 + released * minuteMs, t0 + minute * minuteMs);

describe("the circuit", () => {
  const systemic = end(0, { systemic: "connection_refused", message: "connection refused" });

  test("is closed without history", () => {
    expect(circuit([], 0).state).toBe("closed");
  });

  test("opens on one systemic failure and says why", () => {
    expect(circuit([systemic], 1)).toEqual({
      state: "open",
      openedAt: t0,
      probeAt: t0 + rules.coolOffMs,
      cause: "connection refused",
    });
  });

  test("opens on so many first attempts that failed in a row, which are different dates", () => {
    expect(circuit([end(0), end(1)], 2).state).toBe("closed");
    expect(circuit([end(0), end(1), end(2)], 2).state).toBe("open");
  });

  test("stays closed when the same dates fail again and again", () => {
    const retries = [end(0), end(1, { attempt: 2 }), end(2, { attempt: 3 }), end(3, { attempt: 2 })];
    expect(circuit(retries, 4).state).toBe("closed");
  });

  test("does not count a job that succeeds and changes nothing, nor one that was skipped", () => {
    const quiet = [0, 1, 2, 3].map((minute) => end(minute, { outcome: "ineffective" }));
    expect(circuit([...quiet, end(4, { outcome: "skipped" })], 5).state).toBe("closed");
  });

  test("counts uncharged failures, as a lock that is lost again and again is nobody's date", () => {
    const lost = [0, 1, 2].map((minute) => end(minute, { outcome: "lost_lock" }));
    expect(circuit(lost, 3).state).toBe("open");
  });

  test("is half open once it cooled off, to the millisecond", () => {
    expect(circuit([systemic], 30 - 1 / minuteMs).state).toBe("open");
    expect(circuit([systemic], 30).state).toBe("half_open");
  });

  test("opens again when the probe fails, and closes when it repairs something", () => {
    const probe = { startedAt: t0 + 31 * minuteMs };
    expect(circuit([systemic, end(32, { ...probe, attempt: 2 })], 40)).toMatchObject({
      state: "open",
      openedAt: t0 + 32 * minuteMs,
    });
    expect(circuit([systemic, end(32, { ...probe, outcome: "repaired" })], 40).state).toBe("closed");
  });

  test("closes when the probe runs well, though its date is hopeless", () => {
    const ineffective = { outcome: "ineffective" as const };
    const probe = end(40, { ...ineffective, startedAt: t0 + 35 * minuteMs });
    const early = end(10, { ...ineffective, startedAt: t0 + 5 * minuteMs });
    expect(circuit([systemic, probe], 41).state).toBe("closed");
    expect(circuit([systemic, early], 41).state).toBe("half_open");
  });

  test("a run that started before it opened and fails later is no probe", () => {
    const slow = end(45, { startedAt: t0 - minuteMs, attempt: 2 });
    expect(circuit([systemic, slow], 46)).toMatchObject({ state: "half_open", openedAt: t0 });
  });

  test("a success in between starts the count again", () => {
    const mixed = [end(0), end(1), end(2, { outcome: "repaired" }), end(3), end(4)];
    expect(circuit(mixed, 5).state).toBe("closed");
  });

  test("a person's release forgets what ended before it", () => {
    expect(circuit([systemic], 1, 0).state).toBe("closed");
    expect(circuit([systemic, end(2, { systemic: "quota" })], 3, 1).state).toBe("open");
  });
});

describe("a mass gap", () => {
  const first = toDay(parseIsoDate("2024-01-01"));
  const massRules = { maxShare: 0.2, cellsMin: 10 };
  const gone = (count: number) => (day: number) => day < first + count;
  const hundred = baseline("processor", "a", "2024-01-01..2024-04-09");
  const found = (baselines: readonly ReturnType<typeof baseline>[], count: number) =>
    massGapOf(baselines, massRules, gone(count));

  test("is more than the share and at least the number of cells that were complete", () => {
    expect(found([hundred], 20)).toEqual({ wasComplete: 100, becameGaps: 20 });
    expect(isMassGap(found([hundred], 20), massRules)).toBe(false);
    expect(isMassGap(found([hundred], 21), massRules)).toBe(true);
    const twelve = baseline("processor", "a", "2024-01-01..2024-01-12");
    expect(isMassGap(found([twelve], 9), massRules)).toBe(false);
    expect(isMassGap(found([twelve], 10), massRules)).toBe(true);
  });

  test("needs a baseline: a processor without one has only caps", () => {
    expect(isMassGap(found([], 100), massRules)).toBe(false);
    expect(isMassGap(found([baseline("processor", "a", "")], 100), massRules)).toBe(false);
  });

  test("that bleeds slowly is seen by the baseline of a day ago", () => {
    const now = baseline("processor", "a", "2024-01-20..2024-04-09");
    expect(isMassGap(found([now], 25), massRules)).toBe(false);
    expect(isMassGap(found([hundred, now], 25), massRules)).toBe(true);
  });

  test("of the last cycle is not hidden by an older, longer baseline that lost more cells but a smaller share", () => {
    const older = baseline("processor", "a", "2023-10-01..2024-04-09");
    const isGap = (day: number) => day >= first && day < first + 25;
    const recent = baseline("processor", "a", "2024-01-05..2024-03-31");
    const worst = massGapOf([older, recent], massRules, isGap);
    expect(isMassGap(worst, massRules)).toBe(true);
  });
});

describe("a schedule", () => {
  const today = toDay(parseIsoDate("2024-06-01"));
  const first = toDay(parseIsoDate("2024-01-01"));
  const limits = { maxShare: 0.01, datesMin: 3 };

  function seen(pattern: string) {
    const schedules = new Map([["games", scheduleOf(pattern, first, 1)]]);
    const axis = axisOf(schedules, today);
    const schedule = denseSchedules({ schedules: [tableSchedule("games")] }, schedules, axis).get("games");
    if (schedule === undefined) throw new RangeError("no schedule");
    return { schedule, first: axis.first };
  }

  function change(pattern: string, baselines: readonly string[], rules = limits, now = today) {
    const { schedule, first: from } = seen(pattern);
    const known = baselines.map((dates) => baseline("schedule", "games", dates));
    const found = scheduleChangeOf(schedule, from, now, known, rules);
    return {
      believed: found.believed.map(fromDay),
      doubted: found.doubted.map(fromDay),
      doubt: found.doubt,
    };
  }

  test("of which a few past dates vanished is believed, and they are named", () => {
    expect(change("aa-a", ["2024-01-01..2024-01-04"])).toEqual({
      believed: ["2024-01-03"],
      doubted: [],
      doubt: null,
    });
    expect(change("a---a", ["2024-01-01..2024-01-05"]).doubt).toBeNull();
  });

  test("of which more vanished than both limits allow is doubted", () => {
    expect(change("a----a", ["2024-01-01..2024-01-06"])).toEqual({
      believed: [],
      doubted: ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"],
      doubt: "4 scheduled dates vanished: 2024-01-02 to 2024-01-05, of 6 past ones",
    });
    // Ten of a thousand are just one per cent.
    const long = `${"a".repeat(100)}${"-".repeat(10)}a`;
    expect(change(long, ["2021-08-16..2024-04-20"], { maxShare: 0.9, datesMin: 3 }).doubt).toBeNull();
    const share = (dates: number) =>
      change(long, ["2024-01-01..2024-04-20"], { maxShare: 10 / 111, datesMin: dates });
    expect(share(3).doubt).toBeNull();
    expect(change(long, ["2024-01-01..2024-04-20"], { maxShare: 0.09, datesMin: 9 }).doubt).not.toBeNull();
    expect(change(long, ["2024-01-01..2024-04-20"], { maxShare: 0.09, datesMin: 10 }).doubt).toBeNull();
  });

  test("is doubted with each date that vanishes where both limits are 0", () => {
    const strict = { maxShare: 0, datesMin: 0 };
    expect(change("aa-a", ["2024-01-01..2024-01-04"], strict).doubt).toBe(
      "1 scheduled date vanished: 2024-01-03, of 4 past ones",
    );
  });

  test("that shrinks in small steps is doubted by the baseline of a day ago", () => {
    const steps = ["2024-01-01..2024-01-10", "2024-01-01..2024-01-07"];
    expect(change("aaaa------", steps.slice(1)).doubt).toBeNull();
    expect(change("aaaa------", steps)).toEqual({
      believed: [],
      doubted: ["05", "06", "07", "08", "09", "10"].map((day) => `2024-01-${day}`),
      doubt: "6 scheduled dates vanished: 2024-01-05 to 2024-01-10, of 10 past ones",
    });
  });

  test("that shrinks at once is held against the last baseline, and what was believed before stays believed", () => {
    const found = change("a-------aa", ["2024-01-01..2024-01-10", "2024-01-01..2024-01-08,2024-01-10"]);
    expect(found).toMatchObject({ doubt: expect.stringContaining("7 scheduled dates vanished: 2024-01-02") });
    expect(change("a-------aa", ["2024-01-01..2024-01-11", "2024-01-01..2024-01-10"])).toMatchObject({
      believed: ["2024-01-11"],
      doubt: "7 scheduled dates vanished: 2024-01-02 to 2024-01-08, of 10 past ones",
    });
  });

  test("may drop what is not past, may grow, and may have dates back", () => {
    const none = { believed: [], doubted: [], doubt: null };
    const now = toDay(parseIsoDate("2024-01-20"));
    expect(change("aaaa", ["2024-01-01..2024-01-04,2024-01-20..2024-01-25"], limits, now)).toEqual(none);
    expect(change("aaaaaaaa", ["2024-01-01..2024-01-04"])).toEqual(none);
    expect(change("aaaa", [])).toEqual(none);
    expect(change("aaaa", ["2024-01-01..2024-01-04", "2024-01-01..2024-01-02"])).toEqual(none);
  });

  test("that begins later than it did has lost its first dates", () => {
    expect(change("--aa", ["2024-01-01..2024-01-04"]).believed).toEqual(["2024-01-01", "2024-01-02"]);
  });

  test("with a hole that is longer than believed is at fault, up to today too", () => {
    const hole = (pattern: string) => {
      const { schedule, first: from } = seen(pattern);
      return scheduleHole(tableSchedule("games", 5), schedule, from, toDay(parseIsoDate("2024-01-20")));
    };
    expect(hole("a----a----a--------a")).toBe(
      "no date for 9 days after 2024-01-11 until the next date; at most 5 are expected",
    );
    expect(hole("a----a----a----a")).toBeNull();
    expect(hole("a----a----a")).toBe(
      "no date for 9 days after 2024-01-11 until today; at most 5 are expected",
    );
  });
});
