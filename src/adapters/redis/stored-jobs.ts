import type { Queue } from "bullmq";
import type { RedisConnection } from "./connection.ts";
import { type ParsedPayload, parseJson, parsePayload } from "./job-payload.ts";

/** BullMQ's ids of the jobs that Redis holds, each list oldest first. */
export interface StoredIds {
  readonly waiting: readonly string[];
  readonly running: readonly string[];
}

export interface StoredJob {
  readonly payload: ParsedPayload;
  /** By the clock of who enqueued it, as milliseconds since 1970. */
  readonly enqueuedAt: number;
}

/**
 * What Redis holds of a queue, in two round trips whatever its size. BullMQ's own getters ask for each job in turn, and fail
 * altogether where one job cannot be read.
 */
export class StoredJobs {
  readonly #client: RedisConnection["client"];
  readonly #queue: Pick<Queue, "toKey">;

  constructor({ client }: RedisConnection, queue: Pick<Queue, "toKey">) {
    this.#client = client;
    this.#queue = queue;
  }

  /** Both at one moment, so that a job that is being taken is in one of them. */
  async ids(): Promise<StoredIds> {
    const [waiting, running] = await this.#ask(
      this.#client
        .multi()
        .lrange(this.#queue.toKey("wait"), 0, -1)
        .lrange(this.#queue.toKey("active"), 0, -1),
    );
    // BullMQ adds at the front and takes from the end.
    return { waiting: texts(waiting).toReversed(), running: texts(running).toReversed() };
  }

  /** By id; without those that are not there any more. */
  async read(ids: readonly string[]): Promise<ReadonlyMap<string, StoredJob>> {
    const pipeline = this.#client.pipeline();
    for (const id of ids) pipeline.hmget(this.#queue.toKey(id), "data", "timestamp");
    const replies = ids.length === 0 ? [] : await this.#ask(pipeline);
    const jobs = replies.map((reply, index): readonly [string, StoredJob] | null => {
      const fields: readonly unknown[] = Array.isArray(reply) ? reply : [];
      const [data, timestamp] = fields;
      if (typeof data !== "string") return null;
      return [ids[index] ?? "", { payload: parsePayload(parseJson(data)), enqueuedAt: Number(timestamp) }];
    });
    return new Map(jobs.filter((entry) => entry !== null));
  }

  async #ask(commands: ReturnType<RedisConnection["client"]["pipeline"]>): Promise<readonly unknown[]> {
    const replies = (await commands.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    });
  }
}

function texts(reply: unknown): readonly string[] {
  return Array.isArray(reply) ? reply.filter((item) => typeof item === "string") : [];
}
