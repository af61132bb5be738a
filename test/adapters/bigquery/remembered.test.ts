// Goal: what is remembered is never older than the table. Method: random histories of a table in memory, with metadata as
// BigQuery has it; a profile of it is the number of its rows.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterAsking,
  afterChanges,
  afterRefreshing,
  noProfile,
  nothingRemembered,
  type Remembered,
  type TableNow,
  toRefresh,
  within,
} from "../../../src/adapters/bigquery/remembered.ts";
import { daysIn, type Spans, spansOf, subtract } from "../../../src/adapters/bigquery/spans.ts";
import { fromDay } from "../../../src/core/iso-date.ts";
import type { Profile } from "../../../src/core/observation.ts";

const range: Spans = [{ from: 0, to: 9 }];

function profileOf(days: readonly number[], rowsOf: (day: number) => number): Profile {
  const column = Float64Array.from(days, rowsOf);
  return {
    ...noProfile,
    days: Int32Array.from(days),
    rows: column,
    entities: column,
    firstWriteMs: column,
    lastWriteMs: column,
  };
}

/** A table by day whose last write of a partition is told, and its rows; deletions change the rows alone. */
class Model {
  readonly rows = new Map<number, number>();
  readonly written = new Map<number, number>();
  clock = 0;

  write(day: number, rows: number): void {
    this.clock += 1;
    if (rows >= (this.rows.get(day) ?? 0)) this.written.set(day, this.clock);
    if (rows === 0) this.rows.delete(day);
    else this.rows.set(day, rows);
  }

  get now(): TableNow {
    const stamps = new Map(
      [...this.rows].map(([day, rows]) => [
        fromDay(day).replaceAll("-", ""),
        `${this.written.get(day)}/${rows}`,
      ]),
    );
    const sum = [...this.rows.values()].reduce((total, rows) => total + rows, 0);
    const dates = { kind: "date" } as const;
    return {
      version: `${this.clock}/${sum}`,
      stamps,
      isAhead: false,
      dates,
      isBuffered: false,
      expirationMs: null,
    };
  }

  profile(days: Spans): Profile {
    const there = [...daysIn(days)].filter((day) => this.rows.has(day)).toSorted((one, other) => one - other);
    return profileOf(there, (day) => this.rows.get(day) ?? 0);
  }
}

test("what is settled is what the table holds, whatever happened and however little was asked", () => {
  const write = fc.record({ day: fc.nat({ max: 9 }), rows: fc.nat({ max: 2 }) });
  const step = fc.record({
    writes: fc.array(write, { maxLength: 3 }),
    asked: fc.integer({ min: 0, max: 10 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const model = new Model();
      let known = nothingRemembered("g", [model.now], 0);
      for (const { writes, asked } of steps) {
        for (const { day, rows } of writes) model.write(day, rows);
        known = afterChanges(known, [model.now]);
        // The newest days first, as far as a budget goes.
        const days = [...daysIn(subtract(range, known.settled))].slice(-asked || 10);
        const spans = spansOf(days.map((day) => ({ from: day, to: day })));
        known = afterAsking(known, spans, model.profile(spans), []);
        expect(within(known.profile, known.settled)).toEqual(model.profile(known.settled));
      }
      known = afterAsking(known, range, model.profile(range), []);
      // Where nothing changes, nothing has to be asked.
      expect(afterChanges(known, [model.now]).settled).toEqual(range);
    }),
    { numRuns: 2_000 },
  );
});

describe("a table that changed", () => {
  const stamps = new Map([
    ["19700101", "1/5"],
    ["19700103", "1/5"],
  ]);
  const table = (now: Partial<TableNow>): TableNow => {
    const rest = { isAhead: false, isBuffered: false, expirationMs: null };
    return { version: "1/10", stamps, dates: { kind: "date" }, ...rest, ...now };
  };
  const settled: Remembered = { ...nothingRemembered("g", [table({})], 0), settled: range };
  const leftOf = (before: Partial<TableNow>, now: Partial<TableNow>) =>
    afterChanges({ ...settled, tables: [table(before)] }, [table(now)]).settled;

  test("moves the days of partitions that were written, deleted or added", () => {
    const later = new Map([
      ["19700103", "1/4"],
      ["19700105", "2/1"],
    ]);
    expect(leftOf({}, { version: "2/5", stamps: later })).toEqual(
      subtract(range, spansOf([0, 2, 4].map((day) => ({ from: day, to: day })))),
    );
  });

  test("and no partition of it moves everything, for it may be anywhere", () => {
    expect(leftOf({}, { version: "2/10" })).toEqual([]);
  });

  test("and no partition of it moves nothing where rows arrive in a buffer, or a partition was seen changed before", () => {
    expect(leftOf({}, { version: "2/10", isBuffered: true })).toEqual(range);
    expect(leftOf({ isAhead: true }, { version: "2/10" })).toEqual(range);
  });

  test("moves everything where its partitions are not known, before or now", () => {
    expect(leftOf({ stamps: null }, { version: "2/10" })).toEqual([]);
    expect(leftOf({}, { version: "2/10", stamps: null, dates: null })).toEqual([]);
    expect(leftOf({ stamps: null }, { stamps: null })).toEqual(range);
  });
});

test("days that may change without any sign are known for the moment alone", () => {
  const asked = afterAsking(
    nothingRemembered("g", [], 0),
    range,
    profileOf([1, 8], (day) => day),
    [{ from: 7, to: Infinity }],
  );
  expect(asked.settled).toEqual([{ from: 0, to: 6 }]);
  expect([...asked.profile.days]).toEqual([1, 8]);
});

test("all is asked anew from the newest day to the oldest, in as many surveys as it takes", () => {
  let known: Remembered = { ...nothingRemembered("g", [], 0), settled: range };
  expect(toRefresh(known, range)).toEqual(range);
  known = afterRefreshing(known, [{ from: 6, to: 9 }], range, 5);
  expect(known).toMatchObject({ freshAt: 0, refreshedFrom: 6 });
  expect(toRefresh(known, range)).toEqual([{ from: 0, to: 5 }]);
  known = afterRefreshing(known, [{ from: 0, to: 5 }], range, 7);
  expect(known).toMatchObject({ freshAt: 7, refreshedFrom: null });
});
