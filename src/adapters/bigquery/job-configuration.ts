import type { Limits } from "./limits.ts";
import type { Parameter } from "./parameters.ts";

export interface JobOptions {
  /** Where the data is, such as `EU` or `us-west2`; null lets BigQuery find out from the tables. */
  readonly location: string | null;
  /** Of one statement; null is without a limit. */
  readonly maximumBytesBilled: number | null;
  /** On every job, for whoever reads the bill; `purpose` is added. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pipeline: string;
  /** The cycle that asks, for the ids of its jobs; null outside of one. */
  readonly cycle: () => string | null;
}

export interface Statement {
  readonly sql: string;
  readonly parameters?: readonly Parameter[];
  /** A word for the job's id and its label. */
  readonly purpose: string;
  /** Runs in a session: `new` begins one. */
  readonly session?: JobSession | "new";
  /** Where it runs, if not where the config says. */
  readonly location?: string | null;
  /** What is to be done where policies may hide some of what it reads: an error unless given. */
  readonly ifHidden?: "tell";
  /** Tells a job from another one under the same id. */
  readonly mark?: string;
}

/** What is staged, and not committed yet, belongs to a session alone. */
export interface JobSession {
  readonly id: string;
  readonly location: string | null;
}

/** How much later than we BigQuery gives a job up by itself, in case nobody is left to cancel it. */
const jobSlackMs = 60_000;

/** As `jobs.insert` wants it. */
export function jobConfiguration(
  { sql, parameters = [], purpose, session, mark }: Statement,
  { maximumBytesBilled, labels }: JobOptions,
  limits: Limits,
  dryRun: boolean,
) {
  const leftMs = Math.max(1, limits.deadline - performance.now());
  return {
    ...(dryRun ? { dryRun } : { jobTimeoutMs: String(Math.ceil(leftMs) + jobSlackMs) }),
    labels: { ...labels, purpose, ...(mark === undefined ? {} : { mark }) },
    query: {
      query: sql,
      useLegacySql: false,
      ...(parameters.length === 0 ? {} : { parameterMode: "NAMED", queryParameters: parameters }),
      ...(maximumBytesBilled === null ? {} : { maximumBytesBilled: String(maximumBytesBilled) }),
      ...(session === "new" ? { createSession: true } : {}),
      ...(session === undefined || session === "new"
        ? {}
        : { connectionProperties: [{ key: "session_id", value: session.id }] }),
    },
  };
}

/** A label's value may have lower-case letters, digits, `_` and `-`, 63 of them. */
export function labelOf(value: string): string {
  return value
    .toLowerCase()
    .replaceAll(/[^\p{Ll}\p{Lo}\p{N}_-]/gu, "-")
    .slice(0, 63);
}
