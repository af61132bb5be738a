import { randomUUID } from "node:crypto";
import { ReconcilerError } from "../../errors.ts";
import type { Api } from "./api.ts";
import type { JobAnswer } from "./answers.ts";
import { billedAtMost, leastBilledBytes } from "./billing.ts";
import { type Activity, ApiFailure, isPassing, productError } from "./failures.ts";
import type { TablePath } from "./catalog.ts";
import { type Hidden, hiddenError, hiddenIn, tablesText, tablesWithHiddenRows } from "./hidden.ts";
import { JobCalls, JobFailure, TakenId } from "./job-calls.ts";
import type { JobOptions, JobSession, Statement } from "./job-configuration.ts";
import type { Limits } from "./limits.ts";
import { Rows } from "./rows.ts";

export interface Outcome {
  readonly rows: Rows;
  readonly bytesBilled: number;
  /** Rows that an INSERT or a DELETE touched. */
  readonly rowsChanged: number;
  readonly session: JobSession | null;
  /** Null if it saw everything. */
  readonly hidden: Hidden | null;
}

export interface Analysis {
  readonly columns: Rows["columns"];
  /** What it would be billed for, at the most. */
  readonly bytes: number;
  /** How many tables it names, those behind its views included. */
  readonly tables: number;
}

const jobTries = 4;
/** Ids that jobs of one key may have used up, in this process and before it. */
const keyedTries = 50;

/** Runs statements as jobs of BigQuery, each stopped at its limits. */
export class Jobs {
  readonly #api: Api;
  readonly #options: JobOptions;
  readonly #calls: JobCalls;
  #bytesBilled = 0;
  #totalBytesBilled = 0;

  constructor(api: Api, options: JobOptions) {
    this.#api = api;
    this.#options = options;
    this.#calls = new JobCalls(api, options);
  }

  /** All that was billed so far. */
  get totalBytesBilled(): number {
    return this.#totalBytesBilled;
  }

  /** The bytes billed since the last time that this was asked. */
  takeBytesBilled(): number {
    const taken = this.#bytesBilled;
    this.#bytesBilled = 0;
    return taken;
  }

  /** Runs a statement that reads; one that failed for a passing reason is run again. @throws as `write` does */
  async read(statement: Statement, limits: Limits): Promise<Outcome> {
    return this.#inWords("read", async () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const outcome = await this.#run(statement, limits);
          if (statement.ifHidden !== "tell") await this.refuseHidden(outcome, limits);
          return outcome;
        } catch (error) {
          const isWorthATry = error instanceof JobFailure && isPassing(error) && attempt < jobTries;
          if (!isWorthATry) throw error;
        }
        await this.#api.backOff(attempt, limits);
      }
    });
  }

  /** Policies that hide some of what a statement read make its result worth nothing. @throws QueryError `permission` */
  async refuseHidden({ hidden }: Outcome, limits: Limits): Promise<void> {
    if (hidden === null) return;
    const tables = await this.hiddenTables(hidden, limits);
    if (tables === null || tables.length > 0) throw hiddenError(hidden, tablesText(tables));
  }

  /** The tables of which a statement did not see all; null if that cannot be told. */
  async hiddenTables({ tables, masked }: Hidden, limits: Limits): Promise<readonly TablePath[] | null> {
    if (tables === null) return null;
    if (masked) return tables;
    return tablesWithHiddenRows(this.#api, tables, limits, async (sql) => {
      const outcome = await this.read({ sql, purpose: "visible", ifHidden: "tell" }, limits);
      return outcome.rows;
    });
  }

  /**
   * Runs a statement once. A call whose answer is lost is made again under the same job id, so that it cannot run twice.
   * @throws QueryError; ReconcilerError `warehouse_*`, `interrupted`
   */
  write(statement: Statement, limits: Limits): Promise<Outcome> {
    return this.#inWords("write", () => this.#run(statement, limits));
  }

  /**
   * Runs a statement once for a key, however often it is asked for and by whichever process: its job's id comes of the key,
   * and BigQuery takes an id once. A job that failed gives its id up; the next try has another one.
   * @throws as `write` does; where the answer of the last try was lost, it may have run all the same
   */
  writeOnce(statement: Statement, key: string, limits: Limits): Promise<void> {
    return this.#inWords("write", async () => {
      let failures = 0;
      for (let number = 1; ; number += 1) {
        try {
          await this.#run(statement, limits, this.#idOf(statement.purpose, `${key}_${number}`));
          return;
        } catch (error) {
          if (!(error instanceof JobFailure) || number === keyedTries) throw error;
          if (error.isFromBefore) continue;
          failures += 1;
          if (!isPassing(error) || failures === jobTries) throw error;
        }
        await this.#api.backOff(failures, limits);
      }
    });
  }

  /**
   * As `write`, in a new session of which anybody who knows the key can find out. The same key may begin several.
   * @throws as `write` does
   */
  writeInSession(statement: Statement, key: string, limits: Limits): Promise<Outcome> {
    const marked = { ...statement, session: "new", mark: randomUUID() } as const;
    return this.#inWords("write", async () => {
      for (let number = 1; ; number += 1) {
        try {
          return await this.#run(marked, limits, this.#sessionJobId(statement.purpose, key, number));
        } catch (error) {
          if (!(error instanceof TakenId) || number === keyedTries) throw error;
        }
      }
    });
  }

  /** The sessions that `writeInSession` began for the key, ended or not. @throws as `write` does */
  sessionsOf(purpose: string, key: string, limits: Limits): Promise<readonly JobSession[]> {
    return this.#inWords("read", async () => {
      const { location } = this.#options;
      const found: JobSession[] = [];
      for (let number = 1; number <= keyedTries; number += 1) {
        const id = this.#sessionJobId(purpose, key, number);
        const job = await this.#calls.find(id, location, limits);
        if (job === null) break;
        const sessionId = job.statistics?.sessionInfo?.sessionId;
        if (sessionId !== undefined)
          found.push({ id: sessionId, location: job.jobReference?.location ?? location });
      }
      return found;
    });
  }

  /** What a statement would return and read, known without running it, which costs nothing. @throws as `write` does */
  analyze(statement: Statement, limits: Limits): Promise<Analysis> {
    return this.#inWords("analyze", async () => {
      const job = await this.#calls.insert(statement, this.#newId(statement.purpose), limits, true);
      const query = job.statistics?.query;
      const tables = query?.referencedTables?.length ?? 0;
      return {
        columns: new Rows(query?.schema?.fields ?? [], []).columns,
        bytes: billedAtMost(Number(query?.totalBytesProcessed ?? 0), tables),
        tables,
      };
    });
  }

  async #inWords<T>(activity: Activity, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof ApiFailure ? productError(error, activity, this.#api.project) : error;
    }
  }

  async #run(statement: Statement, limits: Limits, jobId = this.#newId(statement.purpose)): Promise<Outcome> {
    let location = this.#calls.locationOf(statement);
    try {
      const job = await this.#calls.insert(statement, jobId, limits, false);
      location = job.jobReference?.location ?? location;
      const rows = await this.#calls.rows(jobId, location, limits);
      const done = await this.#calls.finished(job, jobId, location, limits);
      const { statistics } = done;
      const hidden = hiddenIn(done);
      const bytesBilled = await this.#bytesOf(done, hidden, statement, limits);
      this.#bytesBilled += bytesBilled;
      this.#totalBytesBilled += bytesBilled;
      const sessionId = statistics?.sessionInfo?.sessionId;
      return {
        rows,
        hidden,
        bytesBilled,
        rowsChanged: Number(statistics?.query?.numDmlAffectedRows ?? 0),
        session: sessionId === undefined ? null : { id: sessionId, location },
      };
    } catch (error) {
      const isStopped =
        error instanceof ReconcilerError &&
        (error.code === "interrupted" || error.code === "warehouse_timeout");
      if (isStopped) await this.#calls.cancel(jobId, location, error);
      throw error;
    }
  }

  /** BigQuery does not tell the bytes of what row access policies protect: then they are the most that it can have billed. */
  async #bytesOf(
    { statistics }: JobAnswer,
    hidden: Hidden | null,
    statement: Statement,
    limits: Limits,
  ): Promise<number> {
    const told = Number(statistics?.query?.totalBytesBilled ?? 0);
    if (hidden?.rows !== true || told > 0) return told;
    const { maximumBytesBilled } = this.#options;
    // What a session has made is not there for a dry run outside of it.
    if (statement.session !== undefined) return maximumBytesBilled ?? leastBilledBytes;
    const { bytes } = await this.analyze({ ...statement, purpose: "analyze" }, limits);
    return Math.min(
      bytes > 0 ? bytes : (maximumBytesBilled ?? leastBilledBytes),
      maximumBytesBilled ?? Infinity,
    );
  }

  #sessionJobId(purpose: string, key: string, number: number): string {
    return this.#idOf(`${purpose}_${key}`, String(number));
  }

  #newId(purpose: string): string {
    return this.#idOf(`${this.#options.cycle() ?? "none"}_${purpose}`, randomUUID());
  }

  #idOf(purpose: string, end: string): string {
    const begin = ["gap-reconciler", this.#options.pipeline, purpose].join("_");
    return `${begin.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 900)}_${end}`;
  }
}
