import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findRedisServer, type RedisServerProgram } from "../../scripts/redis-server.ts";
import {
  type ConnectionPurpose,
  openConnection,
  type RedisConnection,
} from "../../src/adapters/redis/connection.ts";
import { type RedisServer, redisServer, type RedisSettings } from "../../src/adapters/redis/server.ts";
import { freePort } from "./free-port.ts";

/** A Redis server of its own process, on a free port, with nothing in it. */
export interface RedisProcess {
  readonly port: number;
  readonly url: string;
  /** Sends one command, on a connection of its own. */
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** SIGSTOP: connections stay open, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** After a kill, on the same port; empty, or with what `SAVE` has stored. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const startAttempts = 5;

/** A test run that ends early must leave no server behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** @param options of the server's command line; PORT stands for the port that it gets */
export async function startRedis(...options: readonly string[]): Promise<RedisProcess> {
  const program = findRedisServer();
  if (program === null) throw new Error("there is no Redis server on the PATH: run `npm run pretest`");
  for (let attempt = 1; ; attempt += 1) {
    const directory = mkdtempSync(join(tmpdir(), "gap-reconciler-redis-"));
    try {
      return await startOn(program, await freePort(), directory, options);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      // Another process may have taken the port meanwhile.
      if (attempt === startAttempts) throw error;
    }
  }
}

/** A Sentinel that watches one server under the name `main`. */
export async function startSentinel(primary: RedisProcess): Promise<RedisProcess> {
  const directory = mkdtempSync(join(tmpdir(), "gap-reconciler-sentinel-"));
  const config = join(directory, "sentinel.conf");
  // It writes into its own configuration what it finds out.
  writeFileSync(config, `sentinel monitor main 127.0.0.1 ${primary.port} 1\n`);
  const sentinel = await startRedis(config, "--sentinel");
  return {
    ...sentinel,
    async stop() {
      await sentinel.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function startOn(
  program: RedisServerProgram,
  port: number,
  directory: string,
  options: readonly string[],
): Promise<RedisProcess> {
  const spawned = (): Promise<ChildProcess> => spawnServer(program, port, directory, options);
  let child = await spawned();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async command(name, ...args) {
      const client = new Redis({ port, retryStrategy: null, replyMapping: "legacy" });
      try {
        return await client.call(name, ...args);
      } finally {
        client.disconnect();
      }
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill,
    async restart() {
      child = await spawned();
    },
    async stop() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function spawnServer(
  { program, argv0 }: RedisServerProgram,
  port: number,
  directory: string,
  options: readonly string[],
): Promise<ChildProcess> {
  const own = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    directory,
  ];
  const others = options.map((option) => (option === "PORT" ? String(port) : option));
  // A configuration file has to come first, and what is given overrides our own.
  const isFile = (option: string): boolean => option.endsWith(".conf");
  const args = [...others.filter(isFile), ...own, ...others.filter((option) => !isFile(option))];
  const child = spawn(program, args, { argv0, stdio: ["ignore", "pipe", "ignore"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the Redis server ended: ${log}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (/Ready to accept connections|\+monitor master/.test(log)) resolve();
    });
  });
  return child;
}

export function settings(url: string, others: Partial<RedisSettings> = {}): RedisSettings {
  return { url, username: null, password: null, database: null, ca: null, sentinel: null, ...others };
}

/**
 * Connections for one purpose, ready, one to each of the servers. Their calls have time even where the machine is busy, unless
 * the time limits are what the test is about.
 */
export async function connectAll(
  urls: readonly string[],
  purpose: ConnectionPurpose = "locks",
  limits: "patient" | "as shipped" = "patient",
): Promise<readonly RedisConnection[]> {
  const connections = urls.map((url) => {
    const server = redisServer(settings(url));
    return openConnection(limits === "patient" && purpose !== "blocking" ? patient(server) : server, purpose);
  });
  await Promise.all(connections.map(ready));
  return connections;
}

/** The same server, whose answers are waited for. */
export function patient(server: RedisServer): RedisServer {
  return { ...server, options: { ...server.options, commandTimeout: 15_000, connectTimeout: 15_000 } };
}

/** The time limits of a connection are short: where one attempt came too late on a busy machine, the next does not. */
export async function ready(connection: RedisConnection): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connection.ready();
    } catch (error) {
      if (attempt === startAttempts) throw error;
    }
  }
}

/**
 * Makes a lock server believe that it has kept the locks of a keyspace all along, as a server in production has: without
 * that it grants nothing for the life of one lock.
 */
export async function asIfUsedBefore(servers: readonly RedisProcess[], keyspace: string): Promise<void> {
  for (const server of servers) {
    const info = await server.command("info", "server");
    const runId = /run_id:(\w+)/.exec(String(info))?.[1] ?? "";
    await server.command("set", `${keyspace}memory`, runId);
  }
}

/**
 * What lock servers know of time is their clock and the last number that they gave: a clock that was set back is one that
 * is behind that number.
 */
export async function turnClockBack(
  servers: readonly RedisProcess[],
  keyspace: string,
  ms: number,
): Promise<void> {
  for (const server of servers) {
    const number = Number((await server.command("get", `${keyspace}number`)) ?? 0);
    if (ms > 0)
      await server.command("set", `${keyspace}number`, Math.max(number, Date.now() * 1000) + ms * 1000);
  }
}
