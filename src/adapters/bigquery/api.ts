import { setTimeout as sleep } from "node:timers/promises";
import { BigQuery } from "@google-cloud/bigquery";
import { PassThroughClient } from "google-auth-library";
import type { z } from "zod";
import { messageOf } from "../../errors.ts";
import { clientError } from "./answers.ts";
import { ApiFailure, credentialsError, isPassing } from "./failures.ts";
import { type Limits, within } from "./limits.ts";

export interface ApiOptions {
  /** Where jobs run, and where tables without a project are. */
  readonly project: string;
  /** Another address than Google's. Over plain `http:` no credentials are sent to it. */
  readonly apiEndpoint?: string;
  /** The first wait before a call is tried again; it doubles. Default 1 s. */
  readonly retryFromMs?: number;
  /** How long one call may go without an answer. Default 60 s. */
  readonly callLimitMs?: number;
}

/** One call of the REST API. `path` begins after the project. */
export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** The project of a table that is in another one. */
  readonly project?: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
}

const tries = 5;
const retryToMs = 32_000;
/** Of one call, so that one whose answer never comes is tried again while there is time. */
const defaultCallLimitMs = 60_000;
/**
 * Of calls without any answer, in a row or not: a network that is silent for so long is so for the next call too, and until it is told
 * of, others that might work wait for it.
 */
const silentTries = 2;

/**
 * BigQuery's REST API through the client library, which knows credentials, proxies and endpoints. Jobs are made and awaited
 * by ourselves: the library's own methods for them cannot be stopped, do not retry what a job failed with, and throw where
 * nobody can catch it when an answer is cut off.
 */
export class Api {
  readonly project: string;
  readonly #client: BigQuery;
  readonly #retryFromMs: number;
  readonly #callLimitMs: number;

  constructor(options: ApiOptions) {
    const { project, apiEndpoint } = options;
    const isPlain = apiEndpoint?.startsWith("http:") === true;
    this.project = project;
    this.#retryFromMs = options.retryFromMs ?? 1_000;
    this.#callLimitMs = options.callLimitMs ?? defaultCallLimitMs;
    this.#client = new BigQuery({
      projectId: project,
      autoRetry: false,
      ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
      ...(isPlain ? { authClient: new PassThroughClient() } : {}),
    });
  }

  /**
   * Makes a call, again where it may well succeed then; so it has to be one that may be made twice.
   * @throws ApiFailure; ReconcilerError `warehouse_credentials`, `warehouse_timeout` or `interrupted`
   */
  async call<T>(call: Call, schema: z.ZodType<T>, limits: Limits): Promise<T> {
    let silences = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(call, schema, limits);
      } catch (error) {
        if (!(error instanceof ApiFailure) || !isPassing(error) || attempt === tries) throw error;
        if (error instanceof Silence && ++silences === silentTries) throw error;
      }
      await this.backOff(attempt, limits);
    }
  }

  /** Waits before a try that follows the `attempt`-th one: longer each time, and not in step with others. */
  async backOff(attempt: number, limits: Limits): Promise<void> {
    const longest = Math.min(this.#retryFromMs * 2 ** (attempt - 1), retryToMs);
    await this.pause(longest * (0.5 + Math.random() / 2), limits);
  }

  async pause(ms: number, limits: Limits): Promise<void> {
    await within(limits, (signal) => sleep(ms, undefined, { signal }));
  }

  async #once<T>(call: Call, schema: z.ZodType<T>, limits: Limits): Promise<T> {
    const body = await within(
      limits,
      async () => {
        await this.#authenticate();
        return this.#send(call);
      },
      { ms: this.#callLimitMs, error: () => new Silence(this.#callLimitMs) },
    );
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
    throw new ApiFailure(
      `expected a whole answer, found one cut off or of another kind (${path.join(".")}: ${message})`,
      {
        reason: "incomplete",
      },
    );
  }

  /** Before the call: the library would make it without credentials and hide what is wrong with them. */
  async #authenticate(): Promise<void> {
    try {
      await this.#client.authClient.getRequestHeaders();
    } catch (error) {
      throw credentialsError(messageOf(error), error);
    }
  }

  #send({ method, path, project, query, body }: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const options = {
        method,
        uri: path,
        ...(project === undefined ? {} : { projectId: project }),
        ...(query === undefined ? {} : { qs: query }),
        ...(body === undefined ? {} : { json: body }),
      };
      this.#client.request(options, (error, answer: unknown) => {
        if (error === null) resolve(answer);
        else reject(failureOf(error));
      });
    });
  }
}

/** There was no answer in time, of whatever kind. */
class Silence extends ApiFailure {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs / 1000} s`, {});
    this.name = "Silence";
  }
}

/** Said by whatever stands in front of BigQuery too, in words of its own. */
const refusals: ReadonlySet<number> = new Set([401, 403, 407]);

function failureOf(error: Error): ApiFailure {
  const { data } = clientError.safeParse(error);
  const first = data?.errors?.[0];
  // The code of a broken connection is a word, that of an answer its status.
  const status = typeof data?.code === "number" ? data.code : null;
  // BigQuery gives a reason with each of its errors: one without was cut off on its way.
  const isWhole = first?.reason !== undefined || status === null || refusals.has(status);
  return new ApiFailure(first?.message ?? messageOf(error), {
    reason: first?.reason ?? (isWhole ? null : "incomplete"),
    status,
    cause: error,
  });
}
