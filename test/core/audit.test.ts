// Method: one date, what it holds now and what a repair staged for it, each as rows and metrics by name.
import { describe, expect, test } from "vitest";
import { contentAt, isWorse, stagedAudit } from "../../src/core/audit.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { type Metric, metricsOf } from "../../src/core/observation.ts";
import type { CoverageExpectation } from "../../src/core/pipeline.ts";
import type { PublishPolicy } from "../../src/core/repair-action.ts";
import { type ExpectationSketch, expectationOf, tableSchedule } from "../support/pipeline.ts";
import { assessed, profileOf } from "../support/sight.ts";

interface Seen {
  readonly rows: number;
  readonly metrics?: Readonly<Record<string, number>>;
}

const date = "2024-01-02";
const day = toDay(parseIsoDate(date));

function nameOf(metric: Metric): string {
  switch (metric.kind) {
    case "excess_rows":
      return "repeats";
    case "nulls":
      return "nulls";
    case "violations":
    case "measure":
      return metric.name;
    default:
      return metric.kind;
  }
}

function seenDate(sketch: ExpectationSketch, { rows, metrics = {} }: Seen) {
  const numbers = metricsOf(expectationOf(sketch)).map((metric) => metrics[nameOf(metric)] ?? 0);
  return { date, rows, metrics: numbers };
}

function assessmentOf(sketch: ExpectationSketch, now: Seen | null, pattern = "aaa") {
  return assessed({
    schedules: [tableSchedule()],
    dates: { default: pattern },
    processors: { p: { expect: sketch } },
    seen: { p: now === null ? [] : [seenDate(sketch, now)] },
  });
}

/** Why the staged rows are not published; null where they are. */
function refusal(
  sketch: ExpectationSketch,
  now: Seen | null,
  staged: Seen | null,
  policy: PublishPolicy = "if_better",
  pattern = "aaa",
): string | null {
  const assessment = assessmentOf(sketch, now, pattern);
  const [processor] = assessment.grid.pipeline.processors;
  if (processor === undefined) throw new Error("the scene has one processor");
  const audit = stagedAudit(assessment, processor, [day], policy);
  if (audit === null) throw new Error("expected an audit");
  const profile = profileOf(staged === null ? [] : [seenDate(sketch, staged)]);
  const [refused, ...more] = audit(profile);
  expect(more).toEqual([]);
  return refused?.reason ?? null;
}

const twenty: ExpectationSketch = { rows: { min: 20 } };
const unique: ExpectationSketch = { rows: { min: 20 }, uniqueKeys: [["id"]] };
const checked: ExpectationSketch = { rows: { min: 20 }, checks: [{ name: "c", sql: "x > 0" }] };
const coverage: CoverageExpectation = {
  of: { kind: "schedule" },
  key: "k",
  ofKey: "k",
  min: 0.9,
  extra: null,
  excusedBy: null,
};

describe("rows that meet the expectation", () => {
  test("are published, though they are fewer than those there now", () => {
    expect(refusal(twenty, { rows: 500 }, { rows: 20 })).toBeNull();
    expect(refusal(unique, { rows: 40, metrics: { repeats: 20 } }, { rows: 20 })).toBeNull();
    expect(refusal({ rows: { min: 1, max: 10 } }, { rows: 30 }, { rows: 10 })).toBeNull();
  });

  test("are published by every policy", () => {
    expect(refusal(twenty, { rows: 25 }, { rows: 20 }, "if_complete")).toBeNull();
  });
});

describe("rows of keys that should not be there", () => {
  const moved: ExpectationSketch = { coverage: { ...coverage, min: 1, extra: "gap" } };
  const there = (present: number, absent: number, extra: number, extraRows: number) => ({
    coverage_of: present + absent,
    coverage_present: present,
    coverage_absent: absent,
    coverage_extra: extra,
    coverage_extra_rows: extraRows,
  });

  test("may go, though the date is not complete without them", () => {
    const before = { rows: 20, metrics: there(1, 1, 1, 10) };
    expect(refusal(moved, before, { rows: 10, metrics: there(1, 1, 0, 0) })).toBeNull();
    expect(refusal(moved, before, { rows: 5, metrics: there(1, 1, 0, 0) })).toMatch(
      /^the SELECT gives 5 rows/,
    );
  });

  test("are not added", () => {
    const before = { rows: 10, metrics: there(1, 1, 0, 0) };
    expect(refusal(moved, before, { rows: 20, metrics: there(1, 1, 1, 10) })).toMatch(
      /^10 rows of the SELECT violate the expectation/,
    );
  });
});

describe("rows that do not meet the expectation", () => {
  test("are published where they are as many or more, with as few violations", () => {
    expect(refusal(twenty, { rows: 10 }, { rows: 10 })).toBeNull();
    expect(refusal(twenty, { rows: 10 }, { rows: 15 })).toBeNull();
    expect(refusal(twenty, null, { rows: 5 })).toBeNull();
    expect(refusal(checked, { rows: 25, metrics: { c: 3 } }, { rows: 25, metrics: { c: 3 } })).toBeNull();
  });

  test("are refused where they are fewer, and the reason has both numbers and what they fail", () => {
    expect(refusal(twenty, { rows: 10 }, { rows: 9 })).toBe(
      "the SELECT gives 9 rows, the date has 10 now (rows_min: 9 rows, expected at least 20 rows)",
    );
    expect(refusal(twenty, { rows: 1 }, null)).toBe("the SELECT gives 0 rows, the date has 1 now");
  });

  test("are refused where more of them violate the expectation, on a date without rows too", () => {
    expect(refusal(checked, { rows: 25, metrics: { c: 3 } }, { rows: 30, metrics: { c: 4 } })).toMatch(
      /^4 rows of the SELECT violate the expectation, the date has 3 such rows now/,
    );
    expect(refusal(checked, null, { rows: 30, metrics: { c: 1 } })).toMatch(/check:c: 1 rows/);
  });

  test("are refused by `if_complete` whatever is there, and by `always` never", () => {
    expect(refusal(twenty, null, { rows: 19 }, "if_complete")).toMatch(
      /^the SELECT gives 19 rows, which are/,
    );
    const assessment = assessmentOf(twenty, { rows: 10 });
    const [processor] = assessment.grid.pipeline.processors;
    if (processor === undefined) throw new Error("the scene has one processor");
    expect(stagedAudit(assessment, processor, [day], "always")).toBeNull();
  });

  test("are refused where the date is complete now, and are fewer in nothing", () => {
    const sketch = { coverage };
    const now = { rows: 10, metrics: { coverage_of: 10, coverage_present: 9, coverage_absent: 1 } };
    const staged = { rows: 10, metrics: { coverage_of: 12, coverage_present: 9, coverage_absent: 3 } };
    expect(refusal(sketch, now, staged)).toMatch(/^the date is complete now/);
  });

  test("are refused where they cover fewer keys, however many they are", () => {
    const now = { rows: 10, metrics: { coverage_of: 20, coverage_present: 10, coverage_absent: 10 } };
    const staged = { rows: 30, metrics: { coverage_of: 20, coverage_present: 9, coverage_absent: 11 } };
    expect(refusal({ coverage }, now, staged)).toMatch(/cover 9 keys, the date covers 10 now/);
    expect(refusal({ coverage }, staged, { ...now, rows: 30 })).toBeNull();
  });

  test("repeats of a key count neither as rows nor for nothing", () => {
    // 15 rows of their own twice are there; 15 once are no loss, 14 are.
    const doubled = { rows: 30, metrics: { repeats: 15 } };
    expect(refusal(unique, doubled, { rows: 15 })).toBeNull();
    expect(refusal(unique, doubled, { rows: 14 })).toMatch(
      /gives 14 rows, the date has 15 now, repeats not counted/,
    );
    expect(refusal(unique, { rows: 15 }, doubled)).toMatch(/^15 rows of the SELECT violate/);
  });

  test("rows above the ceiling are violations, not rows to keep", () => {
    const sketch = { rows: { min: 8, max: 10 } };
    expect(refusal(sketch, { rows: 30 }, { rows: 12 })).toBeNull();
    expect(refusal(sketch, { rows: 12 }, { rows: 30 })).toMatch(/^20 rows of the SELECT violate/);
  });

  test("empty values count beyond the share that may be empty", () => {
    const sketch = { rows: { min: 20 }, notNull: [{ column: "n", maxRatio: 0.1 }] };
    expect(refusal(sketch, { rows: 10 }, { rows: 15, metrics: { nulls: 1 } })).toBeNull();
    expect(refusal(sketch, { rows: 10 }, { rows: 15, metrics: { nulls: 3 } })).toMatch(/^2 rows/);
  });

  test("a measure that held must hold still, and may fail on a date that had nothing", () => {
    const sketch = { measures: [{ name: "m", sql: "avg(x)", min: 0, max: 5 }] };
    expect(refusal(sketch, { rows: 10, metrics: { m: 5 } }, { rows: 10, metrics: { m: 6 } })).toMatch(
      /fail requirements that the date meets now \(measure:m: 6, expected at least 0, at most 5\)/,
    );
    expect(refusal(sketch, { rows: 10, metrics: { m: 7 } }, { rows: 10, metrics: { m: 6 } })).toBeNull();
    expect(refusal(sketch, null, { rows: 10, metrics: { m: 6 } })).toBeNull();
  });
});

describe("a date that is not scheduled", () => {
  test("is emptied, and never filled", () => {
    expect(refusal(twenty, { rows: 30 }, null, "if_better", "a-a")).toBeNull();
    expect(refusal(twenty, { rows: 30 }, { rows: 10 }, "if_better", "a-a")).toBeNull();
    expect(refusal(twenty, { rows: 10 }, { rows: 30 }, "if_better", "a-a")).toMatch(
      /30 rows of the SELECT violate.*the schedule does not have this date/,
    );
    expect(refusal(twenty, { rows: 30 }, null, "if_complete", "a-a")).toBeNull();
  });
});

describe("a date that is computed from the one before", () => {
  const refusedOf = (dependsOnPast: boolean) => {
    const assessment = assessed({
      schedules: [tableSchedule()],
      dates: { default: "aaaa" },
      processors: { p: { expect: twenty, dependsOnPast } },
      seen: { p: [seenDate(twenty, { rows: 10 })] },
    });
    const [processor] = assessment.grid.pipeline.processors;
    if (processor === undefined) throw new Error("the scene has one processor");
    const staged = profileOf([20, 5, 20, 20].map((rows, index) => ({ date: `2024-01-0${index + 1}`, rows })));
    const days = [day - 1, day, day + 1, day + 2];
    return (stagedAudit(assessment, processor, days, "if_better")?.(staged) ?? []).map((refused) => [
      refused.date,
      refused.after ?? null,
    ]);
  };

  test("is not published after one that is not, and names it; the dates before are", () => {
    expect(refusedOf(true)).toEqual([
      ["2024-01-02", null],
      ["2024-01-03", "2024-01-02"],
      ["2024-01-04", "2024-01-02"],
    ]);
  });

  test("is published whatever comes before, where it is not computed from that", () => {
    expect(refusedOf(false)).toEqual([["2024-01-02", null]]);
  });
});

describe("a run of any other kind made a date worse", () => {
  const worse = (sketch: ExpectationSketch, before: Seen | null, after: Seen | null, pattern = "aaa") => {
    const [one, other] = [before, after].map((seen) => {
      const assessment = assessmentOf(sketch, seen, pattern);
      const [processor] = assessment.grid.pipeline.processors;
      return processor === undefined ? null : contentAt(assessment, processor, day);
    });
    if (one === null || one === undefined || other === null || other === undefined)
      throw new Error("the date is on the grid");
    return isWorse(one, other);
  };

  test("where it left fewer rows or more violations", () => {
    expect(worse(twenty, { rows: 10 }, { rows: 9 })).toBe(true);
    expect(worse(twenty, { rows: 10 }, null)).toBe(true);
    expect(worse(checked, { rows: 10 }, { rows: 30, metrics: { c: 1 } })).toBe(true);
    expect(worse(twenty, { rows: 10 }, { rows: 10 })).toBe(false);
  });

  test("but not where nothing was before: a first try that came out invalid is only an attempt", () => {
    expect(worse(checked, null, { rows: 30, metrics: { c: 1 } })).toBe(false);
  });

  test("but not where it took away repeats, or rows above the ceiling", () => {
    expect(worse(unique, { rows: 30, metrics: { repeats: 15 } }, { rows: 15 })).toBe(false);
    expect(worse({ rows: { min: 8, max: 10 } }, { rows: 30 }, { rows: 12 })).toBe(false);
  });

  test("but not where it took rows away from a date that is not scheduled", () => {
    expect(worse(twenty, { rows: 30 }, { rows: 5 }, "a-a")).toBe(false);
    expect(worse(twenty, { rows: 5 }, { rows: 30 }, "a-a")).toBe(true);
  });
});
