import type { z } from "zod";
import { messageOf } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Clock } from "../../reconcile/ports.ts";
import { deadlineOf } from "./deadline.ts";
import { judgeAnswer, judgeFailure } from "./http-verdict.ts";
import { callHttp, type HttpAnswer } from "./http-request.ts";
import { fieldOf, parseJson } from "./json-field.ts";
import { createLogTail } from "./log-tail.ts";
import { type Failure, retryable, systemic } from "./run-result.ts";

/** One call that is not answered must not use up the time of all the others. */
const callLimitMs = 30_000;
/** A list of a hundred jobs with all that is written into them is about one megabyte. */
const answerBytesMax = 8 * 1024 * 1024;
/** Of what the other side says about its refusal. */
const reasonCharactersMax = 600;

/** An API that takes and gives JSON. */
export interface Api {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** What authorizes a call, asked for each of them, as tokens end. @throws ApiCallError where there is none to be had */
  readonly authorize: () => Promise<Readonly<Record<string, string>>>;
  /** As PEM; null trusts the public authorities. */
  readonly ca: string | null;
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

export interface ApiCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Behind the base URL, from its slash on. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** A call that did not do what it should. */
export class ApiCallError extends Error {
  /** What a run is that ends with it; its message is that of this error. */
  readonly failure: Failure;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** Whether the call may have had its effect all the same: its answer was lost, or the server failed in its midst. */
  readonly mayHaveHappened: boolean;

  constructor(failure: Failure, status: number | null, mayHaveHappened: boolean) {
    super(failure.message);
    this.name = "ApiCallError";
    this.failure = failure;
    this.status = status;
    this.mayHaveHappened = mayHaveHappened;
  }
}

/**
 * One call, and its answer as the schema has it. It is made once: whether it may be made again is known to who makes it.
 * @throws ApiCallError, also where it was not answered within 30 s or before the signal aborted
 */
export async function callApi<T>(
  api: Api,
  call: ApiCall,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const { answer, where } = await send(api, call, signal);
  const parsed = schema.safeParse(parseJson(answer.body));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
  const found = `${where} answered with something else than expected (${path.join(".")}: ${message})`;
  throw new ApiCallError(retryable("answer_unreadable", found, null), answer.status, true);
}

/** As `callApi`, for an answer that is plain text. */
export async function callApiForText(api: Api, call: ApiCall, signal: AbortSignal): Promise<string> {
  return (await send(api, call, signal)).answer.body;
}

async function send(
  api: Api,
  call: ApiCall,
  signal: AbortSignal,
): Promise<{ readonly answer: HttpAnswer; readonly where: string }> {
  const query = call.query === undefined ? "" : `?${new URLSearchParams(call.query).toString()}`;
  const url = `${api.baseUrl}${call.path}${query}`;
  const where = redact(`${call.method} ${api.baseUrl}${call.path}`, api.secrets);
  const limit = deadlineOf({ timeoutMs: callLimitMs, signal });
  const context = { where, log: createLogTail([]), options: api };
  let isSent = false;
  try {
    const authorization = await before(limit.signal, api.authorize());
    isSent = true;
    const answer = await callHttp({
      method: call.method,
      url,
      headers: {
        ...authorization,
        accept: "application/json, */*",
        "user-agent": "gap-reconciler",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: limit.signal,
      bodyBytesMax: answerBytesMax,
      ...(api.ca === null ? {} : { ca: api.ca }),
    });
    const verdict = judgeAnswer(answer, { ...context, acceptedStatuses: [] });
    if (verdict.kind !== "failed") return { answer, where };
    throw new ApiCallError(refusalOf(verdict, answer, api), answer.status, answer.status >= 500);
  } catch (error) {
    if (error instanceof ApiCallError) throw error;
    if (limit.ended() !== null) {
      const message = `${where} was not answered within ${callLimitMs / 1000} s, or before the run had to end`;
      throw new ApiCallError(retryable("no_answer", message, null), null, isSent);
    }
    const verdict = judgeFailure(error, context);
    const failure = verdict.kind === "failed" ? verdict : retryable("http_failed", messageOf(error), null);
    throw new ApiCallError(failure, null, isSent && failure.systemic === null);
  } finally {
    limit.dispose();
  }
}

/** What was awaited is left behind when the signal aborts, as not everything that is awaited can be stopped. */
function before<T>(signal: AbortSignal, awaited: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(new Error("stopped waiting"));
    signal.addEventListener("abort", give, { once: true });
    if (signal.aborted) give();
    awaited.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });
}

/**
 * The verdict on a status, in the words of the other side. What an action names is missing for every date, and so is a quota
 * that is used up: Google says so with a status that has no time to wait for.
 */
function refusalOf(verdict: Failure, answer: HttpAnswer, { secrets }: Api): Failure {
  const json = parseJson(answer.body);
  const reason = fieldOf(json, "error.message") ?? fieldOf(json, "message");
  const said = reason === null ? "" : `: ${redact(reason, secrets).slice(0, reasonCharactersMax)}`;
  const message = `${verdict.message}${said}`;
  if (answer.status === 404) {
    const hint = "what the repair names does not exist there, or may not be seen";
    return systemic("executable_not_found", verdict.errorCode, `${message} (${hint})`, null);
  }
  const isQuota = fieldOf(json, "error.status") === "RESOURCE_EXHAUSTED" && verdict.retryAfterMs === null;
  if (answer.status === 429 && isQuota) return systemic("quota", "quota_exhausted", message, null);
  return { ...verdict, message };
}
