import { randomUUID } from "node:crypto";
import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { openDatabase } from "./database.ts";
import { makeFolderOf } from "./folder.ts";
import type { Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";

/** The form of the tables that this version writes; it reads form 1 too, and brings it to this form when it writes. */
const schemaVersion = 2;

export interface LedgerFile {
  /** Makes the file and its tables where there are none. */
  readonly create: () => Promise<void>;
  /** Runs `work` on the ledger as it is; `absent` where there is none, without making one. */
  read<T>(absent: T, work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs `work` in one transaction; those that ask at the same time share one opening of the file. */
  write(work: (session: Session) => Promise<void>): Promise<void>;
}

/**
 * A ledger file, opened, used and closed for each call, so that several processes can share it.
 * All of it throws ReconcilerError: `ledger_unavailable` where the file cannot be opened or is not a ledger that this
 * version knows, `ledger_missing` where there is none to write to, `write_failed` where nothing was recorded.
 */
export function ledgerFile(path: string, lockWaitMs: number): LedgerFile {
  const waiting: Write[] = [];
  let isWriting = false;
  return {
    async create() {
      makeFolder(path);
      if (!existsSync(path)) await makeWhole(path, lockWaitMs);
      await withSession(path, "read_write", lockWaitMs, async (session) => {
        const form = await formOf(session, path);
        if (form === "old") await inTransaction(session, path, () => upgrade(session));
        if (form !== "empty") return;
        await inTransaction(session, path, () => makeTables(session));
      });
    },
    async read(absent, work) {
      if (!existsSync(path)) return absent;
      return withSession(path, "read_only", lockWaitMs, async (session) => {
        if ((await formOf(session, path)) === "empty") return absent;
        try {
          return await work(session);
        } catch (error) {
          throw unavailable(path, `the ledger ${path} cannot be read: ${messageOf(error)}`, error);
        }
      });
    },
    write: (work) =>
      new Promise((resolve, reject) => {
        waiting.push({ work, resolve, reject });
        if (!isWriting) void writeAll();
      }),
  };

  /** What is asked for while the file is being opened shares the opening, which costs more than a record does. */
  async function writeAll(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      let group: Write[] = [];
      try {
        if (!existsSync(path)) throw missing(path);
        await withSession(path, "read_write", lockWaitMs, async (session) => {
          const form = await formOf(session, path);
          if (form === "empty") throw missing(path);
          if (form === "old") await inTransaction(session, path, () => upgrade(session));
          group = waiting.splice(0);
          for (const write of group) {
            await inTransaction(session, path, () => write.work(session)).then(write.resolve, write.reject);
          }
        });
      } catch (error) {
        // Those of the group that were written are resolved already; a second word to them changes nothing.
        for (const write of [...group, ...waiting.splice(0)]) write.reject(error);
      }
    }
    isWriting = false;
  }
}

interface Write {
  readonly work: (session: Session) => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A process that is killed while DuckDB checkpoints can leave a block of the file half written, which nothing mends: it was seen to
 * happen. The log that comes before it is only ever appended to, and a torn end of it is left out on the next
 * open. So closing must not checkpoint; the log does it when it has grown.
 */
const rareCheckpoints = ["pragma disable_checkpoint_on_shutdown", "set wal_autocheckpoint = '4MB'"];

async function withSession<T>(
  path: string,
  mode: "read_only" | "read_write",
  lockWaitMs: number,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  // One record at a time needs neither threads nor much memory.
  const options = { path, mode, lockWaitMs, threads: 1 };
  const database = await openDatabase(options).catch((error: unknown) => {
    throw notOpened(path, error);
  });
  try {
    const session = await database.connect();
    if (mode === "read_write") for (const setting of rareCheckpoints) await session.run(setting);
    return await work(session);
  } finally {
    database.close();
  }
}

/** @throws ReconcilerError `ledger_unavailable` where the file holds something else, or a form from a later version. */
async function formOf(session: Session, path: string): Promise<"empty" | "old" | "ledger"> {
  const found = await session.run(loadSql("ledger-read-version"));
  const [tables = 0, ledgerTables = 0] = [found.numbers(0)[0], found.numbers(1)[0]];
  if (tables === 0) return "empty";
  if (ledgerTables < 3) {
    throw new ReconcilerError("ledger_unavailable", `expected a ledger at ${path}, found another database`, {
      path,
      hint: "the ledger is a file of its own: give it a path where no file is yet",
    });
  }
  const version = (await session.run(loadSql("ledger-read-schema-version"))).numbers(0)[0] ?? Number.NaN;
  if (version === 1) return "old";
  if (version !== schemaVersion) {
    throw new ReconcilerError(
      "ledger_unavailable",
      `the ledger ${path} has tables of version ${version}, and this gap-reconciler knows version ${schemaVersion}`,
      { path, hint: "a later version of gap-reconciler wrote it: use that version, or another ledger path" },
    );
  }
  return "ledger";
}

/** From form 1 to the present one; what is on record stays as it is. */
async function upgrade(session: Session): Promise<void> {
  await session.run(loadSql("ledger-upgrade-outdates"));
  await session.run(loadSql("ledger-insert-version"), { version: schemaVersion });
}

/**
 * Makes a ledger beside its place and moves it there: of a process that is killed while it makes one nothing is left at `path`,
 * where half a header would be refused as no database for ever. Keeps what another process put there meanwhile.
 */
async function makeWhole(path: string, lockWaitMs: number): Promise<void> {
  const beside = `${path}.making-${randomUUID()}`;
  try {
    await withSession(beside, "read_write", lockWaitMs, async (session) => {
      await inTransaction(session, beside, () => makeTables(session));
      // A log beside it would not move with it.
      await session.run("checkpoint");
    });
    moveUnlessThere(beside, path);
  } catch (error) {
    if (!existsSync(path)) {
      if (error instanceof ReconcilerError) throw error;
      throw unavailable(path, `the ledger ${path} cannot be made: ${messageOf(error)}`, error);
    }
  } finally {
    for (const left of [beside, `${beside}.wal`]) rmSync(left, { force: true });
  }
}

function moveUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Some file systems know no second name for a file; on those two that make a ledger in one moment could collide.
    if (existsSync(to) || !isUnsupported(error)) throw error;
    renameSync(from, to);
  }
}

function isUnsupported(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS";
}

async function makeTables(session: Session): Promise<void> {
  for (const statement of loadSql("ledger-create").split(/;\n/)) await session.run(statement);
  await session.run(loadSql("ledger-insert-version"), { version: schemaVersion });
}

async function inTransaction(session: Session, path: string, work: () => Promise<void>): Promise<void> {
  try {
    await session.transaction(work);
  } catch (error) {
    throw new ReconcilerError("write_failed", `the ledger ${path} cannot be written: ${messageOf(error)}`, {
      path,
      cause: error,
      hint: "nothing of it was recorded; check the space on that disk and the rights on that folder, then try again",
    });
  }
}

function makeFolder(path: string): void {
  try {
    makeFolderOf(path);
  } catch (error) {
    throw unavailable(path, `the folder of the ledger ${path} cannot be made: ${messageOf(error)}`, error);
  }
}

function notOpened(path: string, error: unknown): ReconcilerError {
  if (error instanceof ReconcilerError && error.code === "warehouse_locked") {
    return new ReconcilerError("ledger_unavailable", `the ledger is not free: ${error.message}`, {
      path,
      cause: error,
      hint: "only one process can use a ledger file at a moment, and each lets it go at once: find what that process waits for, or end it",
    });
  }
  return unavailable(path, `the ledger ${path} cannot be opened: ${messageOf(error)}`, error);
}

function unavailable(path: string, message: string, cause: unknown): ReconcilerError {
  return new ReconcilerError("ledger_unavailable", message, {
    path,
    cause,
    hint: "check that the file is whole and that this user may read and write it and its folder; restore it from a copy, or move it away to begin a new ledger",
  });
}

function missing(path: string): ReconcilerError {
  return new ReconcilerError("ledger_missing", `expected a ledger at ${path}, found none`, {
    path,
    hint: "make it with `reconcile validate --connect --create`",
  });
}
