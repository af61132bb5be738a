/** What runs a repair: one of six kinds, each with all that its executor needs. All durations are milliseconds. */
export type RepairAction =
  | SqlAction
  | CommandAction
  | HttpAction
  | KubernetesJobAction
  | CloudRunJobAction
  | PubsubAction;

export interface SqlAction {
  readonly kind: "sql";
  readonly file: string;
  /** A SELECT of the table's columns; it reads its dates from `$start_date` and `$end_date`, both included. */
  readonly sql: string;
  readonly publish: PublishPolicy;
  /** Columns of the table that the SELECT may leave out. */
  readonly leaveNull: readonly string[];
}

/**
 * Which dates a SQL repair publishes: those that the staged rows do not make worse, those that they complete, or all of them.
 */
export const publishPolicies = ["if_better", "if_complete", "always"] as const;
export type PublishPolicy = (typeof publishPolicies)[number];

export interface CommandAction {
  readonly kind: "command";
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly exitCodes: ExitCodes;
}

/** What the exit codes of a program mean; any other than 0 is retryable, one that is in both too. */
export interface ExitCodes {
  readonly retryable: readonly number[];
  readonly permanent: readonly number[];
}

export interface HttpAction {
  readonly kind: "http";
  readonly method: "POST" | "PUT" | "GET" | "PATCH";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Statuses that mean accepted, to be proven by the query; 202 always does. */
  readonly acceptedStatuses: readonly number[];
  readonly poll: HttpPoll | null;
}

/** Asked until `statusField` of the JSON answer has one of the values. */
export interface HttpPoll {
  /** May use `{{response.FIELD}}` of the first answer. */
  readonly url: string;
  readonly intervalMs: number;
  readonly statusField: string;
  readonly succeeded: readonly string[];
  readonly failed: readonly string[];
}

/** A Job of its own for each run, in the cluster in which this process runs unless another one is named. */
export interface KubernetesJobAction {
  readonly kind: "kubernetes_job";
  /** Null is the cluster in which this process runs, with its service account. */
  readonly cluster: {
    readonly apiServer: string;
    /** Read for each call, as tokens are renewed; null sends none. */
    readonly tokenFile: string | null;
    /** Whom to trust; null trusts the public authorities. */
    readonly caFile: string | null;
  } | null;
  /** Null is the namespace of this process. */
  readonly namespace: string | null;
  /** A PodTemplateSpec; templates in its texts are filled in for each run. */
  readonly template: Readonly<Record<string, unknown>>;
  /** Added to every container. */
  readonly env: Readonly<Record<string, string>>;
  readonly exitCodes: ExitCodes;
  /** Between two questions. */
  readonly intervalMs: number;
  readonly ttlAfterFinishedMs: number;
}

/** An execution of a Cloud Run job that exists, with other arguments and environment. */
export interface CloudRunJobAction {
  readonly kind: "cloud_run_job";
  readonly project: string;
  readonly location: string;
  readonly job: string;
  /** The one that is given arguments and environment; null where the job has only one. */
  readonly container: string | null;
  /** Null leaves the job's own. */
  readonly args: readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
  readonly exitCodes: ExitCodes;
  readonly intervalMs: number;
  readonly apiEndpoint: string;
}

/** A message for somebody else, who does the work; the query proves it. */
export interface PubsubAction {
  readonly kind: "pubsub";
  readonly project: string;
  readonly topic: string;
  /** Null sends what the run is about as JSON. */
  readonly data: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey: string | null;
  readonly apiEndpoint: string;
}
