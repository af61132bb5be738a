import { describe, expect, test } from "vitest";
import { cascade } from "../../src/core/cascade.ts";
import { explainCell } from "../../src/core/explain.ts";
import { resultDocument } from "../../src/core/result-document.ts";
import type { CoverageExpectation } from "../../src/core/pipeline.ts";
import { datedBy, everyDay, type ExpectationSketch, type ProcessorSketch } from "../support/pipeline.ts";
import { assessed, inputOf, type Scene, type SeenDate, statesOf } from "../support/sight.ts";

// A date without rows is complete only where it is proven that it has nothing to write. Each pattern is `a`, the table that is
// judged, beside `up`, the one that its expectation refers to.

const log = { table: { parts: ["ops", "log"] }, ...datedBy("day"), where: null, rowsColumn: null };
const when = (min = 1) => ({ of: "up", min });
const perEntity = { of: "up", key: null, min: 1 };
const coverage: CoverageExpectation = {
  of: { kind: "processor", name: "up" },
  key: "id",
  ofKey: "id",
  min: 1,
  extra: null,
  excusedBy: null,
};

/** By date from 2024-01-01 on: rows with the metrics of the expectation. */
function dates(...cells: readonly (readonly [rows: number, ...metrics: readonly number[]])[]): SeenDate[] {
  return cells.map(([rows, ...metrics], index) => ({ date: `2024-01-0${index + 1}`, rows, metrics }));
}

function scene(
  expectation: ExpectationSketch,
  seen: Scene["seen"] & object,
  up: ProcessorSketch = { repair: null },
  own: ProcessorSketch = {},
): Scene {
  // Four dates, of which the last is today.
  return {
    processors: { a: { expect: expectation, ...own }, up },
    seen,
    now: "2024-01-04T12:00Z",
  };
}

/** Without today. */
const states = (made: Scene, processor = "a") => statesOf(assessed(made), processor).slice(0, -1);

const explained = (made: Scene, date: string) => {
  const assessment = assessed(made);
  const [processor] = assessment.grid.pipeline.processors;
  if (processor === undefined) throw new RangeError("no processor");
  return explainCell(assessment, processor, Number(date.slice(-2)) - 1);
};

describe("with rows.min: 0", () => {
  test("alone, every date may be empty", () => {
    expect(states(scene({ rows: { min: 0 } }, { a: "1.1" }))).toBe("CCC");
  });

  test("and per_unit, a date with units may not", () => {
    expect(states(scene({ rows: { min: 0, perUnit: 1 } }, { a: "1.1" }))).toBe("CMC");
    expect(states({ ...scene({ rows: { min: 0, perUnit: 1 } }, { a: "1.1" }), units: 0 })).toBe("CMC");
  });

  test("and per_entity, a date may be empty where the other table asks for nothing and its cell is complete", () => {
    const expectation = { rows: { min: 0, perEntity } };
    // Entities: 1, 0, 2. On the second date the other table has lost its rows, or may be empty itself.
    const own = dates([1, 1], [0, 0], [0, 2]);
    expect(states(scene(expectation, { a: own, up: "1.2" }))).toBe("CMM");
    const mayBeEmpty = { repair: null, expect: { rows: { min: 0 } } };
    expect(states(scene(expectation, { a: own, up: "1.2" }, mayBeEmpty))).toBe("CCM");
  });

  test("a date that is not in the profile has nothing in the other tables either", () => {
    const expectation = { rows: { min: 0, perEntity } };
    const mayBeEmpty = { repair: null, expect: { rows: { min: 0 } } };
    const own = [{ date: "2024-01-01", rows: 1, metrics: [1] }];
    expect(states(scene(expectation, { a: own, up: "1.." }, mayBeEmpty))).toBe("CCC");
  });

  test("and coverage, a date may be empty where the other table has no key and its cell is complete", () => {
    const expectation = { rows: { min: 0 }, coverage };
    const own = dates([1, 1, 0, 1], [0, 0, 0, 0], [0, 2, 2, 0]);
    expect(states(scene(expectation, { a: own, up: "1.2" }))).toBe("CMM");
    expect(states(scene(expectation, { a: own, up: "112" }))).toBe("CCM");
    const excused = dates([0, 3, 0, 0], [0, 3, 1, 0]);
    expect(states(scene(expectation, { a: excused, up: "33" }))).toBe("CMM");
  });

  test("rows without anything to cover are still not evaluated", () => {
    const own = dates([1, 0, 0, 0]);
    expect(states(scene({ rows: { min: 0 }, coverage }, { a: own, up: "1" }))[0]).toBe("P");
  });

  test("both per_entity and coverage have to ask for nothing", () => {
    const expectation = { rows: { min: 0, perEntity }, coverage };
    const own = dates([0, 0, 1, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]);
    expect(states(scene(expectation, { a: own, up: "111" }))).toBe("MMC");
  });

  test("an other cell that could not be observed leaves an empty date unknown, and says why", () => {
    const expectation = { rows: { min: 0, perEntity } };
    const made = scene(expectation, { a: dates([1, 1], [0, 0], [0, 2]), up: "1??" });
    expect(states(made)).toBe("C?M");
    const unknown = resultDocument({
      assessment: assessed(made),
      target: null,
      steps: [],
      repairs: [],
      cost: null,
    }).unknown.find(({ processor }) => processor === "a");
    expect(unknown).toMatchObject({
      date: "2024-01-02",
      message: expect.stringMatching(
        /^no rows, and whether rows are expected depends on up, which could not/,
      ),
    });
  });

  test("an other date that is not scheduled asks for nothing", () => {
    const made: Scene = {
      ...scene({ rows: { min: 0, perEntity } }, { a: dates([1, 1], [0, 0], [1, 1]), up: "1.1" }),
      processors: {
        a: { expect: { rows: { min: 0, perEntity } } },
        up: { repair: null, schedule: "weekly" },
      },
      schedules: [
        everyDay,
        {
          ...everyDay,
          name: "weekly",
          source: { kind: "calendar", every: "week", weekday: 1, day: "first" },
        },
      ],
    };
    expect(states(made)).toBe("CCC");
  });
});

describe("with rows.when", () => {
  test("rows are asked for only where the other table has enough of them", () => {
    const seen = { a: "1..", up: "311" };
    expect(states(scene({ rows: { min: 0, when: when() } }, seen))).toBe("CMM");
    expect(states(scene({ rows: { min: 0, when: when(2) } }, seen))).toBe("CCC");
    expect(states(scene({ rows: { min: 5, when: when(2) } }, { a: "111", up: "311" }))).toBe("PCC");
  });

  test("per_entity says how many, where it is given too", () => {
    const expectation = { rows: { min: 0, when: when(), perEntity } };
    expect(states(scene(expectation, { a: dates([0, 0], [0, 2], [2, 2]), up: "111" }))).toBe("CMC");
  });

  test("an empty date waits for an other cell that is a gap, and is no gap of its own", () => {
    const made = scene({ rows: { min: 0, when: when() } }, { a: "...", up: "1.?" });
    expect(states(made)).toBe("Mp?");
    expect(explained(made, "2024-01-02").next).toBe(
      "whether rows are expected depends on up, which is missing on this date: it waits for that cell",
    );
  });

  test("what waits for another cell makes those wait that wait for it", () => {
    const made = {
      ...scene({ rows: { min: 0, when: { of: "b", min: 1 } } }, { up: "1.1", b: "1..", a: "1.." }),
      processors: {
        a: { expect: { rows: { min: 0, when: { of: "b", min: 1 } } } },
        b: { expect: { rows: { min: 0, when: when() } } },
        up: {},
      },
    };
    expect([states(made, "up"), states(made, "b"), states(made)]).toEqual(["CMC", "CpM", "Cpp"]);
  });

  test("a forecast takes the repaired other cell for filled", () => {
    const made = scene({ rows: { min: 0, when: when() } }, { a: "1.1", up: "1.1" }, {}, { needs: ["up"] });
    const steps = cascade(inputOf(made)).map(({ repairUnit, startDate, wave }) => [
      repairUnit,
      startDate,
      wave,
    ]);
    expect(steps).toEqual([
      [1, "2024-01-02", 1],
      [0, "2024-01-02", 2],
    ]);
  });
});

describe("with a completion log", () => {
  const withRows = { ...log, rowsColumn: "written" };

  test("any entry completes an empty date, without rows_column", () => {
    const made = scene({ rows: { min: 0, completionLog: log } }, { a: dates([1, 1], [0, 1], [0, 0]) });
    expect(states(made)).toBe("CCM");
  });

  test("only an entry with 0 rows does with rows_column, and one with more makes it a gap whatever else is so", () => {
    const own = dates([0, 1, 0], [0, 2, 5], [0, 1, Number.NaN]);
    expect(states(scene({ rows: { min: 0, completionLog: withRows } }, { a: own }))).toBe("CMM");
    const both = { rows: { min: 0, completionLog: withRows, when: when() } };
    const mayBeEmpty = { repair: null, expect: { rows: { min: 0 } } };
    expect(states(scene(both, { a: own, up: "1.." }, mayBeEmpty))).toBe("CMC");
  });

  test("a row requirement needs no rows of its own for a date that the log completes", () => {
    const made = scene({ rows: { min: 5, completionLog: withRows } }, { a: dates([0, 1, 0], [0, 0, 0]) });
    expect(states(made)).toBe("CMM");
  });
});

describe("tables whose empty dates are judged by each other", () => {
  test("prove nothing to each other", () => {
    const mutual = (of: string): ExpectationSketch => ({ rows: { min: 0, perEntity: { ...perEntity, of } } });
    const made: Scene = {
      processors: { a: { expect: mutual("b") }, b: { expect: mutual("a") } },
      seen: { a: dates([1, 1], [0, 0], [0, 0]), b: dates([1, 1], [0, 0], [0, 0]) },
      now: "2024-01-04T12:00Z",
    };
    expect([states(made), states(made, "b")]).toEqual(["CMM", "CMM"]);
    expect(explained(made, "2024-01-02").expected).toContain(
      "whether rows are expected depends on b, and that depends on this table: neither proves the other",
    );
  });
});

describe("what is downstream of an empty date", () => {
  test("is not blocked by it", () => {
    const made = scene(
      { rows: { min: 1 } },
      { a: "1.1", up: "1.1" },
      { expect: { rows: { min: 0 } } },
      { needs: ["up"] },
    );
    expect(explained(made, "2024-01-02")).toMatchObject({ state: "missing", disposition: "ready" });
  });

  test("an upstream that is exempt without rows exempts what waits for it", () => {
    const made = scene(
      { rows: { min: 0, when: when() } },
      { a: "1.1", up: "1.1" },
      { repair: null, available: { from: "2024-01-03" } },
      { needs: ["up"] },
    );
    expect([states(made, "up"), states(made)]).toEqual(["CEC", "CEC"]);
  });
});

test.each<[string, ExpectationSketch, Scene["seen"] & object, string]>([
  ["up has 0 rows", { rows: { min: 0, perEntity } }, { a: dates([0, 0]), up: "." }, "per_entity"],
  [
    "up has no player",
    { rows: { min: 0, perEntity: { ...perEntity, key: "player" } } },
    { a: dates([0, 0]), up: "9" },
    "entities",
  ],
  ["up has no id", { rows: { min: 0 }, coverage }, { a: dates([0, 0, 0, 0]), up: "." }, "coverage"],
  ["up has 0 rows", { rows: { min: 0, when: when() } }, { a: ".", up: "." }, "when"],
  [
    "up has 1 row, fewer than 2 (rows.when)",
    { rows: { min: 0, when: when(2) } },
    { a: ".", up: "1" },
    "when with a minimum",
  ],
  ["rows.min is 0 and nothing else is asked for", { rows: { min: 0 } }, { a: ".", up: "." }, "nothing else"],
  [
    "the completion log ops.log says that 0 rows were written",
    { rows: { min: 0, completionLog: { ...log, rowsColumn: "n" } } },
    { a: dates([0, 1, 0]), up: "." },
    "a log",
  ],
])("explain says that none are expected as %s", (why, expectation, seen) => {
  const { next, expected, checks } = explained(
    scene(expectation, seen, { repair: null, expect: { rows: { min: 0 } } }),
    "2024-01-01",
  );
  expect(next).toBe(`nothing: no rows, and none expected: ${why}`);
  expect(expected).toContain(`no rows, and none expected: ${why}`);
  expect(checks).toEqual([]);
});

test("explain says of a missing date why rows are expected", () => {
  const text = (expectation: ExpectationSketch, seen: Scene["seen"] & object) =>
    explained(scene(expectation, seen), "2024-01-01").expected;
  expect(text({ rows: { min: 0, perEntity } }, { a: dates([0, 3]), up: "3" })).toEqual([
    "1 unit in schedule default",
    "at least 3 rows",
    "rows are expected: up has 3 rows",
  ]);
  expect(
    text({ rows: { min: 0, completionLog: { ...log, rowsColumn: "n" } } }, { a: dates([0, 1, 5]) }),
  ).toContain("rows are expected: the completion log ops.log says that 5 were written");
});
