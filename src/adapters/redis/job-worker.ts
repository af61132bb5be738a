import { type Job, type JobJson, WaitingError, Worker } from "bullmq";
import { parseJson } from "./job-payload.ts";
import { openConnection, type RedisConnection } from "./connection.ts";
import { limited } from "./limited.ts";
import type { RedisServer } from "./server.ts";

/** Where BullMQ keeps a pipeline's jobs. */
export interface QueuePlace {
  readonly server: RedisServer;
  /** What all keys begin with. */
  readonly prefix: string;
  readonly name: string;
}

export interface TakenJob {
  readonly id: string;
  readonly data: unknown;
}

export interface JobWorkerOptions {
  readonly place: QueuePlace;
  /** At least 1. */
  readonly slots: number;
  /** Never rejects. */
  readonly run: (job: TakenJob) => Promise<void>;
  /** A job is over, and `running` is smaller. */
  readonly onOver: () => void;
}

/** BullMQ's defaults drop the job of a killed worker after 60 s, these within about 5. */
const lockMs = 5000;
const stalledMs = 2000;
/** Also how long a worker waits on the server at most, so that a dead connection is known by its silence. */
const pollSeconds = 1;
/** After a failure of the connection; the default leaves jobs alone for 15 s. */
const retryMs = 500;
/** Ending a job on the server and closing the connections. */
const closeMs = 2000;

/** One BullMQ worker with connections of its own, which it does not share with anything that has a time limit. */
export class JobWorker {
  readonly #connection: RedisConnection;
  readonly #worker: ReadableWorker;
  readonly #inFlight = new Set<Promise<void>>();
  #isTaking = true;

  /** Takes jobs from now on. Never throws; while the server is away it waits for it. */
  constructor({ place, slots, run, onOver }: JobWorkerOptions) {
    this.#connection = openConnection(place.server, "blocking");
    const process = async (job: Job<unknown>, token?: string): Promise<void> => {
      // Asked for before this worker retired, it is for another.
      if (!this.#isTaking) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const over = run({ id: job.id ?? "", data: job.data });
      this.#inFlight.add(over);
      await over;
      this.#inFlight.delete(over);
      onOver();
    };
    this.#worker = new ReadableWorker(place.name, process, {
      connection: this.#connection.client,
      prefix: place.prefix,
      concurrency: slots,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      // What its worker has begun may go on without it. Only the ledger knows, and whoever plans reads it for a job that is gone.
      maxStalledCount: 0,
      drainDelay: pollSeconds,
      runRetryDelay: retryMs,
      // Whoever composes the program checks the server, and tells the user in our words.
      skipVersionCheck: true,
    });
    // Whatever goes wrong is tried again, and shows in jobs that nobody takes: the consumer watches for those.
    this.#worker.on("error", () => undefined);
  }

  /** Jobs that it has taken and that are not over. */
  get running(): number {
    return this.#inFlight.size;
  }

  /** At least 1. */
  set slots(slots: number) {
    this.#worker.concurrency = slots;
  }

  /** Takes nothing more, and closes when what it has taken is over. Never rejects. */
  async retire(): Promise<void> {
    this.#isTaking = false;
    await this.#worker.pause(true).catch(() => undefined);
    await Promise.all(this.#inFlight);
    await this.close();
  }

  /** Waits a moment for the server to know that what was run is over, unless something is not, which would never be. Never throws. */
  async close(): Promise<void> {
    const isOver = this.#inFlight.size === 0;
    const closed = limited(this.#connection, closeMs, () => this.#worker.close(!isOver)).catch(
      () => undefined,
    );
    if (isOver) await closed;
    // Also ends what the library still waits for.
    this.#connection.close();
  }
}

/** Jobs whose data is no JSON would stay with the library for ever, failing again and again: null is for us to refuse. */
class ReadableWorker extends Worker<unknown, void> {
  protected override createJob(data: JobJson, jobId: string): Job<unknown, void> {
    const readable = parseJson(data.data) === undefined ? { ...data, data: "null" } : data;
    return super.createJob(readable, jobId);
  }
}
