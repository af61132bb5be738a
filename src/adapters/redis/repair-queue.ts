import { Queue } from "bullmq";
import type {
  ConsumeOptions,
  OutstandingRepair,
  QueueDepth,
  QueuedRepair,
  RepairConsumer,
  RepairHandler,
  RepairJob,
  RepairQueue,
} from "../../reconcile/ports/repair-queue.ts";
import { outdatedPlan } from "../outdated-plan.ts";
import { checkOfConnection } from "./check-server.ts";
import { openConnection, type RedisConnection } from "./connection.ts";
import { createEpochKey, type EpochKey } from "./epoch-key.ts";
import { jobIdOf } from "./job-payload.ts";
import type { QueuePlace } from "./job-worker.ts";
import { limited } from "./limited.ts";
import { PlanEpoch } from "./plan-epoch.ts";
import { RedisRepairConsumer, type RepairQueueListener } from "./repair-consumer.ts";
import { keyPrefix, type RedisServer } from "./server.ts";
import { StoredJobs } from "./stored-jobs.ts";

export interface RedisRepairQueueOptions {
  readonly pipeline: string;
  readonly server: RedisServer;
  /** Jobs that may be outstanding, in all processes together. */
  readonly jobsMax: number;
  readonly listener: RepairQueueListener;
  /** How long jobs may wait beside a free slot of a consumer until its worker is started anew. */
  readonly stalledMs?: number;
}

/** Of a whole call, however many questions it asks. */
const callMs = 5000;
const defaultStalledMs = 30_000;

/** Sent together; few enough that a slow server answers them within the time limit of a command. */
const jobsAtOnce = 1000;

/** BullMQ keeps nothing of a job that is over, or the same id would be refused for ever, and tries nothing again. */
const jobOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

export interface RedisRepairQueue extends RepairQueue {
  /**
   * The newest epoch of all plans, as far as Redis and this process know; 0 where there was none.
   * @throws ReconcilerError `redis_*` where the queue's server cannot be used
   */
  newestPlan(): Promise<number>;
}

/** A queue of all processes that share a pipeline's Redis: BullMQ, with none of its retries, delays and kept results. */
export function createRedisRepairQueue(options: RedisRepairQueueOptions): RedisRepairQueue {
  return new BullRepairQueue(options);
}

class BullRepairQueue implements RedisRepairQueue {
  readonly #options: RedisRepairQueueOptions;
  readonly #place: QueuePlace;
  readonly #connection: RedisConnection;
  readonly #check: () => Promise<void>;
  readonly #queue: Queue<QueuedRepair, void, string>;
  readonly #stored: StoredJobs;
  readonly #epoch: PlanEpoch;
  readonly #memory: EpochKey;
  readonly #consumers = new Set<RedisRepairConsumer>();
  /** One plan is enqueued at a time, so that each knows how many jobs there are. */
  #lastEnqueue: Promise<unknown> = Promise.resolve();

  constructor(options: RedisRepairQueueOptions) {
    const { server, pipeline } = options;
    this.#options = options;
    this.#place = { server, prefix: keyPrefix(pipeline).replace(/:$/, ""), name: "repairs" };
    this.#connection = openConnection(server, "commands");
    this.#check = checkOfConnection(this.#connection);
    this.#queue = new Queue(this.#place.name, {
      connection: this.#connection.client,
      prefix: this.#place.prefix,
      // Both would ask the server something now, once, and be broken for good where it does not answer.
      skipVersionCheck: true,
      skipMetasUpdate: true,
    });
    // Failed calls tell it too.
    this.#queue.on("error", () => undefined);
    this.#stored = new StoredJobs(this.#connection, this.#queue);
    this.#epoch = new PlanEpoch(this.#connection, pipeline);
    this.#memory = createEpochKey(this.#connection, pipeline);
  }

  enqueue(jobs: readonly RepairJob[], epoch: number): Promise<readonly string[]> {
    const before = this.#lastEnqueue;
    const turn = this.#call(async () => {
      await before;
      return this.#enqueue(jobs, epoch);
    });
    this.#lastEnqueue = turn.catch(() => undefined);
    return turn;
  }

  /**
   * The epoch is noted before and after. Between the two another planner can take over, and a worker can take what is
   * about to be withdrawn: a job of a plan that is a moment too old, which its look at the warehouse and the cells' locks
   * make harmless. A wiped server has no epoch to refuse by until the next plan.
   */
  async #enqueue(jobs: readonly RepairJob[], epoch: number): Promise<readonly string[]> {
    const [newest, stored] = await Promise.all([this.#epoch.note(epoch), this.#stored.ids()]);
    if (newest > epoch) throw outdatedPlan(epoch, newest);
    const outstanding = new Set([...stored.waiting, ...stored.running, ...this.#runningHere()]);
    const added: RepairJob[] = [];
    for (const job of jobs) {
      if (outstanding.size >= this.#options.jobsMax) break;
      if (outstanding.has(jobIdOf(job.id))) continue;
      outstanding.add(jobIdOf(job.id));
      added.push(job);
    }
    const ids = added.map(({ id }) => id);
    if (added.length === 0) return ids;
    for (let from = 0; from < added.length; from += jobsAtOnce) {
      await this.#queue.addBulk(added.slice(from, from + jobsAtOnce).map((job) => bullJob(job, epoch)));
    }
    const newestNow = await this.#epoch.note(epoch);
    if (newestNow === epoch) return ids;
    await this.#remove(ids);
    throw outdatedPlan(epoch, newestNow);
  }

  newestPlan(): Promise<number> {
    return this.#call(() => this.#epoch.newest());
  }

  outstanding(): Promise<readonly OutstandingRepair[]> {
    return this.#call(async () => {
      // A server that is merely away lets this fail.
      if ((await this.#memory.look()) === "wiped") this.#options.listener.onWiped();
      const { running, waiting } = await this.#stored.ids();
      const stored = await this.#stored.read([...running, ...waiting]);
      // What a wiped server forgot and this process still runs.
      const jobs = new Map<string, OutstandingRepair>(
        this.#running().map((job) => [job.id, { ...job, state: "running" }]),
      );
      const states = [
        ...running.map((id) => [id, "running"] as const),
        ...waiting.map((id) => [id, "queued"] as const),
      ];
      for (const [id, state] of states) {
        const found = stored.get(id);
        // Whoever takes one that is unreadable reports it.
        if (found?.payload.kind !== "readable" || jobs.has(found.payload.job.id)) continue;
        const { job } = found.payload;
        jobs.set(
          job.id,
          state === "running" ? { ...job, state } : { ...job, state, queuedAt: found.enqueuedAt },
        );
      }
      return [...jobs.values()];
    });
  }

  consume(handle: RepairHandler, { slots }: ConsumeOptions): RepairConsumer {
    const consumer = new RedisRepairConsumer({
      place: this.#place,
      slots,
      handle,
      listener: this.#options.listener,
      stalledMs: this.#options.stalledMs ?? defaultStalledMs,
      waiting: () => this.#call(() => this.#queue.getWaitingCount()),
      onClosed: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  remove(ids: readonly string[]): Promise<readonly string[]> {
    return this.#call(() => this.#remove(ids));
  }

  async #remove(ids: readonly string[]): Promise<readonly string[]> {
    const waiting = new Set((await this.#stored.ids()).waiting);
    const removed = ids.map(async (id) => {
      if (!waiting.has(jobIdOf(id))) return [];
      // Refused where a worker took it meanwhile: then it is locked.
      return (await this.#queue.remove(jobIdOf(id))) === 1 ? [id] : [];
    });
    return (await Promise.all(removed)).flat();
  }

  depth(): Promise<QueueDepth> {
    return this.#call(async () => {
      const { waiting, running } = await this.#stored.ids();
      const oldest = await this.#stored.read(waiting.slice(0, 1));
      const [since = null] = [...oldest.values()].map(({ enqueuedAt }) => enqueuedAt);
      return {
        waiting: waiting.length,
        running: running.length,
        oldestWaitingMs: since === null ? null : Math.max(0, Date.now() - since),
      };
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close({ graceMs: 0 })));
    this.#connection.close();
  }

  /** Fails fast while the server is away or cannot carry a queue, and within `callMs` whatever happens. */
  #call<T>(work: () => Promise<T>): Promise<T> {
    return limited(this.#connection, callMs, async () => {
      await this.#connection.ready();
      await this.#check();
      return work();
    });
  }

  #running(): readonly QueuedRepair[] {
    return [...this.#consumers].flatMap(({ jobs }) => jobs);
  }

  #runningHere(): readonly string[] {
    return this.#running().map(({ id }) => jobIdOf(id));
  }
}

function bullJob(
  job: RepairJob,
  epoch: number,
): { readonly name: string; readonly data: QueuedRepair; readonly opts: object } {
  return { name: job.repair, data: { ...job, epoch }, opts: { ...jobOptions, jobId: jobIdOf(job.id) } };
}
