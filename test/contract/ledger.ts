import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addDays, type IsoDate } from "../../src/core/iso-date.ts";
import { emptyLedgerRecords, type GapEvent, type RepairEnd } from "../../src/core/ledger-records.ts";
import type { Ledger } from "../../src/reconcile/ports.ts";
import {
  baselineOf,
  cellOf,
  cycleOf,
  dayMs,
  decisionOf,
  endOf,
  eventOf,
  firstDate,
  hourMs,
  minuteMs,
  noon,
  startOf,
} from "./ledger-records.ts";

export interface LedgerHarness {
  /** A ledger that nobody made yet; the same one each time. */
  open(): Ledger;
  cleanup(): Promise<void>;
}

/** Asked for at once, as a run with many jobs does: a ledger may write them together, and keeps each. */
async function inOneGo(count: number, write: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => write(index)));
}

/** What every ledger does, whatever keeps it. */
export function describeLedgerContract(name: string, make: () => Promise<LedgerHarness>): void {
  describe(`the ledger in ${name}`, () => {
    let harness: LedgerHarness;
    let ledger: Ledger;
    beforeEach(async () => {
      harness = await make();
      ledger = harness.open();
      await ledger.create();
    });
    afterEach(async () => {
      await ledger.close();
      await harness.cleanup();
    });

    it("reads as empty before anything was recorded, and making it again changes nothing", async () => {
      expect(await ledger.read(noon)).toEqual(emptyLedgerRecords);
      await ledger.recordStart(startOf("a"));
      await ledger.create();
      expect((await ledger.read(noon)).unfinished).toHaveLength(1);
      expect(await ledger.history({ processor: "scores", date: firstDate })).toEqual([]);
    });

    it("gives a start back as it was, until it has an end", async () => {
      const first = startOf("a", { externalHandle: "https://host/runs/1" });
      const second = startOf("b", { startedAt: noon - 2 * hourMs, token: 5, attempt: 3 });
      await ledger.recordStart(first);
      await ledger.recordStart(second);
      expect((await ledger.read(noon)).unfinished).toEqual([second, first]);
      await ledger.recordEnd(endOf("b"));
      expect((await harness.open().read(noon)).unfinished).toEqual([first]);
    });

    it("changes nothing when an id comes twice", async () => {
      const again = <T>(write: () => Promise<T>) => write().then(write);
      await again(() => ledger.recordStart(startOf("a")));
      await again(() => ledger.recordEnd(endOf("a")));
      await again(() => ledger.recordCycle(cycleOf("c1"), [eventOf()], [baselineOf()]));
      await again(() => ledger.recordDecision(decisionOf("d")));
      const before = await ledger.read(noon);
      await ledger.recordStart(startOf("a", { token: 1, repair: "other" }));
      await ledger.recordEnd(endOf("a", { outcome: "failed", cells: [cellOf({ outcome: "failed" })] }));
      await ledger.recordCycle(cycleOf("c1", { gaps: 99 }), [eventOf({ event: "closed" })], []);
      await ledger.recordDecision(decisionOf("d", { reason: "other" }));
      expect(await ledger.read(noon)).toEqual(before);
      expect(before).toMatchObject({
        attempts: { length: 1 },
        gapEvents: { length: 1 },
        baselines: { length: 1 },
        decisions: { length: 1 },
      });
      expect((await ledger.since(0)).cycles).toEqual([cycleOf("c1")]);
    });

    it("gives the outcome of each cell with the times of its run", async () => {
      const cells = [
        cellOf({ notBefore: noon + 1, worse: true, charged: false, inputs: {} }),
        cellOf({
          processor: "ranks",
          outcome: "ineffective",
          stateAfter: "partial",
          rowsAfter: 4_000_000_000,
        }),
      ];
      await ledger.recordEnd(endOf("a", { cells }));
      const { attempts } = await ledger.read(noon);
      expect(attempts).toEqual(
        cells.map((cell) => ({
          ...cell,
          repairId: "a",
          startedAt: noon - hourMs,
          endedAt: noon - hourMs + 90_000,
        })),
      );
    });

    it("reads the last 30 attempts of each cell, oldest first", async () => {
      await inOneGo(33, (index) => {
        const cells = index < 2 ? [cellOf(), cellOf({ processor: "ranks" })] : [cellOf()];
        return ledger.recordEnd(endOf(`r${index}`, { endedAt: noon + index * minuteMs, cells }));
      });
      const { attempts } = await ledger.read(noon);
      const idsOf = (processor: string) =>
        attempts.filter((attempt) => attempt.processor === processor).map((attempt) => attempt.repairId);
      expect(idsOf("scores")).toEqual(Array.from({ length: 30 }, (_, index) => `r${index + 3}`));
      expect(idsOf("ranks")).toEqual(["r0", "r1"]);
      expect(attempts.map((attempt) => attempt.endedAt)).toEqual(
        attempts.map((attempt) => attempt.endedAt).toSorted((a, b) => a - b),
      );
    });

    it("reads the ends of seven days, at most 200 of each repair, oldest first", async () => {
      const weekAgo = noon - 7 * dayMs;
      await ledger.recordEnd(endOf("old", { endedAt: weekAgo - 1, cells: [] }));
      await ledger.recordEnd(endOf("edge", { repair: "ranks", endedAt: weekAgo, cells: [] }));
      await inOneGo(203, (index) =>
        ledger.recordEnd(endOf(`r${index}`, { endedAt: noon - hourMs + index, cells: [] })),
      );
      const { recentEnds } = await ledger.read(noon);
      expect(recentEnds.map((end) => end.repairId)).toEqual([
        "edge",
        ...Array.from({ length: 200 }, (_, index) => `r${index + 3}`),
      ]);
      const {
        cells: _cells,
        logTail: _logTail,
        ...edge
      } = endOf("edge", { repair: "ranks", endedAt: weekAgo });
      expect(recentEnds[0]).toEqual(edge);
    });

    it("reads the last 10 openings and closings of each cell, in the order in which they were recorded", async () => {
      const events = Array.from({ length: 13 }, (_, index) =>
        // Two at a time carry the same instant.
        eventOf({
          at: noon + Math.floor(index / 2),
          event: index % 2 === 0 ? "opened" : "closed",
          state: `s${index}`,
        }),
      );
      const other = eventOf({ processor: "ranks", at: noon - 1, wasComplete: true });
      await ledger.recordCycle(cycleOf("c1"), [...events, other], []);
      expect((await ledger.read(noon)).gapEvents).toEqual([other, ...events.slice(3)]);
    });

    it("reads of each baseline the last one and the last one that is a day old, or else the first", async () => {
      const dayAgo = noon - dayMs;
      const kept = [
        baselineOf({ at: dayAgo, dates: "2024-01-02" }),
        baselineOf({ name: "ranks", at: dayAgo + 1, dates: "2024-01-04" }),
        baselineOf({ subject: "schedule", hash: "", at: noon - 10 * dayMs, dates: "" }),
        baselineOf({ hash: "e2", at: noon - 5, dates: "2024-01-05" }),
        baselineOf({ at: noon - 1, dates: "2024-01-06" }),
        baselineOf({ name: "young", at: noon - 9, dates: "2024-01-07" }),
        baselineOf({ name: "young", at: noon - 7, dates: "2024-01-09" }),
      ].toSorted((a, b) => a.at - b.at);
      const dropped = [
        baselineOf({ at: dayAgo - 1, dates: "2024-01-01" }),
        baselineOf({ at: noon - 2, dates: "2024-01-03" }),
        baselineOf({ name: "young", at: noon - 8, dates: "2024-01-08" }),
      ];
      await ledger.recordCycle(cycleOf("c1"), [], [...dropped, ...kept].toReversed());
      expect((await ledger.read(noon)).baselines).toEqual(kept);
    });

    it("keeps every decision with its waiver, oldest first", async () => {
      const decisions = [
        decisionOf("a", { at: noon - 1, waiver: { owner: "x", expires: null, downstream: "exempt" } }),
        decisionOf("b"),
        decisionOf("c", { at: noon + 1, kind: "pause", processors: null, startDate: null, waiver: null }),
        decisionOf("d", { at: noon + 2, kind: "retry", processors: [], endDate: firstDate, waiver: null }),
      ];
      for (const decision of decisions.toReversed()) await ledger.recordDecision(decision);
      expect((await ledger.read(noon)).decisions).toEqual(decisions);
    });

    it("knows the largest token and the starts of the last 24 hours", async () => {
      await ledger.recordStart(startOf("a", { token: Number.MAX_SAFE_INTEGER, startedAt: noon - dayMs - 1 }));
      await ledger.recordStart(startOf("b", { token: 7, startedAt: noon - dayMs }));
      await ledger.recordStart(startOf("c", { token: 8 }));
      await ledger.recordEnd(endOf("c"));
      expect(await ledger.read(noon)).toMatchObject({
        lastToken: Number.MAX_SAFE_INTEGER,
        startsLast24h: 2,
      });
    });

    it("knows the bytes that the cycles of the last 24 hours were billed for", async () => {
      await ledger.recordCycle(cycleOf("a", { finishedAt: noon - dayMs - 1, scanBytes: 1 }), [], []);
      await ledger.recordCycle(cycleOf("b", { finishedAt: noon - dayMs, scanBytes: 20 }), [], []);
      await ledger.recordCycle(cycleOf("c", { finishedAt: noon, scanBytes: 4_000_000_000_000 }), [], []);
      expect((await ledger.read(noon)).scanBytesLast24h).toBe(4_000_000_000_020);
    });

    it("knows the mean run times of the runs that repaired a cell", async () => {
      const run = (id: string, seconds: number, overrides: Partial<RepairEnd>) =>
        ledger.recordEnd(endOf(id, { startedAt: noon, endedAt: noon + seconds * 1000, ...overrides }));
      await run("a", 10, { cells: [cellOf({ batchDates: 1 })] });
      await run("b", 50, {
        outcome: "ineffective",
        cells: [cellOf({ batchDates: 5 }), cellOf({ outcome: "ineffective", batchDates: 5 })],
      });
      await run("c", 900, { outcome: "failed", cells: [cellOf({ outcome: "failed" })] });
      expect((await ledger.read(noon)).runTimes).toEqual([
        { repair: "scores", runs: 2, meanSeconds: 30, meanSecondsPerDate: 10 },
      ]);
    });

    it("tells the history of a cell with the log of each attempt, at most the last 100", async () => {
      await inOneGo(102, async (index) => {
        await ledger.recordStart(startOf(`r${index}`, { attempt: index + 1, token: index + 1 }));
        await ledger.recordEnd(
          endOf(`r${index}`, {
            attempt: index + 1,
            endedAt: noon + index,
            outcome: "failed",
            systemic: "quota",
            errorCode: "exit_75",
            message: "it failed",
            logTail: `log ${index}`,
            cells: [cellOf({ outcome: "failed" }), cellOf({ date: addDays(firstDate, 1) })],
          }),
        );
      });
      const history = await ledger.history({ processor: "scores", date: firstDate });
      expect(history).toHaveLength(100);
      expect(history.map((attempt) => attempt.attempt)).toEqual(
        Array.from({ length: 100 }, (_, index) => index + 3),
      );
      expect(history[0]).toEqual({
        ...cellOf({ outcome: "failed" }),
        repairId: "r2",
        startedAt: noon - hourMs,
        endedAt: noon + 2,
        attempt: 3,
        token: 3,
        worker: "host/12/34",
        dates: startOf("r2").dates,
        errorCode: "exit_75",
        message: "it failed",
        logTail: "log 2",
      });
      expect(await ledger.history({ processor: "nobody", date: firstDate })).toEqual([]);
    });

    it("tells what happened since an instant, oldest first", async () => {
      const ends = [
        endOf("a", {
          endedAt: noon,
          systemic: "authentication",
          cells: [cellOf(), cellOf({ processor: "ranks" })],
        }),
        endOf("b", { endedAt: noon + 1, cells: [] }),
      ];
      const events = [eventOf(), eventOf({ at: noon + 1, event: "closed", state: "complete" })];
      const cycles = [cycleOf("c1", { finishedAt: noon }), cycleOf("c2", { converged: true })];
      for (const end of [endOf("x", { endedAt: noon - 1 }), ...ends]) await ledger.recordEnd(end);
      for (const cycle of [cycleOf("c0", { finishedAt: noon - 1 }), ...cycles]) {
        await ledger.recordCycle(
          cycle,
          cycle.cycleId === "c1" ? [eventOf({ at: noon - 1 }), ...events] : [],
          [],
        );
      }
      await ledger.recordDecision(decisionOf("old", { at: noon - 1 }));
      await ledger.recordDecision(decisionOf("new"));
      expect(await ledger.since(noon)).toEqual({
        gapEvents: events,
        ends,
        decisions: [decisionOf("new")],
        cycles,
      });
    });

    it("tells of an end what its run was to fill, whether or not anything came of it", async () => {
      const { processors, dates } = startOf("a");
      const none = { outcome: "failed", errorCode: "cancelled", cells: [] } as const;
      await ledger.recordStart(startOf("a"));
      await ledger.recordEnd(endOf("a", none));
      await ledger.recordEnd(endOf("without a start", { ...none, endedAt: noon }));
      const ends = [
        endOf("a", { ...none, processors, dates }),
        endOf("without a start", { ...none, endedAt: noon }),
      ];
      expect((await ledger.since(0)).ends).toEqual(ends);
      expect((await ledger.read(noon)).recentEnds).toEqual(
        ends.map(({ cells: _cells, logTail: _logTail, ...end }) => end),
      );
    });

    it("keeps texts of every kind", async () => {
      const odd = `it's "x" \\ \n\t ${"é€😀"} null {} $row \ud83d end`;
      await ledger.recordStart(startOf("a", { repair: odd }));
      await ledger.recordEnd(
        endOf("a", { message: odd, logTail: odd, cells: [cellOf({ inputs: { a: odd } })] }),
      );
      const { attempts, recentEnds } = await ledger.read(noon);
      // Half a character cannot be kept, and does not cost the record.
      const kept = odd.replace("\ud83d end", "\ufffd end");
      expect(attempts[0]?.inputs).toEqual({ a: kept });
      expect(recentEnds[0]?.message).toBe(kept);
    });

    it("takes 50,000 gap events in one cycle and gives them back", async () => {
      const events = manyEvents(50_000);
      await ledger.recordCycle(cycleOf("c1"), events, [baselineOf()]);
      const records = await ledger.read(noon);
      expect(records.gapEvents).toHaveLength(50_000);
      expect(records.gapEvents.at(-1)).toEqual(events.at(-1));
    });

    it("takes calls made at once one after the other", async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `r${index}`);
      const second = harness.open();
      await Promise.all(
        ids.map(async (id, index) => {
          const target = index % 2 === 0 ? ledger : second;
          await target.recordStart(startOf(id));
          await target.read(noon);
          await target.recordEnd(endOf(id));
        }),
      );
      const { attempts, unfinished } = await ledger.read(noon);
      expect(attempts.map((attempt) => attempt.repairId).toSorted()).toEqual(ids.toSorted());
      expect(unfinished).toEqual([]);
    });
  });
}

function manyEvents(count: number): readonly GapEvent[] {
  const dates: IsoDate[] = Array.from({ length: 250 }, (_, index) => addDays(firstDate, index));
  return Array.from({ length: count }, (_, index) =>
    eventOf({
      processor: `p${index % 200}`,
      date: dates[Math.floor(index / 200)] ?? firstDate,
      cycleId: "c1",
    }),
  );
}
