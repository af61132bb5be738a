/**
 * Every error that a user may see. The message says what was expected, what was found and where; the hint says what to do.
 * A test proves that each code is described in docs/errors.md.
 */
export const errorCodes = [
  "config_not_found",
  "config_unreadable",
  "config_invalid",
  "usage",
  "dependency_cycle",
  "warehouse_not_found",
  "warehouse_locked",
  "warehouse_unreadable",
  "warehouse_query_failed",
  "warehouse_timeout",
  "warehouse_credentials",
  "warehouse_permission",
  "warehouse_quota",
  "warehouse_budget",
  "warehouse_unavailable",
  "schedule_failed",
  "schedule_empty",
  "ledger_unavailable",
  "ledger_missing",
  "redis_credentials",
  "redis_unavailable",
  "redis_unsuitable",
  "lock_lost",
  "plan_outdated",
  "run_in_progress",
  "cycle_timeout",
  "fence_refused",
  "repair_contract",
  "write_failed",
  "write_conflict",
  "interrupted",
  "listen_failed",
  "not_looked_yet",
  "request_invalid",
  "unauthorized",
  "actions_off",
  "host_refused",
  "not_found",
  "method_not_allowed",
  "request_too_large",
  "request_timeout",
  "rate_limited",
  "too_many_watchers",
  "server_busy",
  "idempotency_conflict",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** What the reader should do about it. */
  readonly hint?: string;
  /** The file, the config path or the table that it is about. */
  readonly path?: string;
  readonly cause?: unknown;
}

export class ReconcilerError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly path: string | null;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ReconcilerError";
    this.code = code;
    this.hint = details.hint ?? null;
    this.path = details.path ?? null;
  }
}

/** The message of anything that was thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.replace(/\s+/g, " ").trim();
}

/** Marks a branch that the types say cannot be reached. */
export function assertNever(value: never, what: string): never {
  throw new ReconcilerError("internal", `unexpected ${what}: ${JSON.stringify(value)}`);
}
