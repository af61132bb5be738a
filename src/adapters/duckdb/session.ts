import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBMaterializedResult,
  DuckDBPreparedStatement,
  DuckDBValue,
} from "@duckdb/node-api";
import { type Day, type IsoDate, toDay } from "../../core/iso-date.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { integersOf, numbersOf } from "../sql/columns.ts";
import { QueryError, type QueryFault } from "../sql/query-error.ts";
import { DuckDBDateValue, DuckDBTypeId } from "./node-api.ts";

/** Values by parameter name, without the `$`. A name that the statement does not use is left out. */
export type Parameters = Readonly<Record<string, DuckDBValue>>;

export interface RunLimits {
  /** The statement is interrupted after so many milliseconds. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a statement would return and take, known without running it. */
export interface StatementShape {
  /** In order, with DuckDB's name of the type. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Without the `$`. */
  readonly parameters: readonly string[];
}

/** A statement that DuckDB refused. `type` is DuckDB's own classification, such as `Catalog` or `Binder`. */
export class StatementError extends QueryError {
  readonly type: string;

  constructor(cause: unknown) {
    const message = messageOf(cause);
    const type = /^([A-Za-z]+(?: [A-Za-z]+)*?) Error:/.exec(message)?.[1] ?? "Unknown";
    super(faults.get(type) ?? "failed", "warehouse_query_failed", message, { cause });
    this.name = "StatementError";
    this.type = type;
  }
}

/** DuckDB's own classes of what is wrong with a statement itself; `Catalog` is a table, view or function that is not there. */
const faults: ReadonlyMap<string, QueryFault> = new Map([
  ["Parser", "invalid"],
  ["Binder", "invalid"],
  ["Catalog", "not_found"],
]);

/** How often an interrupt is repeated: one that arrives before the statement has begun to run is forgotten by DuckDB. */
const interruptEveryMs = 20;

/** One connection; statements run one after another on it. */
export class Session {
  readonly #connection: DuckDBConnection;
  readonly #onClose: () => void;
  #open = true;

  constructor(connection: DuckDBConnection, onClose: () => void) {
    this.#connection = connection;
    this.#onClose = onClose;
  }

  /**
   * Runs one statement. A text of several statements is refused before any of them runs.
   * @throws StatementError, or ReconcilerError `warehouse_timeout` or `interrupted` where a limit was reached.
   */
  async run(sql: string, parameters: Parameters = {}, limits: RunLimits = {}): Promise<Columns> {
    const result = await this.#within(limits, async () => {
      const statement = await this.#connection.prepare(sql);
      try {
        bind(statement, parameters);
        return await statement.run();
      } finally {
        statement.destroySync();
      }
    });
    return new Columns(result);
  }

  /** @throws StatementError where the statement cannot be bound. */
  describe(sql: string, limits: RunLimits = {}): Promise<StatementShape> {
    return this.#within(limits, async () => {
      const statement = await this.#connection.prepare(sql);
      try {
        return {
          columns: range(statement.columnCount).map((index) => ({
            name: statement.columnName(index),
            type: typeName(statement, index),
          })),
          parameters: range(statement.parameterCount).map((index) => statement.parameterName(index + 1)),
          type: statement.statementType,
        };
      } finally {
        statement.destroySync();
      }
    });
  }

  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it or the commit fails.
   * @throws what `work` throws, and StatementError where the commit is refused.
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run("begin transaction");
    try {
      const value = await work();
      await this.run("commit");
      return value;
    } catch (error) {
      await this.#rollback(error);
      throw error;
    }
  }

  /** Idempotent; a transaction that is still open is rolled back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#connection.closeSync();
    this.#onClose();
  }

  /** A failed commit has rolled back by itself, so that there may be no transaction left to end. */
  async #rollback(reason: unknown): Promise<void> {
    try {
      await this.run("rollback");
    } catch (error) {
      if (error instanceof StatementError && error.type === "TransactionContext") return;
      throw new AggregateError([reason, error], `rollback failed after: ${messageOf(reason)}`);
    }
  }

  async #within<T>(limits: RunLimits, work: () => Promise<T>): Promise<T> {
    const { timeoutMs, signal } = limits;
    if (signal?.aborted === true) throw interrupted();
    let stopped: "timeout" | "abort" | null = null;
    let repeat: NodeJS.Timeout | undefined;
    const stop = (why: "timeout" | "abort") => {
      stopped ??= why;
      this.#connection.interrupt();
      repeat ??= setInterval(() => this.#connection.interrupt(), interruptEveryMs);
    };
    const onAbort = () => stop("abort");
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop("timeout"), timeoutMs);
    try {
      return await work();
    } catch (error) {
      const why = reasonOf(stopped);
      if (why === "abort") throw interrupted();
      if (why === "timeout") throw timedOut(timeoutMs ?? 0);
      throw new StatementError(error);
    } finally {
      clearTimeout(timer);
      clearInterval(repeat);
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

/** The result of a statement, read by column. */
export class Columns {
  readonly #result: DuckDBMaterializedResult;
  #chunks: readonly DuckDBDataChunk[] | null = null;

  constructor(result: DuckDBMaterializedResult) {
    this.#result = result;
  }

  get rowCount(): number {
    return this.#result.rowCount;
  }

  /** Rows that an insert, an update or a delete touched. */
  get rowsChanged(): number {
    return this.#result.rowsChanged;
  }

  get names(): readonly string[] {
    return this.#result.columnNames();
  }

  /** A numeric column; NULL becomes NaN. BIGINT values must be within ±2^53. */
  numbers(column: number): Float64Array {
    return numbersOf(this.rowCount, (each) => this.#visit(column, each));
  }

  /** A column of whole numbers within 32 bits; NULL becomes 0. */
  integers(column: number): Int32Array {
    return integersOf(this.rowCount, (each) => this.#visit(column, each));
  }

  /** A text column; every other type as DuckDB writes it. */
  strings(column: number): (string | null)[] {
    const values: (string | null)[] = [];
    this.#visit(column, (value) => values.push(value === null ? null : stringOf(value)));
    return values;
  }

  /** Any column with the values that the client library has for its type. */
  values(column: number): DuckDBValue[] {
    const values: DuckDBValue[] = [];
    this.#visit(column, (value) => values.push(value));
    return values;
  }

  #visit(column: number, each: (value: DuckDBValue, row: number) => void): void {
    // Each of these calls leaves JavaScript, and fetching a chunk copies it: once for all columns and all rows.
    this.#chunks ??= range(this.#result.chunkCount).map((index) => this.#result.getChunk(index));
    let offset = 0;
    for (const chunk of this.#chunks) {
      const { rowCount } = chunk;
      const vector = chunk.getColumnVector(column);
      for (let row = 0; row < rowCount; row += 1) each(vector.getItem(row), offset + row);
      offset += rowCount;
    }
  }
}

/** A DATE to bind. A JavaScript `Date` is refused by DuckDB, and text would be bound as VARCHAR. */
export function dateParameter(date: IsoDate | Day): DuckDBDateValue {
  return new DuckDBDateValue(typeof date === "number" ? date : toDay(date));
}

function bind(statement: DuckDBPreparedStatement, parameters: Parameters): void {
  const used: Record<string, DuckDBValue> = {};
  for (let index = 1; index <= statement.parameterCount; index += 1) {
    const name = statement.parameterName(index);
    const value = parameters[name];
    if (value === undefined) throw new Error(`Binder Error: the parameter $${name} has no value`);
    used[name] = value;
  }
  if (statement.parameterCount > 0) statement.bind(used);
}

/** A type that depends on a parameter without a type is not known before the parameter is bound. */
function typeName(statement: DuckDBPreparedStatement, column: number): string {
  return statement.columnTypeId(column) === DuckDBTypeId.INVALID
    ? "UNKNOWN"
    : statement.columnType(column).toString();
}

function interrupted(): ReconcilerError {
  return new ReconcilerError("interrupted", "the statement was cancelled before it ended");
}

function timedOut(timeoutMs: number): ReconcilerError {
  return new ReconcilerError(
    "warehouse_timeout",
    `the statement ran longer than its limit of ${timeoutMs} ms`,
  );
}

/** Keeps the compiler from narrowing a variable that callbacks set. */
function reasonOf(stopped: "timeout" | "abort" | null): "timeout" | "abort" | null {
  return stopped;
}

function stringOf(value: Exclude<DuckDBValue, null>): string {
  return typeof value === "string" ? value : String(value);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
