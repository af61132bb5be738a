import type { EpochMs } from "../../core/wall-clock.ts";
import type {
  OutstandingRepair,
  QueuedRepair,
  RepairConsumer,
  RepairHandler,
  RepairQueue,
} from "../../reconcile/ports/repair-queue.ts";
import { outdatedPlan } from "../outdated-plan.ts";
import { RunningRepairs } from "../running-repairs.ts";

export interface InlineRepairQueueOptions {
  /** Jobs that may be outstanding. */
  readonly jobsMax: number;
}

interface WaitingJob {
  readonly job: QueuedRepair;
  readonly queuedAt: EpochMs;
  /** The same on a clock that is never set. */
  readonly since: number;
}

/** A queue within one process. It ends with it, and what it held with it. */
export function createInlineRepairQueue({ jobsMax }: InlineRepairQueueOptions): RepairQueue {
  return new InlineRepairQueue(jobsMax);
}

class InlineRepairQueue implements RepairQueue {
  readonly #jobsMax: number;
  /** By id, oldest first. */
  readonly #waiting = new Map<string, WaitingJob>();
  readonly #consumers = new Set<InlineRepairConsumer>();
  #newestEpoch = 0;

  constructor(jobsMax: number) {
    this.#jobsMax = jobsMax;
  }

  enqueue(...[jobs, epoch]: Parameters<RepairQueue["enqueue"]>): Promise<readonly string[]> {
    if (epoch < this.#newestEpoch) return Promise.reject(outdatedPlan(epoch, this.#newestEpoch));
    this.#newestEpoch = epoch;
    const taken = new Set([...this.#waiting.keys(), ...this.#running().map(({ id }) => id)]);
    const added: string[] = [];
    for (const job of jobs) {
      if (taken.size >= this.#jobsMax) break;
      if (taken.has(job.id)) continue;
      taken.add(job.id);
      added.push(job.id);
      const [queuedAt, since] = [Date.now(), performance.now()];
      this.#waiting.set(job.id, { job: { ...job, epoch }, queuedAt, since });
    }
    this.#offer();
    return Promise.resolve(added);
  }

  outstanding(): Promise<readonly OutstandingRepair[]> {
    const running = this.#running().map((job) => ({ ...job, state: "running" }) as const);
    const queued = [...this.#waiting.values()].map(
      ({ job, queuedAt }) => ({ ...job, state: "queued", queuedAt }) as const,
    );
    return Promise.resolve([...running, ...queued]);
  }

  consume(handle: RepairHandler, { slots }: { readonly slots: number }): RepairConsumer {
    const consumer = new InlineRepairConsumer({
      handle,
      slots,
      next: () => this.#next(),
      onClosed: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    consumer.take();
    return consumer;
  }

  remove(ids: readonly string[]): Promise<readonly string[]> {
    return Promise.resolve(ids.filter((id) => this.#waiting.delete(id)));
  }

  depth(): ReturnType<RepairQueue["depth"]> {
    const [oldest] = this.#waiting.values();
    return Promise.resolve({
      waiting: this.#waiting.size,
      running: this.#running().length,
      oldestWaitingMs: oldest === undefined ? null : performance.now() - oldest.since,
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close({ graceMs: 0 })));
  }

  #running(): readonly QueuedRepair[] {
    return [...this.#consumers].flatMap((consumer) => consumer.jobs);
  }

  #offer(): void {
    for (const consumer of this.#consumers) consumer.take();
  }

  #next(): QueuedRepair | null {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return null;
    this.#waiting.delete(oldest.job.id);
    return oldest.job;
  }
}

interface InlineConsumerParts {
  readonly handle: RepairHandler;
  readonly slots: number;
  readonly next: () => QueuedRepair | null;
  readonly onClosed: () => void;
}

class InlineRepairConsumer implements RepairConsumer {
  readonly #parts: InlineConsumerParts;
  readonly #running = new RunningRepairs();
  #isTaking = true;
  #lastTakenAt: EpochMs | null = null;
  #closed: Promise<void> | null = null;

  constructor(parts: InlineConsumerParts) {
    this.#parts = parts;
  }

  get running(): number {
    return this.#running.size;
  }

  get jobs(): readonly QueuedRepair[] {
    return this.#running.jobs;
  }

  get lastTakenAt(): EpochMs | null {
    return this.#lastTakenAt;
  }

  /** Fills the free slots with what waits. */
  take(): void {
    const { handle, slots, next } = this.#parts;
    while (this.#isTaking && this.#running.size < slots) {
      const job = next();
      if (job === null) return;
      this.#lastTakenAt = Date.now();
      void this.#running.run(job, handle).then(() => this.take());
    }
  }

  pause(): void {
    this.#isTaking = false;
  }

  resume(): void {
    if (this.#closed !== null) return;
    this.#isTaking = true;
    this.take();
  }

  close({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#isTaking = false;
    this.#closed ??= this.#running.drain(graceMs).then(this.#parts.onClosed);
    return this.#closed;
  }
}
