import { closeSync, existsSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { DuckDBInstance } from "./node-api.ts";
import { Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";

export interface OpenOptions {
  readonly path: string;
  /** `read_write` makes the file where there is none, if its folder exists. */
  readonly mode: "read_only" | "read_write";
  /** How long to wait for another process, or another holder in this one, to let the file go. */
  readonly lockWaitMs: number;
  /** As DuckDB writes it, such as `1GB`; its default is 80 % of the machine's memory. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Where larger-than-memory work goes; beside the file by default. */
  readonly tempDirectory?: string;
  readonly signal?: AbortSignal;
}

/** An open file. It keeps other processes out until it is closed. */
export interface Database {
  readonly path: string;
  readonly mode: "read_only" | "read_write";
  /** A connection of its own; close it before the database. */
  connect(): Promise<Session>;
  /** Closes the sessions that are still open and lets the file go. Idempotent. */
  close(): void;
}

const retryFromMs = 20;
const retryToMs = 250;

/**
 * The last holder of each file in this process, as a promise of its end. Two instances on one file in one process lose
 * committed rows, so that an open waits for the one before it, in the order of asking.
 */
const holders = new Map<string, Promise<void>>();

/**
 * Opens a DuckDB file with settings that never reach the network and read times in UTC. Never two at once on one file in
 * this process.
 * @throws ReconcilerError `warehouse_not_found`, `warehouse_unreadable`, `warehouse_locked` or `interrupted`.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const path = canonicalPath(options.path);
  checkPath(path, options);
  const deadline = performance.now() + options.lockWaitMs;
  const release = await takeTurn(path, options);
  try {
    const opened = await openInstance(path, options, deadline);
    return wrap(opened, path, options.mode, release);
  } catch (error) {
    release();
    throw error;
  }
}

/** One name for one file, however it was reached, so that two ways to it are not taken for two files. */
export function canonicalPath(path: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const folder = dirname(absolute);
  return existsSync(folder) ? join(realpathSync(folder), basename(absolute)) : absolute;
}

interface Opened {
  readonly instance: DuckDBInstance;
  /** What makes names without a catalog mean this file; null where they do by themselves. */
  readonly use: string | null;
}

function wrap(
  { instance, use }: Opened,
  path: string,
  mode: Database["mode"],
  release: () => void,
): Database {
  const sessions = new Set<Session>();
  let open = true;
  return {
    path,
    mode,
    async connect() {
      if (!open) throw new ReconcilerError("internal", `${path} is closed already`);
      const session = new Session(await instance.connect(), () => sessions.delete(session));
      sessions.add(session);
      await session.run("set TimeZone = 'UTC'");
      if (use !== null) await session.run(use);
      return session;
    },
    close() {
      if (!open) return;
      open = false;
      try {
        for (const session of sessions) session.close();
        instance.closeSync();
      } finally {
        release();
      }
    },
  };
}

async function openInstance(path: string, options: OpenOptions, deadline: number): Promise<Opened> {
  const settings: Record<string, string> = {
    access_mode: options.mode === "read_only" ? "READ_ONLY" : "READ_WRITE",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    temp_directory: options.tempDirectory ?? `${path}.tmp`,
  };
  if (options.memoryLimit !== undefined) settings["memory_limit"] = options.memoryLimit;
  if (options.threads !== undefined) settings["threads"] = String(options.threads);
  for (let waitMs = retryFromMs; ; waitMs = Math.min(waitMs * 2, retryToMs)) {
    try {
      return await withoutClash(await DuckDBInstance.create(path, settings), path, settings);
    } catch (error) {
      if (!isLocked(error)) throw unreadable(path, error);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw locked(path, options.lockWaitMs, error);
      await pause(Math.min(waitMs, leftMs), options);
    }
  }
}

/**
 * DuckDB names the catalog after the file, and refuses `shop.orders` as ambiguous in a file shop.duckdb with a schema shop.
 * Such a file is attached under a name that nobody else has.
 */
async function withoutClash(
  instance: DuckDBInstance,
  path: string,
  settings: Readonly<Record<string, string>>,
): Promise<Opened> {
  const connection = await instance.connect();
  const clash = await connection.runAndReadAll(loadSql("read-catalog-clash"));
  connection.closeSync();
  if (clash.currentRowCount === 0) return { instance, use: null };
  instance.closeSync();
  const { access_mode: mode = "READ_ONLY", ...rest } = settings;
  const attached = await DuckDBInstance.create(":memory:", rest);
  const owner = await attached.connect();
  await owner.run(`attach '${path.replaceAll("'", "''")}' as ${clashAlias} (${mode})`);
  owner.closeSync();
  return { instance: attached, use: `use ${clashAlias}` };
}

const clashAlias = "gap_reconciler_warehouse";

async function pause(ms: number, { path, signal }: OpenOptions): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw new ReconcilerError("interrupted", `stopped while waiting for ${path}`, { path, cause: error });
  }
}

/** Waits for the holder before, and becomes the one that the next waits for. */
async function takeTurn(path: string, options: OpenOptions): Promise<() => void> {
  const before = holders.get(path) ?? Promise.resolve();
  let end: () => void = () => {};
  const mine = new Promise<void>((resolveEnd) => {
    end = resolveEnd;
  });
  // Those behind this one wait for those before it too, even when it gives up.
  const all = before.then(() => mine);
  holders.set(path, all);
  void all.then(() => {
    if (holders.get(path) === all) holders.delete(path);
  });
  const waiting = new AbortController();
  const limit = pause(options.lockWaitMs, {
    ...options,
    signal: options.signal === undefined ? waiting.signal : AbortSignal.any([waiting.signal, options.signal]),
  });
  try {
    const first = await Promise.race([before.then(() => "free" as const), limit.then(() => "late" as const)]);
    if (first === "late") throw busy(path, options.lockWaitMs);
    return end;
  } catch (error) {
    end();
    throw error;
  } finally {
    waiting.abort();
    limit.catch(() => undefined);
  }
}

/**
 * Looks whether there is a DuckDB file at all, without opening it as one: a file that is in use does not matter.
 * @throws ReconcilerError `warehouse_not_found` or `warehouse_unreadable`
 */
export function checkDatabaseFile(path: string): void {
  checkPath(path, { mode: "read_only" });
  try {
    const file = openSync(path, "r");
    const head = Buffer.alloc(12);
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
    if (head.toString("latin1", 8) !== "DUCK") throw new Error("it does not begin as one does");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function checkPath(path: string, { mode }: Pick<OpenOptions, "mode">): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    if (mode === "read_only") throw notFound(path);
    if (!existsSync(dirname(path))) {
      throw new ReconcilerError("warehouse_not_found", `cannot make ${path}: its folder does not exist`, {
        path,
        hint: `make the folder ${dirname(path)}, or correct the path`,
      });
    }
    return;
  }
  if (!stats.isFile()) {
    throw new ReconcilerError("warehouse_unreadable", `expected a DuckDB file, found a folder: ${path}`, {
      path,
      hint: "give the path of the .duckdb file itself",
    });
  }
}

function notFound(path: string): ReconcilerError {
  return new ReconcilerError(
    "warehouse_not_found",
    `expected a DuckDB file at ${path}, found nothing there`,
    {
      path,
      hint: "correct the path (a relative one starts at the config file), or create the warehouse first",
    },
  );
}

/** All that fails on opening is DuckDB's "IO" error; only its text tells a lock from a fault of the file. */
function isLocked(error: unknown): boolean {
  return /Could not set lock on file|being used by another process/.test(messageOf(error));
}

function locked(path: string, waitedMs: number, cause: unknown): ReconcilerError {
  const holder = /held in (.+?) \(PID (\d+)\)/.exec(messageOf(cause));
  const who = holder === null ? "another process" : `process ${holder[2]} (${holder[1]})`;
  return new ReconcilerError("warehouse_locked", `${path} is locked by ${who}; waited ${waitedMs / 1000} s`, {
    path,
    cause,
    hint: "DuckDB lets one process write a file at a time: close that process, or wait until it is done and try again",
  });
}

function busy(path: string, waitedMs: number): ReconcilerError {
  return new ReconcilerError(
    "warehouse_locked",
    `${path} is in use by another task of this process; waited ${waitedMs / 1000} s`,
    { path, hint: "try again when the running scan or repair is done" },
  );
}

function unreadable(path: string, cause: unknown): ReconcilerError {
  if (!existsSync(path)) return notFound(path);
  return new ReconcilerError(
    "warehouse_unreadable",
    `cannot open ${path} as a DuckDB file: ${messageOf(cause)}`,
    {
      path,
      cause,
      hint: "check that it is a DuckDB database, that it is whole, and that this user may read it; a newer file needs a newer DuckDB",
    },
  );
}
