import { expect, test } from "vitest";
import { compilePipeline } from "../../src/core/assessment.ts";
import { dueAt, dueTimes, lastDueDays } from "../../src/core/due.ts";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { formatInstant } from "../../src/core/wall-clock.ts";
import { instant } from "../support/ledger.ts";
import { pipelineOf, type ProcessorSketch } from "../support/pipeline.ts";

const early = { daysAfter: 0, minuteOfDay: 60 };
const late = { daysAfter: 2, minuteOfDay: 30 };

function duesOf(processors: Readonly<Record<string, ProcessorSketch>>) {
  return dueTimes(compilePipeline(pipelineOf({ processors })));
}

test("a cell is due no earlier than a hard upstream of its date, however far up", () => {
  const dues = duesOf({ c: { due: early, needs: ["b"] }, b: { due: early, needs: ["a"] }, a: { due: late } });
  expect(dues).toEqual([late, late, late]);
});

test("soft upstreams and those of other dates delay nothing, and of several the first is enough", () => {
  const before = { kind: "days", days: 3, sameDate: false } as const;
  const dues = duesOf({
    late: { due: late },
    early: { due: early },
    soft: { due: early, needs: [{ on: "late", mode: "soft" }] },
    lookback: { due: early, needs: [{ on: "late", window: before }] },
    either: { due: early, needs: [{ on: ["late", "early"] }] },
  });
  expect(dues).toEqual([late, early, early, early, early]);
});

test("a day is due from its instant on, by the clock of the zone", () => {
  const compiled = compilePipeline(
    pipelineOf({
      timezone: "America/New_York",
      processors: { a: { due: { daysAfter: 1, minuteOfDay: 360 } } },
    }),
  );
  const due = dueTimes(compiled)[0] ?? early;
  const at = dueAt(due, toDay(parseIsoDate("2024-01-05")), "America/New_York");
  expect(formatInstant(at)).toBe("2024-01-06T11:00:00Z");
  const lastDue = (now: number) => lastDueDays(compiled, now).map(fromDay);
  expect(lastDue(instant("2024-01-06T10:59:59.999Z"))).toEqual(["2024-01-04"]);
  expect(lastDue(instant("2024-01-06T11:00Z"))).toEqual(["2024-01-05"]);
});
