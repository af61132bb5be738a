import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EpochMs } from "../../src/core/wall-clock.ts";
import type { CellLock } from "../../src/reconcile/ports.ts";

export interface CellLockHarness {
  readonly lock: CellLock;
  /** Sets the clock of the lock's server. */
  setClock(now: EpochMs): Promise<void>;
  cleanup(): Promise<void>;
}

const noon = Date.parse("2024-03-01T12:00:00Z");

/** What every lock does, whatever keeps it. */
export function describeCellLockContract(name: string, make: () => Promise<CellLockHarness>): void {
  describe(`the cell lock ${name}`, () => {
    let harness: CellLockHarness;
    let lock: CellLock;
    beforeEach(async () => {
      harness = await make();
      lock = harness.lock;
    });
    afterEach(() => harness.cleanup());

    it("grants all keys that are free, sorted and each once", async () => {
      expect((await lock.acquire(["c", "a", "b", "a"]))?.keys).toEqual(["a", "b", "c"]);
    });

    it("grants the free part, at once, where others hold the rest", async () => {
      await lock.acquire(["a", "c"]);
      expect((await lock.acquire(["a", "b", "c", "d"]))?.keys).toEqual(["b", "d"]);
    });

    it("grants nothing where all keys are held, or none is asked for", async () => {
      await lock.acquire(["a", "b"]);
      expect(await lock.acquire(["b", "a"])).toBeNull();
      expect(await lock.acquire([])).toBeNull();
    });

    it("grants again what was released, and only that", async () => {
      const first = await lock.acquire(["a"]);
      await lock.acquire(["b"]);
      await first?.release();
      expect((await lock.acquire(["a", "b"]))?.keys).toEqual(["a"]);
    });

    it("does not release the keys of the next holder when a release comes twice", async () => {
      const first = await lock.acquire(["a"]);
      await first?.release();
      const second = await lock.acquire(["a"]);
      await first?.release();
      expect(second?.keys).toEqual(["a"]);
      expect(await lock.acquire(["a"])).toBeNull();
    });

    it("keeps a lease that nobody released", async () => {
      const lease = await lock.acquire(["a"]);
      expect(lease?.signal.aborted).toBe(false);
      await lease?.release();
    });

    it("gives each lease a larger token floor in microseconds, also when the clock goes back", async () => {
      const floors: number[] = [];
      for (const now of [noon, noon, noon + 1, noon - 3_600_000, noon - 3_600_000]) {
        await harness.setClock(now);
        const lease = await lock.acquire(["a"]);
        floors.push(lease?.tokenFloor ?? Number.NaN);
        await lease?.release();
      }
      expect(floors[0]).toBeGreaterThanOrEqual(noon * 1000);
      expect(floors[0]).toBeLessThan((noon + 60_000) * 1000);
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
          const leases: { keys: readonly string[]; release(): Promise<void> }[] = [];
          const holders = new Map<string, number>();
          for (const { keys, release } of commands) {
            const ended = leases.splice(release, 1);
            for (const lease of ended) {
              for (const key of lease.keys) holders.delete(key);
              await lease.release();
            }
            const [one, two] = await Promise.all([lock.acquire(keys), lock.acquire(keys)]);
            for (const lease of [one, two]) {
              if (lease === null) continue;
              for (const key of lease.keys) {
                expect(holders.has(key)).toBe(false);
                holders.set(key, 1);
              }
              leases.push(lease);
            }
            expect(keys.every((key) => holders.has(key))).toBe(true);
          }
          for (const lease of leases) await lease.release();
        }),
        { numRuns: 50 },
      );
    });
  });
}
