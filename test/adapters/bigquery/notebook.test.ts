import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Notebook } from "../../../src/adapters/bigquery/notebook.ts";
import { readProcessor, writeProcessor } from "../../../src/adapters/bigquery/processor-notes.ts";
import {
  noProfile,
  nothingRemembered,
  type Remembered,
  within,
} from "../../../src/adapters/bigquery/remembered.ts";
import { readSchedule, writeSchedule } from "../../../src/adapters/bigquery/schedule-notes.ts";
import { spansOf } from "../../../src/adapters/bigquery/spans.ts";
import { noteBytesMax, type SurveyMemory } from "../../../src/adapters/bigquery/survey-memory.ts";
import type { RememberedSchedule } from "../../../src/adapters/bigquery/survey-schedules.ts";
import { memoryOfTests } from "../../support/bigquery/survey-memory.ts";

const day = fc.integer({ min: 19_700, max: 19_800 });
// JSON has no negative zero, and nothing that is judged differs by it.
const number = fc
  .oneof(fc.integer(), fc.double(), fc.constantFrom(NaN, Infinity, -Infinity))
  .map((value) => value + 0);

const remembered: fc.Arbitrary<Remembered> = fc
  .record({
    entries: fc.uniqueArray(fc.tuple(day, number, number), { selector: ([at]) => at, maxLength: 20 }),
    settled: fc.array(fc.record({ from: day, to: day }), { maxLength: 4 }),
    stamps: fc.option(fc.uniqueArray(fc.constantFrom("20240101", "20240215", "2024021503", "__NULL__"))),
    refreshedFrom: fc.option(day),
    isAhead: fc.boolean(),
  })
  .map(({ entries, settled, stamps, refreshedFrom, isAhead }) => {
    const sorted = entries.toSorted(([one], [other]) => one - other);
    const rows = Float64Array.from(sorted, ([, value]) => value);
    const days = Int32Array.from(sorted, ([at]) => at);
    const metrics = days.length === 0 ? [] : [Float64Array.from(sorted, ([, , value]) => value)];
    const profile = {
      ...noProfile,
      days,
      rows,
      entities: rows,
      firstWriteMs: rows,
      lastWriteMs: rows,
      metrics,
    };
    const table = {
      version: "1/2",
      isAhead,
      stamps: stamps === null ? null : new Map(stamps.map((id) => [id, `${id}/1`])),
    };
    const known = spansOf(settled.filter(({ from, to }) => from <= to));
    return { ...nothingRemembered("g", [table], 12.5), settled: known, profile, refreshedFrom };
  });

/** Days that are not settled are not worth keeping. */
const settledOf = (value: Remembered) => {
  const profile = within(value.profile, value.settled);
  return { ...value, profile: profile.days.length === 0 ? noProfile : profile };
};

test("what is remembered of a processor is read as it was written, every number of it", () => {
  fc.assert(
    fc.property(remembered, (value) => {
      expect(readProcessor(writeProcessor(value))).toEqual(settledOf(value));
    }),
  );
});

test("a processor is unknown where any of its notes is missing or of another time", () => {
  fc.assert(
    fc.property(remembered, (value) => {
      const bodies = writeProcessor(value);
      for (const [part, body] of bodies) {
        expect(readProcessor(new Map([...bodies].filter(([other]) => other !== part)))).toBeNull();
        expect(readProcessor(new Map([...bodies, [part, part === "head" ? "{}" : `${body} `]]))).toBeNull();
      }
    }),
  );
});

test("a schedule is read as it was written", () => {
  const schedule: RememberedSchedule = {
    key: "k",
    observation: {
      days: Int32Array.of(19_600, 19_601, 20_000),
      units: Float64Array.of(5, 0, 12),
      season: Int32Array.of(0, 0, 1),
      seasons: [
        { name: "2023-24", startDay: 19_600 },
        { name: "", startDay: 20_000 },
      ],
    },
  };
  const bodies = writeSchedule(schedule);
  expect([...bodies.keys()]).toEqual(["2023", "2024", "head"]);
  expect(readSchedule(bodies)).toEqual(schedule);
  expect(readSchedule(new Map([...bodies, ["2023", "cut off"]]))).toBeNull();
});

describe("a notebook", () => {
  const profileOf = (days: readonly number[], value: number) => {
    const column = Float64Array.from(days, () => value);
    const columns = { rows: column, entities: column, firstWriteMs: column, lastWriteMs: column };
    return { ...noProfile, ...columns, days: Int32Array.from(days) };
  };
  const known = (days: readonly number[], value: number): Remembered => ({
    ...nothingRemembered("g", [], 0),
    settled: [{ from: 19_700, to: 19_800 }],
    profile: profileOf(days, value),
  });
  const of = (value: Remembered) => ({ processors: new Map([["scores", value]]), schedules: new Map() });
  // In December 2023, in January and in February 2024.
  const days = [19_701, 19_723, 19_754];

  test("writes what changed alone, later than what was there whatever the clock says", async () => {
    const memory = memoryOfTests();
    const notebook = new Notebook(memory);
    await notebook.recall();
    const first = known(days, 1);
    await notebook.keep(of(first), 100);
    expect(memory.appended.map(({ part }) => part)).toEqual([
      "profile/2023-12",
      "profile/2024-01",
      "profile/2024-02",
      "head",
    ]);
    await notebook.keep(of(first), 200);
    expect(memory.appended).toHaveLength(4);
    const next = new Notebook(memory);
    expect((await next.recall()).processors).toEqual(new Map([["scores", first]]));
    const second = { ...first, profile: { ...first.profile, rows: Float64Array.of(1, 1, 7) } };
    await next.keep(of(second), 50);
    expect(memory.appended.slice(4).map(({ part }) => part)).toEqual(["profile/2024-02", "head"]);
    expect(memory.appended.at(-1)?.at).toBeGreaterThan(100);
    expect((await new Notebook(memory).recall()).processors).toEqual(new Map([["scores", second]]));
  });

  test("writes again what could not be written", async () => {
    const memory = memoryOfTests();
    let isAway = true;
    const failing: SurveyMemory = {
      read: () => memory.read(),
      append: (notes) => (isAway ? Promise.reject(new Error("away")) : memory.append(notes)),
    };
    const notebook = new Notebook(failing);
    await expect(notebook.keep(of(known(days, 1)), 1)).rejects.toThrow("away");
    isAway = false;
    await notebook.keep(of(known(days, 1)), 2);
    expect(memory.appended).toHaveLength(4);
  });

  test("keeps nothing of a processor of which a part is too large for a note", async () => {
    const memory = memoryOfTests();
    const metrics = Array.from({ length: noteBytesMax }, () => Float64Array.of(1));
    const wide = { ...known([19_701], 1), profile: { ...profileOf([19_701], 1), metrics } };
    await new Notebook(memory).keep(of(wide), 1);
    expect(memory.appended).toEqual([]);
  });
});
