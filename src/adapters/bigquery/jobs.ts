import { randomUUID } from "node:crypto";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { anyAnswer, type JobAnswer, jobAnswer, resultsAnswer } from "./answers.ts";
import type { Api, Call } from "./api.ts";
import { billedAtMost } from "./billing.ts";
import { type Activity, ApiFailure, isPassing, locationOfJob, productError } from "./failures.ts";
import type { Parameter } from "./parameters.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { Rows } from "./rows.ts";

export interface JobOptions {
  /** Where the data is, such as `EU` or `us-west2`; null lets BigQuery find out from the tables. */
  readonly location: string | null;
  /** Of one statement; null is without a limit. */
  readonly maximumBytesBilled: number | null;
  /** On every job, for whoever reads the bill; `purpose` is added. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pipeline: string;
  /** The cycle that asks, for the ids of its jobs; null outside of one. */
  readonly cycle: () => string | null;
}

export interface Statement {
  readonly sql: string;
  readonly parameters?: readonly Parameter[];
  /** A word for the job's id and its label. */
  readonly purpose: string;
  /** Runs in a session: `new` begins one. */
  readonly session?: JobSession | "new";
  /** Where it runs, if not where the config says. */
  readonly location?: string | null;
  /** Tells a job from another one under the same id. */
  readonly mark?: string;
}

/** What is staged, and not committed yet, belongs to a session alone. */
export interface JobSession {
  readonly id: string;
  readonly location: string | null;
}

export interface Outcome {
  readonly rows: Rows;
  readonly bytesBilled: number;
  /** Rows that an INSERT or a DELETE touched. */
  readonly rowsChanged: number;
  readonly session: JobSession | null;
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
/** How long BigQuery may keep a call that waits for a job. */
const pollMs = 10_000;
const pauseStepMs = 50;
const pauseMaxMs = 1_000;
const cancelLimitMs = 5_000;
/** How much later than we BigQuery gives a job up by itself, in case nobody is left to cancel it. */
const jobSlackMs = 60_000;

/** Runs statements as jobs of BigQuery, each stopped at its limits. */
export class Jobs {
  readonly #api: Api;
  readonly #options: JobOptions;
  #bytesBilled = 0;
  #totalBytesBilled = 0;

  constructor(api: Api, options: JobOptions) {
    this.#api = api;
    this.#options = options;
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
          return await this.#run(statement, limits);
        } catch (error) {
          const isWorthATry = error instanceof JobFailure && isPassing(error) && attempt < jobTries;
          if (!isWorthATry) throw error;
        }
        await this.#api.backOff(attempt, limits);
      }
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
        const job = await this.#find(id, location, limits);
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
      const job = await this.#insert(statement, this.#newId(statement.purpose), limits, true);
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
    let location = this.#locationOf(statement);
    try {
      const job = await this.#insert(statement, jobId, limits, false);
      location = job.jobReference?.location ?? location;
      const rows = await this.#await(jobId, location, limits);
      const { statistics } = await this.#finished(job, jobId, location, limits);
      const bytesBilled = Number(statistics?.query?.totalBytesBilled ?? 0);
      this.#bytesBilled += bytesBilled;
      this.#totalBytesBilled += bytesBilled;
      const sessionId = statistics?.sessionInfo?.sessionId;
      return {
        rows,
        bytesBilled,
        rowsChanged: Number(statistics?.query?.numDmlAffectedRows ?? 0),
        session: sessionId === undefined ? null : { id: sessionId, location },
      };
    } catch (error) {
      const isStopped =
        error instanceof ReconcilerError &&
        (error.code === "interrupted" || error.code === "warehouse_timeout");
      if (isStopped) await this.#cancel(jobId, location, error);
      throw error;
    }
  }

  async #insert(statement: Statement, jobId: string, limits: Limits, dryRun: boolean): Promise<JobAnswer> {
    const { project } = this.#api;
    const location = this.#locationOf(statement);
    const body = {
      jobReference: { projectId: project, jobId, ...(location === null ? {} : { location }) },
      configuration: this.#configuration(statement, limits, dryRun),
    };
    try {
      const job = await this.#api.call({ method: "POST", path: "/jobs", body }, jobAnswer, limits);
      return checked(job);
    } catch (error) {
      // The try before was answered by nobody, but it arrived.
      const isOurs = error instanceof ApiFailure && error.reason === "duplicate";
      if (!isOurs) throw error;
      const there = location ?? locationOfJob(error);
      if (statement.mark !== undefined) {
        const found = await this.#find(jobId, there, limits);
        if (found?.configuration?.labels?.["mark"] !== statement.mark) throw new TakenId(jobId, error);
      }
      return this.#get(jobId, there, limits).catch((earlier: unknown) => {
        throw earlier instanceof JobFailure ? new JobFailure(earlier.message, earlier, true) : earlier;
      });
    }
  }

  #configuration(
    { sql, parameters = [], purpose, session, mark }: Statement,
    limits: Limits,
    dryRun: boolean,
  ) {
    const { maximumBytesBilled, labels } = this.#options;
    const leftMs = Math.max(1, limits.deadline - performance.now());
    return {
      ...(dryRun ? { dryRun } : { jobTimeoutMs: String(Math.ceil(leftMs) + jobSlackMs) }),
      labels: { ...labels, purpose, ...(mark === undefined ? {} : { mark }) },
      query: {
        query: sql,
        useLegacySql: false,
        ...(parameters.length === 0 ? {} : { parameterMode: "NAMED", queryParameters: parameters }),
        ...(maximumBytesBilled === null ? {} : { maximumBytesBilled: String(maximumBytesBilled) }),
        ...(session === "new" ? { createSession: true } : {}),
        ...(session === undefined || session === "new"
          ? {}
          : { connectionProperties: [{ key: "session_id", value: session.id }] }),
      },
    };
  }

  /** The rows of all pages, once the job is done. */
  async #await(jobId: string, location: string | null, limits: Limits): Promise<Rows> {
    const pages: (readonly unknown[])[] = [];
    let pageToken: string | undefined;
    for (let polls = 1; ; polls += 1) {
      const leftMs = limits.deadline - performance.now();
      const query = {
        ...(location === null ? {} : { location }),
        ...(pageToken === undefined ? {} : { pageToken }),
        timeoutMs: Math.ceil(Math.min(pollMs, Math.max(1, leftMs))),
        "formatOptions.useInt64Timestamp": true,
      };
      const results = await this.#results(jobId, location, query, limits);
      if (!results.jobComplete) {
        // It waits for the job itself; where it does not, it is not to be asked all the time.
        await this.#api.pause(Math.min(polls * pauseStepMs, pauseMaxMs), limits);
        continue;
      }
      pages.push(results.rows ?? []);
      pageToken = results.pageToken;
      if (pageToken === undefined) return new Rows(results.schema?.fields ?? [], pages);
    }
  }

  /** A job that failed is answered with its error as if the call had failed; the job itself tells which. */
  async #results(jobId: string, location: string | null, query: Required<Call>["query"], limits: Limits) {
    try {
      const call = { method: "GET", path: `/queries/${jobId}`, query } as const;
      return await this.#api.call(call, resultsAnswer, limits);
    } catch (error) {
      if (error instanceof ApiFailure) await this.#get(jobId, location, limits);
      throw error;
    }
  }

  /** The job with its final figures; a small one is finished in the answer that made it. */
  #finished(job: JobAnswer, jobId: string, location: string | null, limits: Limits): Promise<JobAnswer> {
    const isWhole = job.status.state === "DONE" && job.statistics?.query?.totalBytesBilled !== undefined;
    return isWhole ? Promise.resolve(job) : this.#get(jobId, location, limits);
  }

  /** A job as it is, failed or not; null where there is none. */
  async #find(jobId: string, location: string | null, limits: Limits): Promise<JobAnswer | null> {
    const query = location === null ? {} : { location };
    try {
      return await this.#api.call({ method: "GET", path: `/jobs/${jobId}`, query }, jobAnswer, limits);
    } catch (error) {
      if (error instanceof ApiFailure && error.reason === "notFound") return null;
      throw error;
    }
  }

  async #get(jobId: string, location: string | null, limits: Limits): Promise<JobAnswer> {
    const query = location === null ? {} : { location };
    return checked(await this.#api.call({ method: "GET", path: `/jobs/${jobId}`, query }, jobAnswer, limits));
  }

  /** A job that nobody waits for goes on and bills. Says so where it could not be cancelled. */
  async #cancel(jobId: string, location: string | null, reason: unknown): Promise<void> {
    const query = location === null ? {} : { location };
    const call = { method: "POST", path: `/jobs/${jobId}/cancel`, query } as const;
    try {
      await this.#api.call(call, anyAnswer, limitsOf(cancelLimitMs));
    } catch (error) {
      // It was stopped before it began.
      if (error instanceof ApiFailure && error.reason === "notFound") return;
      throw new ReconcilerError(
        reason instanceof ReconcilerError ? reason.code : "internal",
        `${messageOf(reason)}; its job ${jobId} could not be cancelled: ${messageOf(error)}`,
        { cause: new AggregateError([reason, error]) },
      );
    }
  }

  #locationOf({ session, location }: Statement): string | null {
    if (typeof session === "object") return session.location;
    return location === undefined ? this.#options.location : location;
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

/** What the job itself failed with, after the API took it. */
class JobFailure extends ApiFailure {
  /** Whether the job was there before it was asked for. */
  readonly isFromBefore: boolean;

  constructor(message: string, details: { readonly reason: string | null }, isFromBefore = false) {
    super(message, details);
    this.isFromBefore = isFromBefore;
  }
}

/** Another job has the id. */
class TakenId extends Error {
  constructor(jobId: string, cause: unknown) {
    super(`there is another job ${jobId}`, { cause });
    this.name = "TakenId";
  }
}

function checked(job: JobAnswer): JobAnswer {
  const { errorResult } = job.status;
  if (errorResult === undefined) return job;
  throw new JobFailure(errorResult.message ?? "the job failed", { reason: errorResult.reason ?? "unknown" });
}

/** A label's value may have lower-case letters, digits, `_` and `-`, 63 of them. */
export function labelOf(value: string): string {
  return value
    .toLowerCase()
    .replaceAll(/[^\p{Ll}\p{Lo}\p{N}_-]/gu, "-")
    .slice(0, 63);
}
