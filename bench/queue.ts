/**
 * What handing jobs to the workers costs beside BullMQ alone.
 *
 * Baseline: one `addBulk` of the jobs, with the same data and options, on a connection of the same kind. Measured: the
 * queue's `enqueue`, which also asks for the newest epoch and for what is outstanding, and looks at the epoch once more. Both
 * begin with an empty server, a process of its own.
 */
import { Queue } from "bullmq";
import { createRedisRepairQueue } from "../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../src/adapters/redis/server.ts";
import { fromDay } from "../src/core/iso-date.ts";
import type { RepairJob } from "../src/reconcile/ports/repair-queue.ts";
import { connectAll, settings, startRedis } from "../test/support/redis.ts";
import { type Benchmark, compare } from "./measure.ts";

const jobsEach = 1000;
const datesEach = 5;
const rounds = 41;
const firstDay = 18_262; // 2020-01-01

export async function queueBenchmark(): Promise<Benchmark> {
  const redis = await startRedis();
  const queue = createRedisRepairQueue({
    pipeline: "bench",
    server: redisServer(settings(redis.url)),
    jobsMax: jobsEach,
    listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
  });
  const [connection] = await connectAll([redis.url], "commands");
  if (connection === undefined) throw new Error("expected a connection");
  const bare = new Queue("bare", { connection: connection.client, skipVersionCheck: true });
  const jobs = makeJobs();
  try {
    const inMs = await compare(
      "dispatch",
      "ms",
      rounds,
      async () => check((await queue.enqueue(jobs, 1)).length),
      async () => check((await bare.addBulk(jobs.map(bulkJob))).length),
      async () => void (await connection.client.flushall()),
    );
    return perSecond(inMs);
  } finally {
    await queue.close();
    await bare.close();
    connection.close();
    await redis.stop();
  }
}

function perSecond({ name, value, baseline, ratio }: Benchmark): Benchmark {
  const rate = (ms: number) => Math.round((jobsEach * 1000) / ms);
  return {
    name,
    value: rate(value),
    unit: "jobs/s",
    baseline: rate(baseline),
    ratio: Math.round(100 / ratio) / 100,
  };
}

function makeJobs(): readonly RepairJob[] {
  return Array.from({ length: jobsEach }, (_, job) => {
    const dates = Array.from({ length: datesEach }, (_, date) => fromDay(firstDay + job * datesEach + date));
    return {
      id: `games/${dates[0]}..${dates.at(-1)}/1`,
      repair: "games",
      dates,
      attempt: 1,
      reason: `${datesEach} missing`,
      cycleId: "bench-1",
    };
  });
}

function bulkJob(job: RepairJob) {
  const options = { attempts: 1, removeOnComplete: true, removeOnFail: true };
  return { name: job.repair, data: { ...job, epoch: 1 }, opts: { ...options, jobId: job.id } };
}

function check(added: number): void {
  if (added !== jobsEach) throw new Error(`expected ${jobsEach} jobs to be added, found ${added}`);
}
