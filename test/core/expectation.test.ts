import { describe, expect, test } from "vitest";
import {
  allowedRows,
  compileJudge,
  completenessOf,
  failedRequirements,
  judgeEntry,
  requiredRows,
  violationCount,
} from "../../src/core/expectation.ts";
import { stateName } from "../../src/core/grid.ts";
import { type Metric, metricsOf } from "../../src/core/observation.ts";
import type { CoverageExpectation, RowsExpectation } from "../../src/core/pipeline.ts";
import { datedBy, type ExpectationSketch, expectationOf } from "../support/pipeline.ts";
import { profileOf } from "../support/sight.ts";

/** What was seen of one date: its rows, and the metrics by their kind or name; what is not named is NULL. */
interface Seen {
  readonly rows: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly units?: number;
  readonly seasonDay?: number;
  readonly scheduled?: boolean;
}

function keyOf(metric: Metric): string {
  switch (metric.kind) {
    case "nulls":
      return metric.column;
    case "violations":
    case "measure":
      return metric.name;
    case "excess_rows":
      return metric.columns.join(",");
    case "quality_at_least":
      return `at_least_${metric.min}`;
    default:
      return metric.kind;
  }
}

function judged(sketch: ExpectationSketch, seen: Seen) {
  const expectation = expectationOf(sketch);
  const judge = compileJudge(expectation);
  const metrics = metricsOf(expectation).map((metric) => seen.metrics?.[keyOf(metric)] ?? Number.NaN);
  const profile = profileOf([{ date: "2024-01-01", rows: seen.rows, metrics }]);
  const context = {
    scheduled: seen.scheduled ?? true,
    units: seen.units ?? 1,
    seasonDay: seen.seasonDay ?? 100,
  };
  return {
    state: stateName(judgeEntry(judge, profile, 0, context)),
    failed: failedRequirements(judge, profile, 0, context).map(({ name }) => name),
    said: failedRequirements(judge, profile, 0, context).map(({ describe: say }) => say(profile, 0, context)),
    completeness: completenessOf(judge, profile, 0, context),
    required: requiredRows(judge, profile, 0, context),
    allowed: allowedRows(expectation, context),
    violations: violationCount(judge, profile, 0, context),
  };
}

const rows = (more: Partial<RowsExpectation>): ExpectationSketch => ({ rows: more });
const log = { table: { parts: ["log"] }, ...datedBy("data_date"), where: null, rowsColumn: null };

describe("rows", () => {
  test("a date without an entry is missing and nothing of it is judged", () => {
    const judge = compileJudge(expectationOf({ checks: [{ name: "c", sql: "true" }] }));
    const context = { scheduled: true, units: 1, seasonDay: 0 };
    expect(stateName(judgeEntry(judge, profileOf([]), -1, context))).toBe("missing");
    expect(failedRequirements(judge, profileOf([]), -1, context)).toEqual([]);
    expect(completenessOf(judge, profileOf([]), -1, context)).toBe(0);
  });

  test("one row too few is partial, the floor itself is complete", () => {
    expect(judged(rows({ min: 20 }), { rows: 19 }).state).toBe("partial");
    expect(judged(rows({ min: 20 }), { rows: 20 }).state).toBe("complete");
  });

  test("the largest floor counts: per date, per unit of the schedule, per entity of another processor", () => {
    const expectation = rows({ min: 20, perUnit: 21, perEntity: { of: "players", key: "player", min: 2 } });
    const seen = (units: number, entities: number) =>
      judged(expectation, { rows: 1, units, metrics: { entities_of: entities } }).required;
    expect([seen(0, 5), seen(10, 5), seen(1, 50)]).toEqual([20, 210, 100]);
  });

  test("entities that are NULL raise no floor", () => {
    const expectation = rows({ min: 3, perEntity: { of: "players", key: null, min: 2 } });
    expect(judged(expectation, { rows: 3 }).state).toBe("complete");
  });

  test("a fraction per unit asks for what it says in decimals, not for a trace more", () => {
    expect(judged(rows({ perUnit: 1.1 }), { rows: 11, units: 10 }).state).toBe("complete");
    expect(judged(rows({ perUnit: 1.1 }), { rows: 10, units: 10 }).state).toBe("partial");
  });

  test("one row too many is invalid, the lowest ceiling counts", () => {
    const expectation = rows({ max: 100, maxPerUnit: 30 });
    expect(judged(expectation, { rows: 60, units: 2 }).state).toBe("complete");
    expect(judged(expectation, { rows: 61, units: 2 })).toMatchObject({
      state: "invalid",
      failed: ["rows_max"],
    });
    expect(judged(expectation, { rows: 1, units: 9 }).allowed).toBe(100);
  });

  test("a date with no rows is complete only where the completion log says so", () => {
    const expectation = rows({ min: 0, completionLog: log });
    expect(judged(expectation, { rows: 0, metrics: { completion_log: 1 } }).state).toBe("complete");
    expect(judged(expectation, { rows: 0, metrics: { completion_log: 0 } }).state).toBe("missing");
    expect(judged(expectation, { rows: 0 }).state).toBe("missing");
    expect(judged(rows({ min: 1 }), { rows: 0 }).state).toBe("missing");
    expect(judged(expectation, { rows: 5 }).state).toBe("complete");
  });
});

describe("coverage", () => {
  const coverage: CoverageExpectation = {
    of: { kind: "processor", name: "context" },
    key: "player",
    ofKey: "player_lookup",
    min: 0.9,
    extra: null,
    excusedBy: null,
  };
  const seen = (of: number, present: number, absent: number) => ({
    rows: 50,
    metrics: { coverage_of: of, coverage_present: present, coverage_absent: absent },
  });

  test("enough of the entities is complete, too few is partial", () => {
    expect(judged({ coverage }, seen(10, 9, 1)).state).toBe("complete");
    const thin = judged({ coverage }, seen(10, 8, 2));
    expect(thin).toMatchObject({ state: "partial", failed: ["coverage"] });
    expect(thin.said).toEqual([
      { observed: "80 % (8 of 10)", expected: "90 % of the player_lookup of context" },
    ]);
  });

  test("excused entities count neither way", () => {
    expect(judged({ coverage }, seen(10, 6, 0)).state).toBe("complete");
    expect(judged({ coverage }, seen(10, 0, 0)).state).toBe("complete");
  });

  test("while the other side has none it is not evaluated, hence not complete", () => {
    for (const none of [0, Number.NaN]) {
      const found = judged({ coverage }, seen(none, 0, 0));
      expect(found).toMatchObject({ state: "partial", completeness: 0 });
      expect(found.said[0]?.observed).toBe("not evaluated: context has none on this date");
    }
  });

  const withExtra = (extra: CoverageExpectation["extra"], keys: number, rows = keys) =>
    judged(
      { coverage: { ...coverage, extra } },
      {
        rows: 50,
        metrics: { ...seen(10, 10, 0).metrics, coverage_extra: keys, coverage_extra_rows: rows },
      },
    );

  test("keys that the other side lacks are invalid only where that is a gap, and their rows are violations", () => {
    expect(withExtra(null, 3).state).toBe("complete");
    expect(withExtra("ignore", 3).state).toBe("complete");
    expect(withExtra("gap", 0)).toMatchObject({ state: "complete", violations: 0 });
    expect(withExtra("gap", 3, 12)).toMatchObject({
      state: "invalid",
      failed: ["coverage_extra"],
      said: [{ observed: "3 player that context lacks", expected: "none" }],
      completeness: 0,
      violations: 12,
    });
  });

  test("where the other side has none, all keys are extra and the coverage is not evaluated", () => {
    const metrics = { coverage_of: 0, coverage_present: 0, coverage_absent: 0, coverage_extra: 5 };
    const found = judged({ coverage: { ...coverage, extra: "gap" } }, { rows: 50, metrics });
    expect(found).toMatchObject({ state: "partial", failed: ["coverage", "coverage_extra"] });
  });

  test("coverage of the schedule is named as such", () => {
    const found = judged({ coverage: { ...coverage, of: { kind: "schedule" } } }, seen(4, 1, 3));
    expect(found.said[0]?.expected).toBe("90 % of the player_lookup of the schedule");
  });
});

describe("content", () => {
  test("rows beyond the first of a key are invalid", () => {
    const sketch = { uniqueKeys: [["game_id", "player"]] };
    expect(judged(sketch, { rows: 9, metrics: { "game_id,player": 0 } }).state).toBe("complete");
    expect(judged(sketch, { rows: 9, metrics: { "game_id,player": 1 } })).toMatchObject({
      state: "invalid",
      failed: ["unique:game_id,player"],
    });
  });

  test("a column may be empty in as large a share of the rows as it is allowed, and no more", () => {
    const sketch = { notNull: [{ column: "coupon", maxRatio: 0.29 }] };
    expect(judged(sketch, { rows: 100, metrics: { coupon: 29 } }).state).toBe("complete");
    expect(judged(sketch, { rows: 100, metrics: { coupon: 30 } })).toMatchObject({
      state: "invalid",
      failed: ["not_null:coupon"],
    });
    const strict = { notNull: [{ column: "score", maxRatio: 0 }] };
    expect(judged(strict, { rows: 100, metrics: { score: 1 } }).said[0]).toEqual({
      observed: "1 of 100 rows have no score",
      expected: "no row without score",
    });
  });

  test("one row for which a check is false is invalid", () => {
    const sketch = { checks: [{ name: "in_range", sql: "x between 0 and 1" }] };
    expect(judged(sketch, { rows: 9, metrics: { in_range: 0 } }).state).toBe("complete");
    expect(judged(sketch, { rows: 9, metrics: { in_range: 2 } }).failed).toEqual(["check:in_range"]);
  });

  test("a measure holds from its least to its greatest value, both included, and not where it has none", () => {
    const sketch = { measures: [{ name: "ratio", sql: "avg(x)", min: 0.9, max: 1.1 }] };
    const state = (value: number) => judged(sketch, { rows: 9, metrics: { ratio: value } }).state;
    expect([0.89, 0.9, 1, 1.1, 1.11, Number.NaN].map(state)).toEqual([
      "invalid",
      "complete",
      "complete",
      "complete",
      "invalid",
      "invalid",
    ]);
    expect(judged(sketch, { rows: 9 }).said[0]).toEqual({
      observed: "no value",
      expected: "at least 0.9, at most 1.1",
    });
  });

  test("a measure without bounds still has to have a value", () => {
    const sketch = { measures: [{ name: "ratio", sql: "avg(x)", min: null, max: null }] };
    expect(judged(sketch, { rows: 9, metrics: { ratio: -5 } }).state).toBe("complete");
    expect(judged(sketch, { rows: 9 }).state).toBe("invalid");
  });

  test("quality is the share of good rows, and not asked for in the first days of a season", () => {
    const quality = { column: "pct", good: 90, ok: 70, degraded: 50, minGoodShare: 0.8, afterDays: 21 };
    const seen = (good: number, seasonDay: number) =>
      judged({ quality }, { rows: 10, seasonDay, metrics: { at_least_90: good } });
    expect(seen(8, 21).state).toBe("complete");
    expect(seen(7, 21)).toMatchObject({ state: "invalid", failed: ["quality"] });
    expect(seen(0, 20).state).toBe("complete");
  });

  test("quality is asked for once, also where two of its limits are the same", () => {
    const quality = { column: "pct", good: 90, ok: 90, degraded: 90, minGoodShare: 0.8, afterDays: 0 };
    expect(judged({ quality }, { rows: 10, metrics: { at_least_90: 1 } }).failed).toEqual(["quality"]);
  });
});

describe("the verdict", () => {
  const sketch: ExpectationSketch = {
    rows: { min: 10 },
    checks: [
      { name: "a", sql: "a" },
      { name: "b", sql: "b" },
    ],
  };

  test("too few rows is partial whatever else fails, and every failed requirement is named", () => {
    const found = judged(sketch, { rows: 5, metrics: { a: 1, b: 2 } });
    expect(found).toMatchObject({
      state: "partial",
      failed: ["rows_min", "check:a", "check:b"],
      violations: 3,
    });
  });

  test("completeness is the least of rows and coverage, by what they need to be", () => {
    expect(judged(rows({ min: 20 }), { rows: 15 }).completeness).toBe(0.75);
    const coverage: CoverageExpectation = {
      of: { kind: "schedule" },
      key: "game",
      ofKey: "game",
      min: 0.8,
      extra: null,
      excusedBy: null,
    };
    const both = { rows: { min: 20 }, coverage };
    const metrics = { coverage_of: 10, coverage_present: 4, coverage_absent: 6 };
    expect(judged(both, { rows: 15, metrics }).completeness).toBe(0.5);
    expect(judged(both, { rows: 4, metrics }).completeness).toBe(0.2);
  });

  test("completeness is 1 when complete and 0 as soon as the content is invalid", () => {
    expect(judged(sketch, { rows: 10, metrics: { a: 0, b: 0 } }).completeness).toBe(1);
    expect(judged(sketch, { rows: 10, metrics: { a: 1, b: 0 } }).completeness).toBe(0);
    expect(judged(sketch, { rows: 9, metrics: { a: 1, b: 0 } }).completeness).toBe(0);
  });

  test("violations are counted over keys, empty columns and checks; measures and NULL count nothing", () => {
    const all: ExpectationSketch = {
      uniqueKeys: [["k"]],
      notNull: [{ column: "n", maxRatio: 0 }],
      checks: [{ name: "c", sql: "c" }],
      measures: [{ name: "m", sql: "m", min: 0, max: 1 }],
    };
    expect(judged(all, { rows: 9, metrics: { k: 1, n: 2, c: 3, m: 99 } }).violations).toBe(6);
    expect(judged(all, { rows: 9 }).violations).toBe(0);
  });
});
