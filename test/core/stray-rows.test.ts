import { describe, expect, test } from "vitest";
import { strayRowsOf } from "../../src/core/stray-rows.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { inputOf, type Scene } from "../support/sight.ts";

const none = { withoutDate: 0, before: 0, after: 0 };

/** Of the first processor. */
function straysOf(scene: Scene) {
  const input = inputOf(scene);
  const [processor] = input.compiled.pipeline.processors;
  if (processor === undefined) throw new RangeError("there is no processor");
  return strayRowsOf(input, processor);
}

describe("rows that stand in no cell", () => {
  test("are those that the scan counted outside of its dates", () => {
    const outside = { orders: { withoutDate: 2, before: 3, after: 4 } };
    expect(straysOf({ processors: { orders: {} }, seen: { orders: "####" }, outside })).toEqual({
      withoutDate: 2,
      afterToday: 4,
      beforeSchedule: 3,
    });
  });

  test("and those of its dates that precede the schedule or follow today", () => {
    // Another schedule begins earlier, and the pipeline looks ahead.
    const scene: Scene = {
      schedules: ["late", "early"].map((name) => ({ ...tableSchedule(), name })),
      processors: { orders: { schedule: "late" }, others: { schedule: "early" } },
      dates: { late: "---aa", early: "aaaaa" },
      seen: { orders: "12345678", others: "#####" },
      outside: { orders: { ...none, before: 10 } },
      now: "2024-01-06T12:00Z",
      last: "2024-01-08",
    };
    expect(straysOf(scene)).toEqual({ withoutDate: 0, afterToday: 7 + 8, beforeSchedule: 10 + 1 + 2 + 3 });
  });

  test("are no rows of a scheduled date after today that the grid has", () => {
    const scene: Scene = {
      processors: { orders: {} },
      seen: { orders: "####" },
      now: "2024-01-02T12:00Z",
      last: "2024-01-03",
      outside: { orders: none },
    };
    expect(straysOf(scene)).toEqual({ withoutDate: 0, afterToday: 10, beforeSchedule: 0 });
  });

  test("are null where nobody counted, except for those that were seen all the same", () => {
    const scene: Scene = { processors: { orders: {} }, seen: { orders: "####" } };
    expect(straysOf(scene)).toBeNull();
    expect(straysOf({ ...scene, now: "2024-01-03T12:00Z" })).toEqual({
      withoutDate: null,
      afterToday: 10,
      beforeSchedule: null,
    });
    const outside = { orders: { withoutDate: 1, before: null, after: 0 } };
    expect(straysOf({ ...scene, outside })).toEqual({ withoutDate: 1, afterToday: 0, beforeSchedule: null });
  });

  test("are not told of a table that could not be read, nor where there are none", () => {
    const processors = { orders: {} };
    expect(straysOf({ processors, seen: { orders: "####" }, outside: { orders: none } })).toBeNull();
    const outside = { orders: { ...none, after: 1 } };
    expect(straysOf({ processors, seen: { orders: null }, outside })).toBeNull();
  });
});
