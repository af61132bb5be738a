import { expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { emptyLedgerRecords, type RepairEnd } from "../../src/core/ledger-records.ts";
import { withEnd } from "../../src/reconcile/known-records.ts";

function end(repair: string, number: number): RepairEnd {
  return {
    repairId: `${repair}-${number}`,
    repair,
    processors: [repair],
    dates: [parseIsoDate("2024-01-05")],
    attempt: 1,
    startedAt: number,
    endedAt: number + 1,
    outcome: "repaired",
    systemic: null,
    errorCode: null,
    message: null,
    logTail: "all that it printed",
    cells: [
      {
        processor: repair,
        date: parseIsoDate("2024-01-05"),
        outcome: "repaired",
        charged: false,
        worse: false,
        stateBefore: "missing",
        stateAfter: "complete",
        rowsBefore: 0,
        rowsAfter: 1,
        batchDates: 1,
        repairHash: "",
        expectationHash: "",
        inputs: {},
        outdates: {},
        notBefore: null,
      },
    ],
  };
}

test("whoever hears of ends for weeks keeps the last of each repair, without what they printed, as reading them would", () => {
  const heard = [end("rare", 0), ...Array.from({ length: 250 }, (_, number) => end("often", number))];
  const { recentEnds, attempts } = heard.reduce(withEnd, emptyLedgerRecords);
  expect(recentEnds.map(({ repairId }) => repairId)).toEqual([
    "rare-0",
    ...Array.from({ length: 200 }, (_, number) => `often-${number + 50}`),
  ]);
  expect(JSON.stringify(recentEnds)).not.toContain("printed");
  expect(attempts).toHaveLength(251);
});
