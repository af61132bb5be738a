import { describe, expect, test } from "vitest";
import { coverageDocument, extraKeysOf, hasKeys, keysText } from "../../src/core/coverage-keys.ts";
import { explainCell, withKeys } from "../../src/core/explain.ts";
import { gapDocument } from "../../src/core/gap-document.ts";
import type { CoverageExpectation } from "../../src/core/pipeline.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, type SeenDate, statesOf } from "../support/sight.ts";

describe("keys in a text", () => {
  test("are named, with the number of the rest", () => {
    expect(keysText({ count: 2, keys: ["a3", "a5"] })).toBe("a3, a5");
    expect(keysText({ count: 14, keys: ["a3", "a5"] })).toBe("a3, a5 and 12 more");
    expect(keysText({ count: 1, keys: ["x".repeat(100)] })).toBe(`${"x".repeat(80)}…`);
  });
});

/** Of each date: keys of the schedule that are present and absent, and extra keys, with ten rows for each key that is here. */
function box(
  extra: CoverageExpectation["extra"],
  seen: readonly (readonly [string, number, number, number])[],
) {
  const coverage = {
    of: { kind: "schedule" },
    key: "game",
    ofKey: "game",
    min: 1,
    extra,
    excusedBy: null,
  } as const;
  const assessment = assessed({
    processors: { a: { expect: { coverage } } },
    schedules: [tableSchedule()],
    dates: { default: "aaa-" },
    seen: {
      a: seen.map(([date, present, absent, others]): SeenDate => {
        const counts = [present + absent, absent, present];
        const more = extra === "ignore" ? [] : extra === "gap" ? [others, 10 * others] : [others];
        return { date, rows: 10 * (present + others), metrics: [...counts, ...more] };
      }),
    },
    now: "2024-01-10T12:00Z",
  });
  const [processor] = assessment.grid.pipeline.processors;
  if (processor === undefined) throw new RangeError("no processor");
  return { assessment, processor };
}

const first = [["2024-01-01", 1, 1, 2]] as const;
const three = [...first, ["2024-01-02", 2, 0, 0], ["2024-01-03", 2, 0, 3]] as const;

describe("the keys of a date", () => {
  test("are counted in what is said of a gap, without their names", () => {
    const { assessment, processor } = box("gap", first);
    expect(gapDocument(assessment, processor, 0).coverage).toEqual({
      absent: { count: 1, keys: null },
      extra: { count: 2, keys: null },
    });
    expect(coverageDocument(assessment, processor, 1)).toBeNull();
    const ignoring = box("ignore", first);
    expect(coverageDocument(ignoring.assessment, ignoring.processor, 0)?.extra).toBeNull();
  });

  test("are worth asking for where there are any", () => {
    const { assessment, processor } = box("gap", three);
    const has = [0, 1, 2].map((position) => hasKeys(coverageDocument(assessment, processor, position)));
    expect(has).toEqual([true, false, true]);
  });

  test("stand behind the checks that they fail", () => {
    const { assessment, processor } = box("gap", first);
    const explained = withKeys(explainCell(assessment, processor, 0), {
      absent: { count: 1, keys: ["a3"] },
      extra: { count: 2, keys: ["a5"] },
    });
    expect(explained.expected).toContain("no game that the schedule lacks");
    expect(explained.checks.slice(1).map(({ observed }) => observed)).toEqual([
      "50 % (1 of 2); absent: a3",
      "2 game that the schedule lacks: a5 and 1 more",
    ]);
    expect(explained.coverage?.absent).toEqual({ count: 1, keys: ["a3"] });
  });
});

describe("extra keys that are no gap", () => {
  test("leave the date complete, stand among its checks, and are summed up for its processor", () => {
    const { assessment, processor } = box(null, three);
    expect(statesOf(assessment, "a").slice(0, 3)).toBe("PCC");
    expect(explainCell(assessment, processor, 2).checks.at(-1)).toEqual({
      name: "coverage_extra",
      holds: true,
      observed: "3 game that the schedule lacks, which is only reported",
      expected: "none",
    });
    expect(extraKeysOf(assessment, [processor])).toEqual([
      { processor: "a", dates: 2, keys: 5, start_date: "2024-01-01", end_date: "2024-01-03" },
    ]);
  });

  test("are not summed up where they are gaps, or ignored", () => {
    for (const extra of ["gap", "ignore"] as const) {
      const { assessment, processor } = box(extra, three);
      expect(extraKeysOf(assessment, [processor])).toEqual([]);
      expect(statesOf(assessment, "a").slice(0, 3)).toBe(extra === "gap" ? "PCI" : "PCC");
    }
  });
});
