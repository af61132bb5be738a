import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { formatInstant } from "../../core/wall-clock.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { type Database, openDatabase } from "../duckdb/database.ts";
import { makeFolderOf } from "../duckdb/folder.ts";
import { workerIdentity } from "./worker-identity.ts";

export interface RunGuardOptions {
  /** The lock file, beside the ledger. It is made once and stays. */
  readonly path: string;
  /** How long to wait for a run that holds it. */
  readonly waitMs: number;
  /** Told once, before a wait, who holds it. */
  readonly onWait?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface RunGuard {
  /** Idempotent; never throws. */
  release(): Promise<void>;
}

/**
 * Lets one run at a time repair on one ledger, among all processes that see the file.
 *
 * The lock is the operating system's, on a DuckDB file that is held open: it ends with its process, however that ends. A file
 * that merely names its holder would have to be judged by pid, and a killed container's pid means nothing to the next one.
 * @throws ReconcilerError `run_in_progress` where another run holds it all the time, `interrupted` where the signal aborts,
 * `ledger_unavailable` where the file cannot be made or opened.
 */
export async function acquireRunGuard(options: RunGuardOptions): Promise<RunGuard> {
  const { path, waitMs, signal, onWait } = options;
  let database: Database;
  try {
    await makeLockFile(path);
    database = await open(path, 0, signal).catch((error: unknown) => {
      if (waitMs === 0 || !isHeld(error)) throw error;
      onWait?.(heldMessage(path, error));
      return open(path, waitMs, signal);
    });
  } catch (error) {
    throw refusal(path, error, waitMs);
  }
  writeNote(path);
  return {
    release() {
      rmSync(noteOf(path), { force: true });
      database.close();
      return Promise.resolve();
    },
  };
}

function open(path: string, lockWaitMs: number, signal?: AbortSignal): Promise<Database> {
  const options = { path, mode: "read_write", lockWaitMs, threads: 1 } as const;
  return openDatabase(signal === undefined ? options : { ...options, signal });
}

/** Makes the file elsewhere and gives it its name when it is whole: a kill in between leaves none that cannot be opened. */
async function makeLockFile(path: string): Promise<void> {
  if (existsSync(path)) return;
  const draft = `${path}.${process.pid}`;
  try {
    // A ledger that is not there yet has its folder made for it; the guard comes first.
    makeFolderOf(path);
    (await open(draft, 0)).close();
    linkSync(draft, path);
  } catch (error) {
    // Another process made it meanwhile. It must not be replaced: that one may hold it.
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isHeld(error: unknown): error is ReconcilerError {
  return error instanceof ReconcilerError && error.code === "warehouse_locked";
}

function heldMessage(path: string, { message }: ReconcilerError): string {
  return `another run repairs on this ledger${sinceWhen(path, message)}: ${message.replace(/; waited .*$/, "")}`;
}

function refusal(path: string, error: unknown, waitMs: number): ReconcilerError {
  if (error instanceof ReconcilerError && error.code === "interrupted") return error;
  if (isHeld(error)) {
    const message = `${heldMessage(path, error)}; waited ${waitMs / 1000} s`;
    return new ReconcilerError("run_in_progress", message, {
      path,
      cause: error,
      hint: "wait until that run has ended, or end it; `reconcile plan` and `reconcile status` work meanwhile",
    });
  }
  return new ReconcilerError(
    "ledger_unavailable",
    `the lock file ${path} cannot be used: ${messageOf(error)}`,
    {
      path,
      cause: error,
      hint: "check the rights on that folder; a damaged lock file may be deleted while no run is active",
    },
  );
}

function noteOf(path: string): string {
  return `${path}.holder`;
}

/** Tells those who find the lock taken who has it; it protects nothing. */
function writeNote(path: string): void {
  try {
    writeFileSync(noteOf(path), `${workerIdentity()} ${formatInstant(Date.now())}\n`);
  } catch {
    // A run that holds the lock is not to fail for want of a courtesy.
  }
}

/** The note may be that of a holder before who was killed, so that it counts only for the process which the lock names. */
function sinceWhen(path: string, locked: string): string {
  try {
    const [worker = "", since = ""] = readFileSync(noteOf(path), "utf8").trim().split(" ");
    const pid = worker.split("/").at(-2) ?? "";
    const isOwn = pid === String(process.pid) && locked.includes("this process");
    return isOwn || locked.includes(`process ${pid} `) ? ` since ${since}` : "";
  } catch {
    return "";
  }
}
