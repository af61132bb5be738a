/**
 * How long after an upstream repair was verified the repair that it unblocks is in the queue.
 *
 * Two tables, one made of the other, both empty on every date. Real daemons of their own processes repair them, one date at
 * a time: one on DuckDB alone, one on Redis and the local BigQuery, and three there, of which one only plans and two only
 * work, so that every upstream repair ran in another process than the planner. Measured, for each date: from the moment
 * when the look after the upstream repair has its answer to the moment when the downstream job is in the queue. Baseline:
 * the least that Redis takes for it, a message from one connection to another and one bare BullMQ `add`.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Queue } from "bullmq";
import { z } from "zod";
import type { DaemonRole } from "../src/reconcile/daemon-options.ts";
import { connectAll, startRedis } from "../test/support/redis.ts";
import { type BrokenPipeline, distributedPipeline, embeddedPipeline } from "./broken-pipeline.ts";
import { medianAndP99, type Benchmark } from "./measure.ts";

const dateCount = 100;
/** For all dates of a pipeline. */
const patienceMs = 600_000;

const sighting = z.object({ kind: z.enum(["verified", "enqueued"]), date: z.string(), atUs: z.number() });
/** Told by a daemon: at an instant of the machine's monotonic clock, in microseconds. */
export type Sighting = z.infer<typeof sighting>;

export async function latencyBenchmarks(): Promise<readonly Benchmark[]> {
  const bare = await bareLatencies();
  const setups = [
    ["latency_embedded", embeddedPipeline, ["all"]],
    ["latency_distributed", distributedPipeline, ["all"]],
    ["latency_three_processes", distributedPipeline, ["planner", "worker", "worker"]],
  ] as const;
  const benchmarks: Benchmark[] = [];
  for (const [name, make, roles] of setups) {
    const pipeline = await make(dateCount);
    try {
      benchmarks.push(...medianAndP99(name, "ms", await latencies(pipeline, roles), bare));
    } finally {
      await pipeline.remove();
    }
  }
  return benchmarks;
}

/** In milliseconds, one for each date. */
async function latencies(
  { file, dates }: BrokenPipeline,
  roles: readonly DaemonRole[],
): Promise<readonly number[]> {
  const program = new URL("./daemon-process.ts", import.meta.url);
  const daemons = roles.map((role) => fork(program, [file, role]));
  try {
    const { verified, enqueued } = await untilEnqueued(daemons, dates.length);
    return dates.map((date) => ((enqueued.get(date) ?? NaN) - (verified.get(date) ?? NaN)) / 1000);
  } finally {
    await Promise.all(daemons.map(end));
  }
}

/** By date, when each was first told. */
function untilEnqueued(
  daemons: readonly ChildProcess[],
  dateCount: number,
): Promise<Readonly<Record<Sighting["kind"], ReadonlyMap<string, number>>>> {
  const times = { verified: new Map<string, number>(), enqueued: new Map<string, number>() };
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`${times.enqueued.size} of ${dateCount} were enqueued`));
    const timer = setTimeout(giveUp, patienceMs);
    for (const daemon of daemons) {
      daemon.once("exit", giveUp);
      daemon.on("message", (message) => {
        const { kind, date, atUs } = sighting.parse(message);
        times[kind].set(date, Math.min(atUs, times[kind].get(date) ?? Infinity));
        if (times.enqueued.size < dateCount) return;
        clearTimeout(timer);
        resolve(times);
      });
    }
  });
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exited = once(daemon, "exit");
  daemon.kill("SIGKILL");
  await exited;
}

async function bareLatencies(): Promise<readonly number[]> {
  const redis = await startRedis();
  const [subscriber, publisher] = await connectAll([redis.url, redis.url], "blocking");
  if (subscriber === undefined || publisher === undefined) throw new Error("expected two connections");
  const queue = new Queue("bare", { connection: publisher.client, skipVersionCheck: true });
  await subscriber.client.subscribe("bare");
  const found: number[] = [];
  try {
    for (let round = 0; round < dateCount; round++) {
      const start = performance.now();
      const heard = once(subscriber.client, "message");
      await publisher.client.publish("bare", String(round));
      await heard;
      await queue.add("bare", {}, { jobId: `job-${round}` });
      found.push(performance.now() - start);
    }
  } finally {
    await queue.close();
    subscriber.close();
    publisher.close();
    await redis.stop();
  }
  return found;
}
