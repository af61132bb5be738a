// Goal: what a replica takes for the time decides nothing. Method: one of three daemons whose wall clock is an hour off, by libfaketime;
// its monotonic clock is its own, as it is on a machine whose clock was set.
import { expect, test } from "vitest";
import { findFakeTime } from "../../scripts/fake-time.ts";
import { withStorm, wrongs } from "./storm.ts";

for (const [shift, name] of [
  ["+1h", "ahead"],
  ["-1h", "behind"],
] as const) {
  test(`a replica whose clock is an hour ${name}`, () =>
    withStorm({ envs: [fakedBy(shift)] }, async (storm) => {
      await storm.untilConverged();
      expect(await wrongs(storm)).toEqual([]);
      const workers = "select distinct worker from nba_reconciler.repair_starts";
      expect(await storm.ledger(workers)).toHaveLength(3);
      const odd = `select repair_id from nba_reconciler.repair_starts
        where started_at not between timestamp_sub(current_timestamp(), interval 10 minute) and current_timestamp()`;
      expect(await storm.ledger(odd)).toEqual([]);
    }));
}

function fakedBy(shift: string): Readonly<Record<string, string>> {
  const library = findFakeTime();
  if (library === null) throw new Error("there is no libfaketime: run `npm run prestorms`");
  return { LD_PRELOAD: library, FAKETIME: shift, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}
