import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Statement } from "./job-configuration.ts";
import type { Jobs } from "./jobs.ts";
import { limitsOf } from "./limits.ts";

/** A row to be written. */
export interface NewRow {
  /** Tells the row from every other one of its table; the same row always has the same. */
  readonly key: string;
  /** As its statement takes it. */
  readonly values: readonly string[];
}

export interface InsertOptions {
  readonly jobs: Jobs;
  /** The INSERT of some rows. */
  readonly statementOf: (rows: readonly NewRow[]) => Statement;
  /** What else the ids of its jobs come of. Asked before anything is written, and may refuse. */
  readonly scope: () => Promise<string>;
  /** Called after each INSERT that was sent, whatever came of it. */
  readonly onSent: () => void;
  readonly timeoutMs: number;
  /** How long the first row waits for others to go with it. */
  readonly gatherMs: number;
}

/** What one caller asked for. */
interface Asked {
  left: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting {
  readonly row: NewRow;
  readonly asked: Asked;
}

/** Of the values of one INSERT as a request carries them, of which 10 MB may be all that it is. */
const insertBytesMax = 3_000_000;

/**
 * Writes rows by INSERT jobs, one after the other: BigQuery takes 1,500 of them a day at once for a table, and each takes a
 * second or two. What is asked for meanwhile goes together into the next.
 */
export class Inserts {
  readonly #options: InsertOptions;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(options: InsertOptions) {
    this.#options = options;
  }

  /** Resolves when all the rows are in the table. The same rows again change nothing. @throws what `Jobs.writeOnce` does */
  add(rows: readonly NewRow[]): Promise<void> {
    if (rows.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const asked = { left: rows.length, resolve, reject };
      for (const row of rows) this.#waiting.push({ row, asked });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    await sleep(this.#options.gatherMs);
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        await this.#insert(group.map(({ row }) => row));
        for (const { asked } of group) {
          asked.left -= 1;
          if (asked.left === 0) asked.resolve();
        }
      } catch (error) {
        const refused = new Set(group.map(({ asked }) => asked));
        for (const asked of refused) asked.reject(error);
        this.#waiting = this.#waiting.filter(({ asked }) => !refused.has(asked));
      }
    }
    this.#isWriting = false;
  }

  /** As many rows as fit into one request, one at least. */
  #take(): readonly Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ row }, index) => {
      bytes += Buffer.byteLength(JSON.stringify(row.values));
      return index > 0 && bytes > insertBytesMax;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #insert(rows: readonly NewRow[]): Promise<void> {
    const { jobs, scope, statementOf, onSent, timeoutMs } = this.#options;
    const text = JSON.stringify([await scope(), ...rows.map(({ key }) => key)]);
    const key = createHash("sha256").update(text).digest("hex");
    try {
      await jobs.writeOnce(statementOf(rows), key, limitsOf(timeoutMs));
    } finally {
      onSent();
    }
  }
}
