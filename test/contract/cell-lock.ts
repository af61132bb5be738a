import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CellLease, CellLock } from "../../src/reconcile/ports.ts";

export interface CellLockHarness {
  readonly lock: CellLock;
  /** Sets the clock of the lock's server back. */
  turnClockBack(ms: number): Promise<void>;
  cleanup(): Promise<void>;
}

/** What every lock does, whatever keeps it. */
export function describeCellLockContract(name: string, make: () => Promise<CellLockHarness>): void {
  describe(`the cell lock ${name}`, () => {
    let harness: CellLockHarness;
    let leases: CellLease[];
    const acquire = async (...keys: readonly string[]): Promise<CellLease | null> => {
      const lease = await harness.lock.acquire(keys);
      if (lease !== null) leases.push(lease);
      return lease;
    };
    beforeEach(async () => {
      leases = [];
      harness = await make();
    });
    afterEach(async () => {
      for (const lease of leases) await lease.release();
      await harness.cleanup();
    });

    it("grants all keys where all are free, also where one is named twice", async () => {
      expect(await acquire("c", "a", "b", "a")).not.toBeNull();
      for (const key of ["a", "b", "c"]) expect(await acquire(key)).toBeNull();
    });

    it("grants nothing where others hold a part, and leaves the rest free", async () => {
      await acquire("b");
      expect(await acquire("a", "b", "c")).toBeNull();
      expect(await acquire("a", "c")).not.toBeNull();
    });

    it("grants nothing where all keys are held, or none is asked for", async () => {
      await acquire("a", "b");
      expect(await acquire("b", "a")).toBeNull();
      expect(await acquire()).toBeNull();
    });

    it("grants again what was released, and only that", async () => {
      const first = await acquire("a");
      await acquire("b");
      await first?.release();
      expect(await acquire("a", "b")).toBeNull();
      expect(await acquire("a")).not.toBeNull();
    });

    it("does not release the keys of the next holder when a release comes twice", async () => {
      const first = await acquire("a");
      await first?.release();
      const second = await acquire("a");
      await first?.release();
      expect(second).not.toBeNull();
      expect(await acquire("a")).toBeNull();
    });

    it("does not tell a holder of a loss, neither while it holds nor when it released", async () => {
      const lease = await acquire("a");
      expect(lease?.signal.aborted).toBe(false);
      await lease?.release();
      await acquire("a");
      expect(lease?.signal.aborted).toBe(false);
    });

    it("gives each lease a larger token floor in microseconds, also when the clock goes back", async () => {
      const before = Date.now();
      const floors: number[] = [];
      for (const backMs of [0, 0, 3_600_000, 0]) {
        await harness.turnClockBack(backMs);
        const lease = await acquire("a");
        floors.push(lease?.tokenFloor ?? Number.NaN);
        await lease?.release();
      }
      expect(floors[0]).toBeGreaterThanOrEqual((before - 1000) * 1000);
      expect(floors[0]).toBeLessThan((before + 60_000) * 1000);
      expect(floors.every(Number.isSafeInteger)).toBe(true);
      expect(floors).toEqual([...new Set(floors)].toSorted((a, b) => a - b));
    });

    it("never has two holders of a key, whatever the order of calls", async () => {
      const command = fc.record({
        keys: fc.subarray(["a", "b", "c", "d"]),
        // Which of the leases so far to release first; none where there are fewer.
        release: fc.nat(8),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 20 }), async (commands) => {
          const held: { readonly keys: readonly string[]; readonly lease: CellLease }[] = [];
          for (const { keys, release } of commands) {
            for (const { lease } of held.splice(release, 1)) await lease.release();
            const isFree =
              keys.length > 0 && held.every((other) => other.keys.every((key) => !keys.includes(key)));
            const both = await Promise.all([harness.lock.acquire(keys), harness.lock.acquire(keys)]);
            const granted = both.filter((lease) => lease !== null);
            expect(granted.length).toBeLessThanOrEqual(isFree ? 1 : 0);
            for (const lease of granted) held.push({ keys, lease });
          }
          for (const { lease } of held) await lease.release();
          const lease = await harness.lock.acquire(["a", "b", "c", "d"]);
          expect(lease).not.toBeNull();
          await lease?.release();
        }),
        { numRuns: 50 },
      );
    });
  });
}
