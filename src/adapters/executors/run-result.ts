import type { SystemicCause } from "../../core/ledger-records.ts";
import type { RunResult } from "../../reconcile/ports/executor.ts";

/** A run that failed. */
export type Failure = Extract<RunResult, { kind: "failed" }>;

/** Worth another attempt, later. */
export function retryable(
  errorCode: string,
  message: string,
  logTail: string | null,
  retryAfterMs: number | null = null,
): Failure {
  return {
    kind: "failed",
    classification: "retryable",
    systemic: null,
    errorCode,
    message,
    logTail,
    retryAfterMs,
  };
}

/** The same again would fail the same. */
export function permanent(errorCode: string, message: string, logTail: string | null): Failure {
  return {
    kind: "failed",
    classification: "permanent",
    systemic: null,
    errorCode,
    message,
    logTail,
    retryAfterMs: null,
  };
}

/** Says nothing about the dates at hand: it would fail for any. */
export function systemic(
  cause: SystemicCause,
  errorCode: string,
  message: string,
  logTail: string | null,
): Failure {
  return {
    kind: "failed",
    classification: "systemic",
    systemic: cause,
    errorCode,
    message,
    logTail,
    retryAfterMs: null,
  };
}
