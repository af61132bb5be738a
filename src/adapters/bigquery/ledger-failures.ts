import { messageOf, ReconcilerError } from "../../errors.ts";
import { ApiFailure, productError } from "./failures.ts";

/** A dataset that holds a ledger, as errors name it. */
export interface LedgerPlace {
  readonly project: string;
  readonly dataset: string;
  /** Whose ledger it is: another pipeline's records are none of it. */
  readonly pipeline: string;
}

export function placeText({ project, dataset }: LedgerPlace): string {
  return `the ledger in the BigQuery dataset ${project}.${dataset}`;
}

/** What was being done to a ledger. */
type LedgerActivity = "made" | "read" | "written";

/**
 * The error that users see of a ledger: `ledger_missing` where there is none to write to, `ledger_unavailable` where it cannot
 * be reached or may not be used, `write_failed` where a record was not taken.
 */
export function ledgerError(error: unknown, place: LedgerPlace, activity: LedgerActivity): unknown {
  const failure = failureOf(error);
  const known = error instanceof ApiFailure ? productError(error, "write", place.project) : error;
  if (!(known instanceof ReconcilerError) || isOfLedger(known)) return known;
  if (failure?.reason === "notFound" && activity === "written") return ledgerMissing(place);
  const path = `${place.project}.${place.dataset}`;
  const message = `${placeText(place)} cannot be ${activity}: ${messageOf(known)}`;
  if (failure?.reason === "accessDenied") {
    const hint = roleHint(messageOf(known), place, activity);
    return new ReconcilerError("ledger_unavailable", message, { path, cause: error, hint });
  }
  const isAway = known.code === "warehouse_credentials" || known.code === "warehouse_unavailable";
  if (activity !== "written" || isAway) {
    const hint = known.hint ?? "try again; if this lasts, look at status.cloud.google.com";
    return new ReconcilerError("ledger_unavailable", message, { path, cause: error, hint });
  }
  return new ReconcilerError("write_failed", message, { path, cause: error, hint: writeHint(known) });
}

export function ledgerMissing(place: LedgerPlace): ReconcilerError {
  return new ReconcilerError("ledger_missing", `expected ${placeText(place)}, found none`, {
    path: `${place.project}.${place.dataset}`,
    hint: "make it with `reconcile validate --connect --create`",
  });
}

/** It is there, and jobs that run where the config says do not find it. */
export function ledgerElsewhere(place: LedgerPlace, cause: unknown): ReconcilerError {
  return new ReconcilerError(
    "ledger_unavailable",
    `${placeText(place)} cannot be written: it is there, but not in the location in which jobs run: ${messageOf(cause)}`,
    {
      path: `${place.project}.${place.dataset}`,
      cause,
      hint: "nothing of it was recorded; correct warehouse.location, or name a dataset in that location as ledger.dataset",
    },
  );
}

function isOfLedger({ code }: ReconcilerError): boolean {
  return code === "ledger_missing" || code === "ledger_unavailable" || code === "write_failed";
}

/** What BigQuery said, also where it was put into words already. */
function failureOf(error: unknown): ApiFailure | null {
  if (error instanceof ApiFailure) return error;
  return error instanceof Error && error.cause instanceof ApiFailure ? error.cause : null;
}

function roleHint(message: string, { project, dataset }: LedgerPlace, activity: LedgerActivity): string {
  if (message.includes("bigquery.jobs.create")) {
    return `grant the account of this process roles/bigquery.jobUser on the project ${project}`;
  }
  const role = `grant the account of this process roles/bigquery.dataEditor on the dataset ${project}.${dataset}`;
  // BigQuery says the same of what is not there to those who may not know.
  return activity === "made"
    ? `${role}; where there is no such dataset yet, make it by hand first, or grant roles/bigquery.user on the project ${project}`
    : `${role}; where there is no such dataset yet, make it with \`reconcile validate --connect --create\``;
}

function writeHint(known: ReconcilerError): string {
  if (known.code === "warehouse_timeout") {
    return "it is not known whether it was recorded; recording it again is safe";
  }
  const nothing = "nothing of it was recorded";
  return known.hint === null ? `${nothing}; try again` : `${nothing}; ${known.hint}`;
}
