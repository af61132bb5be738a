import { messageOf, ReconcilerError } from "../../errors.ts";
import { anyAnswer, type JobAnswer, jobAnswer, resultsAnswer } from "./answers.ts";
import type { Api, Call } from "./api.ts";
import { ApiFailure, locationOfJob } from "./failures.ts";
import { jobConfiguration, type JobOptions, type Statement } from "./job-configuration.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { Rows } from "./rows.ts";

/** How long BigQuery may keep a call that waits for a job. */
const pollMs = 10_000;
const pauseStepMs = 50;
const pauseMaxMs = 1_000;
const cancelLimitMs = 5_000;

/** What BigQuery is asked about one job. Every call throws as `Api.call` does. */
export class JobCalls {
  readonly #api: Api;
  readonly #options: JobOptions;

  constructor(api: Api, options: JobOptions) {
    this.#api = api;
    this.#options = options;
  }

  /**
   * Begins a job under an id, or finds the one that a call before began whose answer was lost.
   * @throws JobFailure where the job has failed by then; TakenId where another job has the id
   */
  async insert(statement: Statement, jobId: string, limits: Limits, dryRun: boolean): Promise<JobAnswer> {
    const { project } = this.#api;
    const location = this.locationOf(statement);
    const body = {
      jobReference: { projectId: project, jobId, ...(location === null ? {} : { location }) },
      configuration: jobConfiguration(statement, this.#options, limits, dryRun),
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
        const found = await this.find(jobId, there, limits);
        if (found?.configuration?.labels?.["mark"] !== statement.mark) throw new TakenId(jobId, error);
      }
      return this.#get(jobId, there, limits).catch((earlier: unknown) => {
        throw earlier instanceof JobFailure ? new JobFailure(earlier.message, earlier, true) : earlier;
      });
    }
  }

  /** The rows of all pages, once the job is done. @throws JobFailure where it failed */
  async rows(jobId: string, location: string | null, limits: Limits): Promise<Rows> {
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
  finished(job: JobAnswer, jobId: string, location: string | null, limits: Limits): Promise<JobAnswer> {
    const isWhole = job.status.state === "DONE" && job.statistics?.query?.totalBytesBilled !== undefined;
    return isWhole ? Promise.resolve(job) : this.#get(jobId, location, limits);
  }

  /** A job as it is, failed or not; null where there is none. */
  async find(jobId: string, location: string | null, limits: Limits): Promise<JobAnswer | null> {
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
  async cancel(jobId: string, location: string | null, reason: unknown): Promise<void> {
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

  /** Where a statement runs; null where BigQuery is to find out. */
  locationOf({ session, location }: Statement): string | null {
    if (typeof session === "object") return session.location;
    return location === undefined ? this.#options.location : location;
  }
}

/** What the job itself failed with, after the API took it. */
export class JobFailure extends ApiFailure {
  /** Whether the job was there before it was asked for. */
  readonly isFromBefore: boolean;

  constructor(message: string, details: { readonly reason: string | null }, isFromBefore = false) {
    super(message, details);
    this.isFromBefore = isFromBefore;
  }
}

/** Another job has the id. */
export class TakenId extends Error {
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
