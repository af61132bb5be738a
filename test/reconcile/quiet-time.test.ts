import { expect, test } from "vitest";
import { QuietTime } from "../../src/reconcile/quiet-time.ts";
import { testClock } from "../support/test-clocks.ts";

const minute = 60_000;

/** Asks at the end of each minute, with a look wherever it is due, and returns the minutes of those. */
function looksWithin(minutes: number, isQuiet: (at: number) => boolean): readonly number[] {
  const own = testClock();
  const quiet = new QuietTime(own.clock);
  const looks: number[] = [];
  for (let at = 0; at <= minutes; at++) {
    if (quiet.isTooLong(isQuiet(at))) {
      looks.push(at);
      quiet.lookedAt();
    }
    own.skipMs += minute;
  }
  return looks;
}

test("who waits for others looks after a minute without news, and then ever less often, but every quarter of an hour", () => {
  expect(looksWithin(60, () => true)).toEqual([1, 3, 7, 15, 30, 45, 60]);
});

test("it counts anew from where something happened, and not at all where nobody else is waited for", () => {
  expect(looksWithin(10, (at) => at !== 4)).toEqual([1, 3, 6, 8]);
  expect(looksWithin(60, () => false)).toEqual([]);
});
