import { type ErrorCode, messageOf, ReconcilerError } from "../errors.ts";

/** What is answered instead of what was asked for, as RFC 9457 has it. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** As docs/errors.md describes it. */
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: string | null;
  /** The part of the request that it is about. */
  readonly path: string | null;
}

export const problemType = "application/problem+json; charset=utf-8";

/** Codes that are the caller's doing, or pass by; whatever else fails is a fault of this side. */
const answers: Partial<Record<ErrorCode, readonly [status: number, title: string]>> = {
  usage: [400, "Bad request"],
  request_invalid: [400, "Bad request"],
  unauthorized: [401, "Unauthorized"],
  actions_off: [404, "Not found"],
  not_found: [404, "Not found"],
  method_not_allowed: [405, "Method not allowed"],
  request_timeout: [408, "Request timeout"],
  idempotency_conflict: [409, "Conflict"],
  request_too_large: [413, "Content too large"],
  host_refused: [421, "Misdirected request"],
  rate_limited: [429, "Too many requests"],
  too_many_watchers: [503, "Service unavailable"],
  server_busy: [503, "Service unavailable"],
  not_looked_yet: [503, "Service unavailable"],
  ledger_unavailable: [503, "Service unavailable"],
  ledger_missing: [503, "Service unavailable"],
  warehouse_locked: [503, "Service unavailable"],
  warehouse_unavailable: [503, "Service unavailable"],
  warehouse_timeout: [503, "Service unavailable"],
  redis_unavailable: [503, "Service unavailable"],
};

const passing: ReadonlySet<ErrorCode> = new Set(["not_looked_yet", "too_many_watchers", "server_busy"]);

/** For what passes by: a first look, a ledger that is away, more questions than can be answered. */
export const retrySeconds = 5;

/** Whether the log should tell of it: neither the caller's doing nor what the daemon says when it has just begun or is busy. */
export function isFailure({ status, code }: ProblemDocument): boolean {
  return status >= 500 && !passing.has(code);
}

/** An error of this program as a document; of any other only that there was one, as its text may tell too much. */
export function problemOf(thrown: unknown): ProblemDocument {
  if (!(thrown instanceof ReconcilerError)) return problemOf(fromServer(thrown));
  const { code, message, hint, path } = thrown;
  const [status, title] = answers[code] ?? [500, "Internal server error"];
  return { type: `urn:gap-reconciler:${code}`, title, status, code, detail: messageOf(message), hint, path };
}

/** What the server's own parts throw before a request reaches anybody, by the status that they give it. */
function fromServer(thrown: unknown): ReconcilerError {
  const { statusCode = 500, code = "" }: { readonly statusCode?: unknown; readonly code?: unknown } =
    typeof thrown === "object" && thrown !== null ? thrown : {};
  if (code === "FST_ERR_BAD_URL") {
    return new ReconcilerError(
      "request_invalid",
      "expected a path in which each % begins a code as %20, found another",
      {
        path: "path",
      },
    );
  }
  switch (statusCode) {
    case 400:
      return new ReconcilerError("request_invalid", "expected a JSON document as body, found something else");
    case 413:
      return new ReconcilerError("request_too_large", "the body is larger than any request needs");
    case 414:
      return new ReconcilerError("not_found", "no processor has so long a name", {
        path: "path",
        hint: "/api/v1/grid names every processor",
      });
    case 415:
      return new ReconcilerError("request_invalid", "expected the content type application/json", {
        hint: "send the header content-type: application/json",
      });
    default:
      return new ReconcilerError("internal", "the request failed for a reason that the daemon's log has", {
        cause: thrown,
      });
  }
}
