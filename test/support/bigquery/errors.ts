/** The reasons that BigQuery gives, with the status that comes with them. */
const statuses = {
  invalid: 400,
  invalidQuery: 400,
  invalidParameter: 400,
  resourcesExceeded: 400,
  stopped: 499,
  timeout: 400,
  authError: 401,
  accessDenied: 403,
  billingNotEnabled: 403,
  billingTierLimitExceeded: 400,
  bytesBilledLimitExceeded: 400,
  quotaExceeded: 403,
  rateLimitExceeded: 403,
  responseTooLarge: 403,
  notFound: 404,
  duplicate: 409,
  backendError: 503,
  internalError: 500,
  jobBackendError: 400,
  jobInternalError: 400,
  jobRateLimitExceeded: 400,
  // BigQuery answers 501, which the client would try again.
  notImplemented: 400,
} as const;

export type Reason = keyof typeof statuses;

/** What an answer or the status of a job says of an error. */
export interface ErrorProto {
  readonly reason: string;
  readonly message: string;
  readonly location?: string;
  readonly domain?: string;
}

/** An error as BigQuery gives it. */
export class BigQueryError extends Error {
  override readonly name = "BigQueryError";
  readonly reason: Reason;
  readonly location: string | undefined;

  constructor(reason: Reason, message: string, location?: string) {
    super(message);
    this.reason = reason;
    this.location = location;
  }

  get status(): number {
    return statuses[this.reason];
  }

  toProto(): ErrorProto {
    const location = this.location === undefined ? {} : { location: this.location };
    return { reason: this.reason, message: this.message, ...location };
  }

  /** The body of an answer. */
  toBody(): object {
    const errors = [{ ...this.toProto(), domain: "global" }];
    return { error: { code: this.status, message: this.message, errors, status: statusName(this.status) } };
  }
}

function statusName(status: number): string {
  if (status === 401) return "UNAUTHENTICATED";
  if (status === 403) return "PERMISSION_DENIED";
  if (status === 404) return "NOT_FOUND";
  if (status === 409) return "ALREADY_EXISTS";
  if (status === 500) return "INTERNAL";
  return status === 503 ? "UNAVAILABLE" : "INVALID_ARGUMENT";
}
