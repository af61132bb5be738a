import type { Reason } from "./errors.ts";

/** The calls of BigQuery's REST interface that this server answers. */
export type CallName =
  | "jobs.query"
  | "jobs.getQueryResults"
  | "jobs.insert"
  | "jobs.get"
  | "jobs.cancel"
  | "tables.get"
  | "tables.list"
  | "tables.insert"
  | "tables.patch"
  | "tables.delete"
  | "tabledata.list"
  | "datasets.get"
  | "datasets.list"
  | "datasets.insert"
  | "datasets.delete";

export type Fault =
  /** Refused at once, with the status that BigQuery gives for the reason. */
  | { readonly kind: "error"; readonly reason: Reason; readonly message?: string }
  /** The job is accepted and fails. */
  | { readonly kind: "job_error"; readonly reason: Reason; readonly message?: string }
  /** The job is accepted and only starts at the n-th time that somebody asks for it; a dry run is not held up. */
  | { readonly kind: "slow"; readonly polls: number }
  /** No answer, ever; nothing is done. */
  | { readonly kind: "hang" }
  /** The connection ends; nothing is done. */
  | { readonly kind: "cut" }
  /** Everything is done; the connection ends without an answer. */
  | { readonly kind: "lost_answer" }
  /** Everything is done; status 200 with half of the body. */
  | { readonly kind: "truncate" };

export interface FaultRule {
  /** Any call unless given. */
  readonly call?: CallName;
  /** What the SQL of the call has to match; calls without SQL never do. */
  readonly sql?: RegExp;
  /** How often; once unless given. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface Faults {
  /** Rules added first come first; each call meets one of them at most. */
  add(rule: FaultRule): void;
  clear(): void;
}

export interface FaultBook extends Faults {
  take(call: CallName, sql: string | undefined): Fault | undefined;
}

export function newFaults(): FaultBook {
  let rules: { readonly rule: FaultRule; left: number }[] = [];
  return {
    add(rule) {
      rules.push({ rule, left: rule.times ?? 1 });
    },
    clear() {
      rules = [];
    },
    take(call, sql) {
      const found = rules.find(({ rule, left }) => {
        const fits = rule.sql === undefined || (sql !== undefined && rule.sql.test(sql));
        return left > 0 && fits && (rule.call === undefined || rule.call === call);
      });
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.rule.fault;
    },
  };
}
