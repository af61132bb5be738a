// Method: a daemon over a real DuckDB warehouse and ledger, whose ledger answers too late.
import { expect, test } from "vitest";
import { ReconcilerError } from "../../src/errors.ts";
import { fill, ordersOfEachTest, startDaemon } from "../support/running-daemon.ts";
import { hurriedClock } from "../support/test-clocks.ts";

const orders = ordersOfEachTest();

const tooLate = () => new ReconcilerError("ledger_unavailable", "no answer in time");

test("a start that is on record though the ledger did not say so is withdrawn: its cells are run again soon, and charged nothing", async () => {
  let [starts, ends] = [0, 0];
  const daemon = await startDaemon(orders.warehouse, fill, {
    around: (context) => ({
      ...context,
      clock: hurriedClock,
      ledger: {
        ...context.ledger,
        recordStart: async (start) => {
          await context.ledger.recordStart(start);
          if (++starts === 1) throw tooLate();
        },
        recordEnd: async (end) => {
          if (++ends === 1) throw tooLate();
          await context.ledger.recordEnd(end);
        },
      },
    }),
  });
  await daemon.told("repair failed: ledger_unavailable");
  // What it looks at meanwhile takes nobody's start for lost.
  daemon.tick();
  await daemon.told("ended repaired");
  await daemon.stop();
  const { attempts, recentEnds, unfinished } = await daemon.context.ledger.read(Date.now());
  expect(unfinished).toEqual([]);
  // In whatever order: by a hurried clock the first one may end after the second, which a look at the real time came before.
  expect(recentEnds.map(({ outcome, errorCode }) => `${outcome} ${errorCode}`).toSorted()).toEqual([
    "failed cancelled",
    "repaired null",
  ]);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(["repaired"]);
});

test("a stop waits for no further try to withdraw a start", async () => {
  let tries = 0;
  const daemon = await startDaemon(orders.warehouse, fill, {
    around: (context) => ({
      ...context,
      // No wait ends by itself.
      clock: { ...context.clock, sleep: (_ms, signal) => context.clock.sleep(600_000, signal) },
      ledger: {
        ...context.ledger,
        recordStart: () => Promise.reject(tooLate()),
        recordEnd: () => {
          tries++;
          return Promise.reject(tooLate());
        },
      },
    }),
  });
  await daemon.told("repair failed: ledger_unavailable");
  await daemon.stop();
  expect(tries).toBe(1);
});
