import type { ObservationFailure } from "../../core/observation.ts";
import { type ErrorCode, type ErrorDetails, ReconcilerError } from "../../errors.ts";

/**
 * What a failed statement says of itself. `invalid`: it can never run, whatever the data and the moment. `not_found`:
 * something that it names does not exist. `permission` and `budget`: it may not run, or not at its price. `failed`: it
 * failed on the data, or for a reason of its moment.
 */
export type QueryFault = "invalid" | "not_found" | "permission" | "budget" | "failed";

/** A statement that the warehouse refused or broke off: others may well run, so that it fails alone. */
export class QueryError extends ReconcilerError {
  readonly fault: QueryFault;

  constructor(fault: QueryFault, code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.name = "QueryError";
    this.fault = fault;
  }
}

/** How an observation calls what failed. */
export function failureCodeOf(error: ReconcilerError): ObservationFailure["code"] {
  if (error.code === "warehouse_timeout") return "timeout";
  if (!(error instanceof QueryError)) return "query_failed";
  const { fault } = error;
  return fault === "not_found" || fault === "permission" || fault === "budget" ? fault : "query_failed";
}
