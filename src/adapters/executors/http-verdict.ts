import { messageOf } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Clock } from "../../reconcile/ports.ts";
import type { RunResult } from "../../reconcile/ports/executor.ts";
import { type HttpAnswer, HttpCallError } from "./http-request.ts";
import { fieldOf, parseJson } from "./json-field.ts";
import type { LogTail } from "./log-tail.ts";
import { permanent, retryable, systemic } from "./run-result.ts";

/** A server that asks for more patience than this is asked again after it all the same. */
const retryAfterMaxMs = 3_600_000;

interface VerdictContext {
  /** Method and URL, redacted. */
  readonly where: string;
  readonly log: LogTail;
  readonly options: { readonly secrets: readonly string[]; readonly clock: Clock };
}

/** What a whole answer means: by its status alone, never by the text of its body. */
export function judgeAnswer(
  answer: HttpAnswer,
  context: VerdictContext & { readonly acceptedStatuses: readonly number[] },
): RunResult {
  const { status } = answer;
  const { where, log, options } = context;
  const logTail = log.text();
  if (status === 202 || context.acceptedStatuses.includes(status)) {
    const handle = handleOf(answer);
    return {
      kind: "accepted",
      logTail,
      handle: handle === null ? null : redact(handle, options.secrets),
    };
  }
  if (status >= 200 && status < 300) return { kind: "succeeded", logTail };
  const code = `http_${status}`;
  const message = `${where} answered ${status}`;
  if (status >= 300 && status < 400) {
    const target = redact(answer.header("location") ?? "nowhere", options.secrets);
    const text = `${message}, a redirect to ${target}; redirects are not followed, write the final URL into the config`;
    return permanent(code, text, logTail);
  }
  if (status === 401 || status === 403) {
    return systemic("authentication", code, `${message}: the credentials were not accepted`, logTail);
  }
  // 409: the same repair is still at work there, or its last attempt is being undone.
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
    return retryable(code, message, logTail, retryAfterOf(answer, options.clock));
  }
  return permanent(code, message, logTail);
}

/** What a call without a whole answer means. */
export function judgeFailure(error: unknown, context: VerdictContext): RunResult {
  const { where, log, options } = context;
  const logTail = log.text();
  const reason = redact(messageOf(error), options.secrets);
  if (!(error instanceof HttpCallError)) return retryable("http_failed", `${where}: ${reason}`, logTail);
  switch (error.stage) {
    case "connect":
      return systemic(
        "connection_refused",
        "connection_refused",
        `${where}: expected a connection, found none: ${reason}`,
        logTail,
      );
    case "tls":
      return systemic(
        "authentication",
        "tls_failed",
        `${where}: expected a trusted TLS connection: ${reason}`,
        logTail,
      );
    case "answer":
      return retryable(
        "answer_lost",
        `${where}: the connection was cut before the whole answer was here: ${reason}`,
        logTail,
      );
  }
}

/** Seconds or an HTTP date, from now on; null where there is none, at most one hour. */
export function retryAfterOf(answer: HttpAnswer, clock: Clock): number | null {
  const text = answer.header("retry-after")?.trim();
  if (text === undefined || text === "") return null;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now();
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(0, waitMs), retryAfterMaxMs);
}

/** What names the run over there: the Location header, or the `id` of a JSON answer. */
function handleOf(answer: HttpAnswer): string | null {
  return answer.header("location") ?? fieldOf(parseJson(answer.body), "id");
}
