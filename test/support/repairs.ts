import { assert, vi } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { QueuedRepair, RepairJob } from "../../src/reconcile/ports/repair-queue.ts";

/** A job as a planner makes it. */
export function repairJob(day: number, repair = "games"): RepairJob {
  const date = parseIsoDate(`2024-01-${String(day).padStart(2, "0")}`);
  return {
    id: `${repair}/${date}..${date}/1`,
    repair,
    dates: [date],
    attempt: 1,
    reason: "1 missing",
    cycleId: "cycle-1",
  };
}

/** A worker whose repairs run until the test ends them. */
export class StubWorker {
  /** In the order in which they were taken. */
  readonly taken: QueuedRepair[] = [];
  readonly aborted = new Set<string>();
  /** The most that ran at the same time. */
  atOnceMax = 0;
  readonly #ends = new Map<string, () => void>();

  readonly handle = async (job: QueuedRepair, signal: AbortSignal): Promise<void> => {
    this.taken.push(job);
    this.atOnceMax = Math.max(this.atOnceMax, this.#ends.size + 1);
    await new Promise<void>((resolve) => {
      this.#ends.set(job.id, resolve);
      signal.addEventListener("abort", () => {
        this.aborted.add(job.id);
        resolve();
      });
    });
    this.#ends.delete(job.id);
  };

  get ids(): readonly string[] {
    return this.taken.map(({ id }) => id);
  }

  end({ id }: RepairJob): void {
    this.#ends.get(id)?.();
  }

  /** Waits until exactly these were taken, in this order. */
  async hasTaken(...jobs: readonly RepairJob[]): Promise<void> {
    const expected = jobs.map(({ id }) => id);
    await soon(() => assert.deepEqual(this.ids, expected));
  }
}

/** Waits for what another process or server brings about. */
export async function soon(check: () => unknown, timeoutMs = 15_000): Promise<void> {
  await vi.waitFor(check, { timeout: timeoutMs, interval: 10 });
}
