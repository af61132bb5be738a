import type { EpochMs } from "../../core/wall-clock.ts";
import type { QueuedRepair, RepairConsumer, RepairHandler } from "../../reconcile/ports/repair-queue.ts";
import { RunningRepairs } from "../running-repairs.ts";
import { parsePayload } from "./job-payload.ts";
import { JobWorker, type QueuePlace, type TakenJob } from "./job-worker.ts";

/** What somebody ought to hear of. Its functions must not throw. */
export interface RepairQueueListener {
  /** A job was dropped, because what Redis holds of it makes no sense to this version. */
  readonly onUnreadable: (jobId: string, message: string) => void;
  /** Jobs waited for so long, a slot was free, and none was taken: the worker is started anew. */
  readonly onStalled: (stall: { readonly waiting: number; readonly stalledMs: number }) => void;
  /** The server has forgotten everything since it was last asked what is outstanding: jobs, locks and plans. */
  readonly onWiped: () => void;
}

export interface RedisRepairConsumerParts {
  readonly place: QueuePlace;
  readonly slots: number;
  readonly handle: RepairHandler;
  readonly listener: RepairQueueListener;
  /** How long jobs may wait beside a free slot. */
  readonly stalledMs: number;
  /** How many jobs wait. @throws ReconcilerError `redis_*` */
  readonly waiting: () => Promise<number>;
  readonly onClosed: () => void;
}

/** Takes jobs by one BullMQ worker at a time; those before it run to their end what they have. */
export class RedisRepairConsumer implements RepairConsumer {
  readonly #parts: RedisRepairConsumerParts;
  readonly #running = new RunningRepairs();
  readonly #watch: NodeJS.Timeout;
  /** Null while paused, and while the ones before it need all slots. */
  #worker: JobWorker | null = null;
  readonly #retired = new Set<JobWorker>();
  #isTaking = true;
  #lastTakenAt: EpochMs | null = null;
  /** When there was last nothing to complain of, as `performance.now()` counts. */
  #wellAt = performance.now();
  #closed: Promise<void> | null = null;

  constructor(parts: RedisRepairConsumerParts) {
    this.#parts = parts;
    this.#employ();
    this.#watch = setInterval(() => void this.#look(), parts.stalledMs / 4);
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

  pause(): void {
    this.#isTaking = false;
    this.#retire();
  }

  resume(): void {
    if (this.#closed !== null) return;
    this.#isTaking = true;
    this.#employ();
  }

  close({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    clearInterval(this.#watch);
    this.pause();
    await this.#running.drain(graceMs);
    await Promise.all([...this.#retired].map((worker) => worker.close()));
    this.#parts.onClosed();
  }

  /** Gives the slots that are free to the worker, which is made where there is none. */
  #employ(): void {
    const taken = [...this.#retired].reduce((sum, { running }) => sum + running, 0);
    const slots = this.#parts.slots - taken;
    if (!this.#isTaking || slots < 1) return;
    if (this.#worker !== null) {
      this.#worker.slots = slots;
      return;
    }
    this.#wellAt = performance.now();
    this.#worker = new JobWorker({
      place: this.#parts.place,
      slots,
      run: (job) => this.#run(job),
      onOver: () => this.#employ(),
    });
  }

  #retire(): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    this.#retired.add(worker);
    void worker.retire().then(() => this.#retired.delete(worker));
  }

  async #run({ id, data }: TakenJob): Promise<void> {
    this.#lastTakenAt = Date.now();
    this.#wellAt = performance.now();
    const parsed = parsePayload(data);
    if (parsed.kind === "readable") await this.#running.run(parsed.job, this.#parts.handle);
    else this.#parts.listener.onUnreadable(id, parsed.message);
  }

  /** Compares what waits with what is taken, because a worker that silently stops raises no error. */
  async #look(): Promise<void> {
    const { slots, stalledMs, listener } = this.#parts;
    let waiting = 0;
    try {
      waiting = await this.#parts.waiting();
    } catch {
      // While the server is away nobody can take anything: the time counts from its return.
    }
    const now = performance.now();
    if (waiting === 0 || !this.#isTaking || this.#running.size >= slots) this.#wellAt = now;
    if (now - this.#wellAt < stalledMs) return;
    listener.onStalled({ waiting, stalledMs: Math.round(now - this.#wellAt) });
    this.#retire();
    this.#employ();
  }
}
