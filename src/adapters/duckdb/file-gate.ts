import { ReconcilerError } from "../../errors.ts";
import { canonicalPath, type Database, type OpenOptions, openDatabase } from "./database.ts";

/**
 * `read` and `write` are shared by all that ask for the same, and a scan may join while the file is open for writing;
 * `released` is held by one, with no file open. DuckDB keeps other processes out of a file that this one has open, so
 * that nothing stays open longer than its use.
 */
export type GateMode = "read" | "write" | "released";

interface Waiting {
  readonly mode: GateMode;
  readonly enter: () => void;
}

const gates = new Map<string, { readonly gate: FileGate; users: number }>();

/**
 * The gate of a file: the same one for all that ask for the same file in this process. The first one's options count.
 * Every call needs its `letGoOfGate`.
 */
export function gateOf(options: Omit<OpenOptions, "mode" | "signal">, waitMs: number): FileGate {
  const path = canonicalPath(options.path);
  const entry = gates.get(path) ?? { gate: new FileGate({ ...options, path }, waitMs), users: 0 };
  entry.users += 1;
  gates.set(path, entry);
  return entry.gate;
}

export function letGoOfGate(gate: FileGate): void {
  for (const [path, entry] of gates) {
    if (entry.gate !== gate) continue;
    entry.users -= 1;
    if (entry.users === 0) gates.delete(path);
  }
}

/** The one way to a file for everything in this process. */
export class FileGate {
  readonly #options: Omit<OpenOptions, "mode" | "signal">;
  readonly #waitMs: number;
  readonly #queue: Waiting[] = [];
  #mode: GateMode | null = null;
  #holders = 0;
  #database: Promise<Database> | null = null;

  /** @param waitMs how long one may wait for its turn in this process. */
  constructor(options: Omit<OpenOptions, "mode" | "signal">, waitMs: number) {
    this.#options = options;
    this.#waitMs = waitMs;
  }

  /** @throws what `work` throws, and what `openDatabase` throws. */
  async use<T>(
    mode: "read" | "write",
    work: (database: Database) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    await this.#enter(mode, signal);
    try {
      this.#database ??= openDatabase({
        ...this.#options,
        mode: mode === "read" ? "read_only" : "read_write",
      });
      return await work(await this.#database);
    } finally {
      await this.#leave();
    }
  }

  /** Runs `work` while no file is open here, alone. */
  async released<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter("released", signal);
    try {
      return await work();
    } finally {
      await this.#leave();
    }
  }

  async #enter(mode: GateMode, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw this.#calledOff();
    // Who comes later never passes somebody who waits, or a stream of scans would keep a repair out for ever.
    if (this.#queue.length === 0 && this.#admits(mode)) {
      this.#admit(mode);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        mode,
        enter: () => {
          end();
          resolve();
        },
      };
      const giveUp = (error: ReconcilerError) => {
        end();
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        this.#wake();
        reject(error);
      };
      const timer = setTimeout(() => giveUp(this.#late()), this.#waitMs);
      const onAbort = () => giveUp(this.#calledOff());
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(waiting);
    });
  }

  #admits(mode: GateMode): boolean {
    if (this.#mode === null) return true;
    return mode !== "released" && (this.#mode === mode || this.#mode === "write");
  }

  #admit(mode: GateMode): void {
    this.#mode ??= mode;
    this.#holders += 1;
  }

  /** The last one out closes the file, before anybody else gets in. */
  async #leave(): Promise<void> {
    if (this.#holders === 1 && this.#database !== null) {
      const database = this.#database;
      this.#database = null;
      const opened = await database.catch(() => null);
      opened?.close();
    }
    this.#holders -= 1;
    if (this.#holders === 0) this.#mode = null;
    this.#wake();
  }

  #wake(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#admits(next.mode); next = this.#queue[0]) {
      this.#queue.shift();
      this.#admit(next.mode);
      next.enter();
    }
  }

  #late(): ReconcilerError {
    const { path } = this.#options;
    const by =
      this.#mode === "released" ? "a repair that needs the file for itself" : `a ${this.#mode ?? "task"}`;
    return new ReconcilerError(
      "warehouse_locked",
      `${path} was not free within ${this.#waitMs / 1000} s: this process uses it for ${by}`,
      { path, hint: "wait for the running repair to end, or give it a shorter timeout" },
    );
  }

  #calledOff(): ReconcilerError {
    const { path } = this.#options;
    return new ReconcilerError("interrupted", `stopped while waiting for ${path}`, { path });
  }
}
