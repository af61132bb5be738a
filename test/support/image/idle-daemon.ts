import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { bigQueryPlatform } from "../../e2e/platform.ts";
import { keyPrefix } from "../../../src/adapters/redis/server.ts";
import { asIfUsedBefore, startRedis } from "../redis.ts";
import type { ReplayedImage } from "./replay.ts";

const patienceMs = 120_000;

/** What a replayed image does in production while nothing is to be repaired. */
export interface IdleDaemon {
  /** From the start of its process until it had looked at everything once. */
  readonly startedMs: number;
  /** What the process holds of the machine's memory now. */
  residentBytes(): number;
  /** Sends SIGTERM, and tells how it ended and after which time. */
  stop(): Promise<{ readonly code: number | null; readonly ms: number }>;
}

/** Starts the image as a daemon on a local BigQuery and a Redis, with a whole warehouse; all of it is gone afterwards. */
export async function withIdleDaemon<T>(
  image: ReplayedImage,
  work: (daemon: IdleDaemon) => Promise<T>,
): Promise<T> {
  const [redis, platform] = await Promise.all([startRedis(), bigQueryPlatform({})]);
  const children: ChildProcess[] = [];
  const start = (...args: readonly string[]) => {
    const child = image.start({ config: platform.folder, args });
    children.push(child);
    return child;
  };
  try {
    await asIfUsedBefore([redis], `${keyPrefix("platform")}locks:`);
    await platform.configure({ more: `redis: { url: "${redis.url}" }\ndaemon: { cron: "0 4 * * *" }\n` });
    // The image's user has to get in, as it does into what is mounted.
    chmodSync(platform.folder, 0o755);
    const made = await ended(start("validate", "--connect", "--create"));
    if (made.code !== 0) throw new Error(`the image could not make its ledger:\n${made.output}`);
    return await work(await idle(start("daemon")));
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all([redis.stop(), platform.remove()]);
  }
}

async function idle(child: ChildProcess): Promise<IdleDaemon> {
  const startedAt = performance.now();
  await logged(child, /"cycle observed"/);
  const startedMs = performance.now() - startedAt;
  const end = once(child, "exit");
  return {
    startedMs,
    residentBytes: () => residentBytesOf(child.pid ?? 0),
    async stop() {
      const stoppedAt = performance.now();
      child.kill("SIGTERM");
      await end;
      return { code: child.exitCode, ms: performance.now() - stoppedAt };
    },
  };
}

function logged(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}:\n${text}`));
    const timer = setTimeout(() => fail(`the daemon did not say ${pattern.source}`), patienceMs);
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (!pattern.test(text)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once("exit", () => {
      clearTimeout(timer);
      fail("the daemon ended");
    });
  });
}

async function ended(
  child: ChildProcess,
): Promise<{ readonly code: number | null; readonly output: string }> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  await once(child, "close");
  return { code: child.exitCode, output };
}

function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
