import { describe, expect, test } from "vitest";
import { cascade } from "../../src/core/cascade.ts";
import { attempt } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, inputOf, type Scene, statesOf } from "../support/sight.ts";

/** A running total: each date is computed from the one before. */
const balance = (more: Scene["processors"][string] = {}): Scene["processors"] => ({
  balance: { dependsOnPast: true, stale: "follow", ...more },
});

const jobs = (scene: Scene) =>
  cascade(inputOf(scene)).map(
    ({ wave, startDate, endDate, reason }) => `${wave} ${startDate}..${endDate} ${reason}`,
  );

describe("a filled hole", () => {
  const seen = { balance: "##.####" };

  test("is carried forward in the job that fills it, as far as one job goes", () => {
    expect(jobs({ processors: balance(), seen })).toEqual([
      "1 2024-01-03..2024-01-07 1 missing, 4 carried forward",
    ]);
    expect(jobs({ processors: balance({ repair: { maxDatesPerJob: 3 } }), seen })).toEqual([
      "1 2024-01-03..2024-01-05 1 missing, 2 carried forward",
      "2 2024-01-06..2024-01-07 1 stale, 1 carried forward",
    ]);
  });

  test("is carried forward date by date where a run takes a single one, each date once", () => {
    expect(jobs({ processors: balance({ repair: { batch: "single" } }), seen })).toEqual([
      "1 2024-01-03..2024-01-03 1 missing",
      "2 2024-01-04..2024-01-04 1 stale",
      "3 2024-01-05..2024-01-05 1 stale",
      "4 2024-01-06..2024-01-06 1 stale",
      "5 2024-01-07..2024-01-07 1 stale",
    ]);
  });

  test("goes on into the next season, in a job of its own", () => {
    const scene: Scene = {
      processors: balance(),
      schedules: [tableSchedule()],
      dates: { default: "aaaabbb" },
      seen,
    };
    expect(jobs(scene)).toEqual([
      "1 2024-01-03..2024-01-04 1 missing, 1 carried forward",
      "2 2024-01-05..2024-01-07 1 stale, 2 carried forward",
    ]);
  });

  test("changes nothing behind it where nobody follows, and no state before it is filled", () => {
    expect(jobs({ processors: balance({ stale: "report" }), seen })).toEqual([
      "1 2024-01-03..2024-01-03 1 missing",
    ]);
    expect(statesOf(assessed({ processors: balance(), seen }), "balance")).toBe("CCMCCCCp");
  });
});

test("a date that is given up stops the chain, and leaves the dates behind it as they are", () => {
  const attempts = [1, 2, 3].map((hour) => attempt("balance", "2024-01-03", `2024-01-07T0${hour}:00Z`));
  const scene: Scene = { processors: balance(), seen: { balance: "##.#.##" }, ledger: { attempts } };
  expect(dispositionsOf(assessed(scene), "balance").slice(0, -1)).toBe("..x.b..");
  expect(cellAt(assessed(scene), "balance", "2024-01-05")).toMatchObject({ reason: "chronological" });
  expect(jobs(scene)).toEqual([]);
});

test("a date waits for the one before while nobody can see that", () => {
  const scene: Scene = { processors: balance(), seen: { balance: "#?.####" } };
  expect(cellAt(assessed(scene), "balance", "2024-01-03")).toMatchObject({
    disposition: "blocked",
    reason: "upstream",
  });
});

test("what is carried forward waits for its other inputs", () => {
  const scene: Scene = {
    processors: { movements: {}, ...balance({ needs: ["movements"] }) },
    seen: { movements: "####.##", balance: "##.####" },
  };
  expect(jobs(scene)).toEqual([
    "1 2024-01-05..2024-01-05 1 missing",
    "1 2024-01-03..2024-01-04 1 missing, 1 carried forward",
    "2 2024-01-05..2024-01-07 1 stale, 2 carried forward",
  ]);
});
