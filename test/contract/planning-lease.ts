import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PlanningLease, PlanningTerm } from "../../src/reconcile/ports.ts";

export interface PlanningLeaseHarness {
  /** One and another replica; of an adapter for one process, two parts of it. */
  readonly one: PlanningLease;
  readonly other: PlanningLease;
  /** Sets the clock of the lease's server back. */
  turnClockBack(ms: number): Promise<void>;
  cleanup(): Promise<void>;
}

/** What every planning lease does, whatever keeps it. */
export function describePlanningLeaseContract(name: string, make: () => Promise<PlanningLeaseHarness>): void {
  describe(`the planning lease ${name}`, () => {
    let harness: PlanningLeaseHarness;
    let terms: PlanningTerm[];
    const acquire = async (lease: PlanningLease): Promise<PlanningTerm | null> => {
      const term = await lease.acquire();
      if (term !== null) terms.push(term);
      return term;
    };
    beforeEach(async () => {
      terms = [];
      harness = await make();
    });
    afterEach(async () => {
      for (const term of terms) await term.release();
      await harness.cleanup();
    });

    it("has one holder, who is not given it twice either", async () => {
      expect(await acquire(harness.one)).not.toBeNull();
      expect(await acquire(harness.other)).toBeNull();
      expect(await acquire(harness.one)).toBeNull();
    });

    it("has at most one holder when all ask at once", async () => {
      const asked = Array.from({ length: 8 }, (_, index) =>
        acquire(index % 2 === 0 ? harness.one : harness.other),
      );
      expect((await Promise.all(asked)).filter((term) => term !== null).length).toBeLessThanOrEqual(1);
    });

    it("is free for the next when it was released", async () => {
      await (await acquire(harness.one))?.release();
      expect(await acquire(harness.other)).not.toBeNull();
    });

    it("is not taken from the next holder when a release comes twice", async () => {
      const first = await acquire(harness.one);
      await first?.release();
      const second = await acquire(harness.other);
      await first?.release();
      expect(second).not.toBeNull();
      expect(await acquire(harness.one)).toBeNull();
    });

    it("does not tell a holder of a loss, neither while it holds nor when it released", async () => {
      const term = await acquire(harness.one);
      expect(term?.signal.aborted).toBe(false);
      await term?.release();
      await acquire(harness.other);
      expect(term?.signal.aborted).toBe(false);
    });

    it("gives each term a larger epoch in microseconds, also when the clock goes back", async () => {
      const before = Date.now();
      const epochs: number[] = [];
      for (const [index, backMs] of [0, 0, 3_600_000, 0].entries()) {
        await harness.turnClockBack(backMs);
        const term = await acquire(index % 2 === 0 ? harness.one : harness.other);
        epochs.push(term?.epoch ?? Number.NaN);
        await term?.release();
      }
      expect(epochs[0]).toBeGreaterThanOrEqual((before - 1000) * 1000);
      expect(epochs[0]).toBeLessThan((before + 60_000) * 1000);
      expect(epochs.every(Number.isSafeInteger)).toBe(true);
      expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
    });

    it("tells every replica the epoch of the last term, so that a plan of an earlier one is known as such", async () => {
      expect(await harness.other.currentEpoch()).toBe(0);
      const first = await acquire(harness.one);
      expect(await harness.other.currentEpoch()).toBe(first?.epoch);
      await first?.release();
      expect(await harness.one.currentEpoch()).toBe(first?.epoch);
      const second = await acquire(harness.other);
      expect(await harness.one.currentEpoch()).toBe(second?.epoch);
      expect(first?.epoch).toBeLessThan(second?.epoch ?? 0);
    });
  });
}
