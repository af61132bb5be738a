import { describe, expect, test } from "vitest";
import { State, stateNames } from "../../src/core/grid.ts";
import { stateGlyphs, worstState } from "../../src/presentation/states.ts";
import { displayWidth } from "../../src/terminal/text.ts";

describe("the state of a column", () => {
  test("is the worst of its dates, in this order", () => {
    const order = [
      "unknown",
      "invalid",
      "missing",
      "partial",
      "stale",
      "pending",
      "unexpected",
      "exempt",
      "complete",
      "unscheduled",
    ] as const;
    expect([...order].sort()).toEqual([...stateNames].sort());
    for (const [rank, worse] of order.entries()) {
      for (const better of order.slice(rank)) expect(worstState([State[better], State[worse]])).toBe(worse);
    }
  });

  test("of no dates is no state", () => {
    expect(worstState([])).toBe("unscheduled");
  });
});

test("every state has a glyph of its own, one cell wide", () => {
  const glyphs = Object.values(stateGlyphs);
  expect(new Set(glyphs).size).toBe(stateNames.length);
  expect(glyphs.map(displayWidth)).toEqual(glyphs.map(() => 1));
});
