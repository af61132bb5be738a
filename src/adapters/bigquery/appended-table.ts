import { z } from "zod";
import { type Field, tableAnswer } from "./answers.ts";
import type { Api } from "./api.ts";
import { type TablePath, tableCall } from "./catalog.ts";
import { ApiFailure } from "./failures.ts";
import type { Limits } from "./limits.ts";
import { Rows } from "./rows.ts";
import { Turns } from "./turns.ts";

/** A row of a table that is only ever added to. */
export interface AppendedRow {
  /** When it was written, by the clock of BigQuery, in microseconds since 1970. */
  readonly recordedAt: number;
  /** Of the columns that were asked for, in that order; an empty text for NULL. */
  readonly values: readonly string[];
}

/** What keeps the rows of a table as this process knows them. */
export interface RowKeeper {
  /** All that the table holds, in no order; nothing else is left of what was kept before. */
  replace(rows: readonly AppendedRow[]): void;
  /** Some that may be new, in no order. False where they do not go with what is kept: it wants all of them anew. */
  add(rows: readonly AppendedRow[]): boolean;
}

/** What is known of a table for nothing. */
export interface AppendedState {
  readonly fields: readonly Field[];
  /** When it was last written, in milliseconds since 1970. */
  readonly modifiedAt: number;
  readonly createdAt: number;
  readonly rowCount: number;
  readonly labels: Readonly<Record<string, string>>;
}

const wholeNumber = z.string().regex(/^\d+$/).transform(Number);
const stateAnswer = tableAnswer.extend({
  numRows: wholeNumber,
  creationTime: wholeNumber,
  lastModifiedTime: wholeNumber,
  labels: z.record(z.string(), z.string()).optional(),
});
const pageAnswer = z.object({ rows: z.array(z.unknown()).optional(), pageToken: z.string().optional() });

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** No statement that writes runs for as long: what is committed later carries a time of at most so long before. */
const lateMs = hourMs;
/** After a longer silence everything is read again, which is one call instead of many. */
const daysMax = 7;
/** All pages of a list together; each has the time that one reading has, as a log grows and a limit does not. */
const listLimitMs = 30 * 60_000;

/**
 * Reads a table that is partitioned by the day of its column `recorded_at` and only ever added to, by listing it, which
 * BigQuery bills nothing for. What was read is kept; where the table did not change since, nothing is listed, otherwise
 * the last days are. Where the count of rows then says that others changed too, everything is listed again.
 */
export class AppendedTable {
  readonly #api: Api;
  readonly #path: TablePath;
  readonly #columns: readonly string[];
  readonly #keeper: RowKeeper;
  readonly #turns = new Turns();
  #seen: AppendedState | null = null;
  #isChangedByUs = false;
  /** Rows of each day, in days since 1970. */
  #counts = new Map<number, number>();

  constructor(api: Api, path: TablePath, columns: readonly string[], keeper: RowKeeper) {
    this.#api = api;
    this.#path = path;
    this.#columns = columns;
    this.#keeper = keeper;
  }

  /** To be told after each write: the next look then does not trust that nothing changed. */
  touch(): void {
    this.#isChangedByUs = true;
  }

  /** What is known of the table for nothing; null where there is none. @throws ApiFailure */
  async state(limits: Limits): Promise<AppendedState | null> {
    try {
      const answer = await this.#api.call(tableCall(this.#path), stateAnswer, limits);
      return {
        fields: answer.schema?.fields ?? [],
        modifiedAt: answer.lastModifiedTime,
        createdAt: answer.creationTime,
        rowCount: answer.numRows,
        labels: answer.labels ?? {},
      };
    } catch (error) {
      if (error instanceof ApiFailure && error.reason === "notFound") return null;
      throw error;
    }
  }

  /**
   * Brings the keeper up to what the table holds, after `check` agreed to its state. False where there is no such table.
   * @throws ApiFailure; what `check` throws
   */
  refresh(check: (state: AppendedState) => void, limits: Limits): Promise<boolean> {
    return this.#turns.take("read", limits, async () => {
      const seen = this.#seen;
      const state = await this.state(limits);
      if (state === null) return false;
      check(state);
      if (seen !== null && isSame(seen, state) && !this.#isChangedByUs) return true;
      this.#isChangedByUs = false;
      // A reading that fails half-way is begun again from nothing.
      this.#seen = null;
      const isKept = seen !== null && seen.createdAt === state.createdAt;
      if (!isKept || !(await this.#readLast(seen, state, limits))) await this.#readAll(state, limits);
      this.#seen = state;
      return true;
    });
  }

  async #readAll({ fields }: AppendedState, limits: Limits): Promise<void> {
    const rows = await this.#list(this.#path.table, fields, limits);
    this.#counts = countsOf(rows);
    this.#keeper.replace(rows);
  }

  /** Whether that was all that is new. */
  async #readLast(seen: AppendedState, state: AppendedState, limits: Limits): Promise<boolean> {
    const first = dayOf(seen.modifiedAt - lateMs);
    const last = dayOf(state.modifiedAt);
    if (last - first >= daysMax) return false;
    for (let day = first; day <= last; day += 1) {
      const rows = await this.#listDay(day, state, limits);
      if (rows === null) return false;
      this.#counts.set(day, rows.length);
      if (!this.#keeper.add(rows)) return false;
    }
    if ([...this.#counts.values()].reduce((sum, count) => sum + count, 0) === state.rowCount) return true;
    // Rows that came while the days were listed are counted already; the next look finds them a change.
    const now = await this.state(limits);
    return now !== null && !isSame(now, state);
  }

  /** Null where BigQuery does not list the day by itself, such as one that holds nothing. */
  async #listDay(
    day: number,
    { fields }: AppendedState,
    limits: Limits,
  ): Promise<readonly AppendedRow[] | null> {
    try {
      return await this.#list(`${this.#path.table}$${partitionOf(day)}`, fields, limits);
    } catch (error) {
      const isRefused =
        error instanceof ApiFailure && (error.reason === "notFound" || error.reason === "invalid");
      if (isRefused) return null;
      throw error;
    }
  }

  async #list(table: string, fields: readonly Field[], limits: Limits): Promise<readonly AppendedRow[]> {
    const found: AppendedRow[] = [];
    const end = performance.now() + listLimitMs;
    let pageToken: string | undefined;
    do {
      const deadline = Math.min(end, performance.now() + limits.timeoutMs);
      const call = {
        ...tableCall({ ...this.#path, table }),
        query: {
          "formatOptions.useInt64Timestamp": true,
          ...(pageToken === undefined ? {} : { pageToken }),
        },
      };
      const { path } = call;
      const page = await this.#api.call({ ...call, path: `${path}/data` }, pageAnswer, {
        ...limits,
        deadline,
      });
      for (const row of this.#rowsOf(new Rows(fields, [page.rows ?? []]))) found.push(row);
      pageToken = page.pageToken;
    } while (pageToken !== undefined);
    return found;
  }

  #rowsOf(page: Rows): readonly AppendedRow[] {
    const names = page.columns.map(({ name }) => name);
    const times = page.numbers(names.indexOf("recorded_at"));
    const columns = this.#columns.map((name) => page.strings(names.indexOf(name)));
    return Array.from(times, (recordedAt, row) => ({
      recordedAt,
      values: columns.map((column) => column[row] ?? ""),
    }));
  }
}

function isSame(a: AppendedState, b: AppendedState): boolean {
  return a.createdAt === b.createdAt && a.modifiedAt === b.modifiedAt && a.rowCount === b.rowCount;
}

function countsOf(rows: readonly AppendedRow[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { recordedAt } of rows) {
    const day = dayOf(recordedAt / 1000);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  return counts;
}

function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** As BigQuery names the partition of a day. */
function partitionOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10).replaceAll("-", "");
}
