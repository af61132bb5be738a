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
  /** From the start of its process until `/healthz` answered 200. */
  readonly healthyMs: number;
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
    await platform.configure({
      more: `redis: { url: "${redis.url}" }\nhttp: { listen: "127.0.0.1:0" }\ndaemon: { cron: "0 4 * * *" }\n`,
    });
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
  const looked = logged(child, /"cycle observed"/);
  const healthyMs = logged(child, /"url":"([^"]+)"/).then(async (url) => {
    const { ok } = await fetch(new URL("healthz", url));
    if (!ok) throw new Error(`${url}/healthz did not say that it is well`);
    return performance.now() - startedAt;
  });
  await Promise.all([healthyMs, looked]);
  const end = once(child, "exit");
  return {
    healthyMs: await healthyMs,
    residentBytes: () => residentBytesOf(child.pid ?? 0),
    async stop() {
      const stoppedAt = performance.now();
      child.kill("SIGTERM");
      await end;
      return { code: child.exitCode, ms: performance.now() - stoppedAt };
    },
  };
}

/** Resolves with what the pattern's group holds, or all of it, once stderr has a line that matches. */
function logged(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}:\n${text}`));
    const timer = setTimeout(() => fail(`the daemon did not say ${pattern.source}`), patienceMs);
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const [all, group] = pattern.exec(text) ?? [];
      if (all === undefined) return;
      clearTimeout(timer);
      resolve(group ?? all);
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
