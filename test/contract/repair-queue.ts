import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  RepairConsumer,
  RepairHandler,
  RepairJob,
  RepairQueue,
} from "../../src/reconcile/ports/repair-queue.ts";
import { repairJob, soon, StubWorker } from "../support/repairs.ts";

export interface RepairQueueHarness {
  /** At most 20 jobs outstanding. */
  readonly one: RepairQueue;
  /** Another replica's; of an adapter for one process, the same. */
  readonly other: RepairQueue;
  cleanup(): Promise<void>;
}

/** What every repair queue does, whatever carries it. */
export function describeRepairQueueContract(name: string, make: () => Promise<RepairQueueHarness>): void {
  describe(`the repair queue ${name}`, () => {
    let one: RepairQueue;
    let other: RepairQueue;
    let worker: StubWorker;
    let harness: RepairQueueHarness;
    beforeEach(async () => {
      harness = await make();
      ({ one, other } = harness);
      worker = new StubWorker();
    });
    afterEach(() => harness.cleanup());

    const [a, b, c, d] = [repairJob(1), repairJob(2), repairJob(3), repairJob(4)];
    const idsOf = (jobs: readonly RepairJob[]): string[] => jobs.map(({ id }) => id);
    const consume = (slots: number, handle: RepairHandler = worker.handle): RepairConsumer =>
      other.consume(handle, { slots });
    const states = async (): Promise<object> =>
      Object.fromEntries((await one.outstanding()).map(({ id, state }) => [id, state]));

    it("hands out jobs whole, in the order in which they were enqueued", async () => {
      expect(await one.enqueue([c, a], 7)).toEqual(idsOf([c, a]));
      expect(await one.enqueue([b], 8)).toEqual([b.id]);
      consume(1);
      for (const [index, job] of [c, a, b].entries()) {
        await worker.hasTaken(...[c, a, b].slice(0, index + 1));
        worker.end(job);
      }
      expect(worker.taken).toEqual([
        { ...c, epoch: 7 },
        { ...a, epoch: 7 },
        { ...b, epoch: 8 },
      ]);
    });

    it("has an id once while it is outstanding, and again when it is over", async () => {
      expect(await one.enqueue([a, a], 1)).toEqual([a.id]);
      expect(await other.enqueue([a], 1)).toEqual([]);
      consume(4);
      await worker.hasTaken(a);
      expect(await one.enqueue([b, a], 1)).toEqual([b.id]);
      await worker.hasTaken(a, b);
      worker.end(a);
      await soon(async () => expect(await states()).toEqual({ [b.id]: "running" }));
      expect(await one.enqueue([a], 1)).toEqual([a.id]);
      await worker.hasTaken(a, b, a);
    });

    it("takes ids that hold any character for different jobs", async () => {
      const jobs = ["7", "a:b", "a%3Ab", "a/b", "a b", "é"].map((id) => ({ ...a, id }));
      expect(await one.enqueue(jobs, 1)).toEqual(idsOf(jobs));
      expect(idsOf(await one.outstanding())).toEqual(idsOf(jobs));
      expect(await one.remove(["a:b"])).toEqual(["a:b"]);
      expect(idsOf(await one.outstanding())).toEqual(["7", "a%3Ab", "a/b", "a b", "é"]);
    });

    it("runs no more at once than there are slots, and fills a slot that becomes free", async () => {
      await one.enqueue([a, b, c, d], 1);
      const consumer = consume(2);
      await worker.hasTaken(a, b);
      expect(consumer.running).toBe(2);
      expect(await states()).toEqual({
        [a.id]: "running",
        [b.id]: "running",
        [c.id]: "queued",
        [d.id]: "queued",
      });
      worker.end(b);
      await worker.hasTaken(a, b, c);
      expect(consumer.running).toBe(2);
      expect(worker.atOnceMax).toBe(2);
    });

    it("gives every job to one of several consumers", async () => {
      consume(2);
      one.consume(worker.handle, { slots: 2 });
      await one.enqueue([a, b, c, d], 1);
      await soon(() => expect(worker.ids.toSorted()).toEqual(idsOf([a, b, c, d])));
      expect(await states()).toEqual(Object.fromEntries([a, b, c, d].map(({ id }) => [id, "running"])));
    });

    it("goes on when a handler throws, and the job is over", async () => {
      const tried: string[] = [];
      consume(1, (job) => {
        tried.push(job.id);
        if (job.id === a.id) throw new Error("at once");
        return Promise.reject(new Error("later"));
      });
      await one.enqueue([a, b, c], 1);
      await soon(async () => expect(await states()).toEqual({}));
      expect(tried).toEqual(idsOf([a, b, c]));
    });

    it("removes what nobody has taken, and nothing else", async () => {
      await one.enqueue([a, b, c], 1);
      consume(1);
      await worker.hasTaken(a);
      expect(await one.remove(["unknown", ...idsOf([a, b])])).toEqual([b.id]);
      expect(await one.remove([b.id])).toEqual([]);
      expect(await states()).toEqual({ [a.id]: "running", [c.id]: "queued" });
      worker.end(a);
      await worker.hasTaken(a, c);
    });

    it("refuses a plan that is older than one that any replica has enqueued", async () => {
      await one.enqueue([a], 1_760_000_000_000_002);
      await expect(other.enqueue([b], 1_760_000_000_000_001)).rejects.toMatchObject({
        code: "plan_outdated",
      });
      expect(await states()).toEqual({ [a.id]: "queued" });
      expect(await other.enqueue([b], 1_760_000_000_000_002)).toEqual([b.id]);
    });

    it("knows a plan without jobs as the newest too", async () => {
      expect(await one.enqueue([], 2)).toEqual([]);
      await expect(other.enqueue([b], 1)).rejects.toMatchObject({ code: "plan_outdated" });
    });

    it("never has more outstanding than its maximum, and tells what it took", async () => {
      const jobs = Array.from({ length: 25 }, (_, index) => repairJob(index + 1));
      expect(await one.enqueue(jobs, 1)).toEqual(idsOf(jobs.slice(0, 20)));
      expect(await other.enqueue(jobs, 1)).toEqual([]);
      consume(1);
      await worker.hasTaken(repairJob(1));
      expect(await one.enqueue(jobs, 1)).toEqual([]);
      worker.end(repairJob(1));
      await worker.hasTaken(repairJob(1), repairJob(2));
      expect(await one.enqueue(jobs.slice(20), 1)).toEqual([repairJob(21).id]);
    });

    it("tells its depth, and for how long the next job has waited", async () => {
      expect(await one.depth()).toEqual({ waiting: 0, running: 0, oldestWaitingMs: null });
      await one.enqueue([a, b, c], 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      consume(1);
      await worker.hasTaken(a);
      const depth = await one.depth();
      expect(depth).toMatchObject({ waiting: 2, running: 1 });
      expect(depth.oldestWaitingMs).toBeGreaterThanOrEqual(15);
      expect(depth.oldestWaitingMs).toBeLessThan(10_000);
    });

    it("takes nothing more once a consumer is paused, until it goes on", async () => {
      const consumer = consume(2);
      expect(consumer.lastTakenAt).toBeNull();
      await one.enqueue([a], 1);
      await worker.hasTaken(a);
      const takenAt = consumer.lastTakenAt ?? 0;
      expect(Math.abs(Date.now() - takenAt)).toBeLessThan(10_000);
      consumer.pause();
      await one.enqueue([b], 1);
      worker.end(a);
      await soon(async () => expect(await states()).toEqual({ [b.id]: "queued" }));
      expect(consumer.lastTakenAt).toBe(takenAt);
      consumer.resume();
      await worker.hasTaken(a, b);
    });

    it("counts what a pause has left running when it goes on", async () => {
      await one.enqueue([a, b, c], 1);
      const consumer = consume(2);
      await worker.hasTaken(a, b);
      consumer.pause();
      consumer.resume();
      worker.end(b);
      await worker.hasTaken(a, b, c);
      worker.end(a);
      worker.end(c);
      await soon(async () => expect(await states()).toEqual({}));
      expect(worker.atOnceMax).toBe(2);
      consumer.pause();
      consumer.resume();
      await one.enqueue([d], 1);
      await worker.hasTaken(a, b, c, d);
    });

    it("closes when what runs has ended, and leaves the rest to others", async () => {
      await one.enqueue([a, b], 1);
      const consumer = consume(1);
      await worker.hasTaken(a);
      const closed = consumer.close({ graceMs: 30_000 });
      worker.end(a);
      await closed;
      expect(worker.aborted).toEqual(new Set());
      expect(await states()).toEqual({ [b.id]: "queued" });
      consume(1);
      await worker.hasTaken(a, b);
    });

    it("aborts what still runs when the grace is over, and waits for its end", async () => {
      await one.enqueue([a, b], 1);
      const consumer = consume(2);
      await worker.hasTaken(a, b);
      const closed = consumer.close({ graceMs: 50 });
      expect(worker.aborted).toEqual(new Set());
      await closed;
      expect(worker.aborted).toEqual(new Set(idsOf([a, b])));
      expect(consumer.running).toBe(0);
      await consumer.close({ graceMs: 0 });
      expect(await states()).toEqual({});
    });
  });
}
