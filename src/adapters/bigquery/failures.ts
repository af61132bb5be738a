import { type ErrorDetails, messageOf, ReconcilerError } from "../../errors.ts";
import { QueryError } from "../sql/query-error.ts";

/** What an answer, a job or the way to them failed with. Never leaves this adapter: `productError` says it to users. */
export class ApiFailure extends Error {
  /** BigQuery's word for it, such as `accessDenied`; null where the answer had none, or there was no answer. */
  readonly reason: string | null;
  readonly status: number | null;

  constructor(
    message: string,
    details: { readonly reason?: string | null; readonly status?: number | null; readonly cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ApiFailure";
    this.reason = details.reason ?? null;
    this.status = details.status ?? null;
  }
}

const passing: ReadonlySet<string> = new Set([
  "backendError",
  "internalError",
  "jobBackendError",
  "jobInternalError",
  "jobRateLimitExceeded",
  "rateLimitExceeded",
  "userRateLimitExceeded",
  "tableUnavailable",
]);
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Whether the same call may well succeed in a moment. Where there is no answer at all it may. */
export function isPassing({ reason, status }: ApiFailure): boolean {
  if (reason !== null && (passing.has(reason) || reason === "incomplete")) return true;
  return status === null ? reason === null : passingStatuses.has(status);
}

/**
 * Where the job is whose id is taken, as BigQuery says with `duplicate`; null where it does not. A job outside of the
 * multi-regions is not found without it.
 */
export function locationOfJob({ message }: ApiFailure): string | null {
  return /^Already Exists: Job \S+:([a-z0-9-]+)\./i.exec(message)?.[1] ?? null;
}

/** What was being done, for the roles that it takes. */
export type Activity = "read" | "write" | "analyze";

/** The error that users see. */
export function productError(failure: ApiFailure, activity: Activity, project: string): ReconcilerError {
  const message = messageOf(failure);
  const details = { cause: failure };
  if (failure.status === 401 || failure.reason === "authError") return credentialsError(message, failure);
  switch (failure.reason) {
    case "accessDenied":
      return new QueryError("permission", "warehouse_permission", message, {
        ...details,
        hint: roleHint(message, activity, project),
      });
    case "notFound":
      return new QueryError("not_found", "warehouse_query_failed", message, {
        ...details,
        hint: "correct the name, or create what is missing; a dataset is looked for in the location of the config alone",
      });
    case "bytesBilledLimitExceeded":
    case "billingTierLimitExceeded":
      return new QueryError("budget", "warehouse_budget", message, {
        ...details,
        hint: "raise warehouse.maximum_bytes_billed (BigQuery bills at least 10 MB for each table of a query), or give the table a date column that it is partitioned by",
      });
    case "quotaExceeded":
      return quotaError(message, details, `look at IAM & Admin > Quotas of the project ${project}`);
    case "billingNotEnabled":
      return quotaError(message, details, `enable billing for the project ${project}`);
    case "invalidQuery":
    case "invalid":
    case "invalidParameter":
      // A statement that was analyzed before is not wrong by itself: it met data that it cannot take.
      return new QueryError(
        activity === "analyze" ? "invalid" : "failed",
        "warehouse_query_failed",
        message,
        details,
      );
    default:
      return isPassing(failure)
        ? new ReconcilerError("warehouse_unavailable", `BigQuery does not answer: ${message}`, {
            ...details,
            hint: isRefused(failure.cause)
              ? "nothing listens at that address: start what should, or correct warehouse.api_endpoint"
              : "it is tried again with the next cycle; if this lasts, look at status.cloud.google.com and at the way there",
          })
        : new QueryError("failed", "warehouse_query_failed", message, details);
  }
}

/** Google's own address refuses nobody: this is one that the config names. */
function isRefused(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

export function credentialsError(message: string, cause: unknown): ReconcilerError {
  return new ReconcilerError(
    "warehouse_credentials",
    `expected Application Default Credentials for BigQuery, found none that are valid: ${message}`,
    {
      cause,
      hint: "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the path of a service account's key, or give the pod a Kubernetes service account with Workload Identity",
    },
  );
}

function quotaError(message: string, details: ErrorDetails, hint: string): ReconcilerError {
  return new ReconcilerError("warehouse_quota", message, { ...details, hint });
}

const roleOf: readonly (readonly [permission: string, role: string, on: string])[] = [
  ["bigquery.jobs.create", "roles/bigquery.jobUser", "the project"],
  ["bigquery.tables.getData", "roles/bigquery.dataViewer", "the dataset"],
  ["bigquery.tables.get", "roles/bigquery.dataViewer", "the dataset"],
  ["bigquery.tables.list", "roles/bigquery.dataViewer", "the dataset"],
  ["bigquery.tables.updateData", "roles/bigquery.dataEditor", "the dataset"],
  ["bigquery.tables.create", "roles/bigquery.dataEditor", "the dataset"],
];

/** BigQuery names the permission, and people grant roles. */
function roleHint(message: string, activity: Activity, project: string): string {
  const found = roleOf.find(([permission]) => message.includes(permission));
  if (found !== undefined) return `grant ${found[1]} on ${found[2]} to the account of this process`;
  const data = activity === "write" ? "dataEditor" : "dataViewer";
  return `grant the account of this process roles/bigquery.jobUser on the project ${project}, and roles/bigquery.${data} on the dataset`;
}
