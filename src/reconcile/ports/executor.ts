import type { RefusedDate, StagedAudit } from "../../core/audit.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { SystemicCause } from "../../core/ledger-records.ts";
import type { Processor, RepairUnit } from "../../core/pipeline.ts";
import type { RepairAction } from "../../core/repair-action.ts";
import type { RepairProblem } from "../ports.ts";

/** Something that fills dates, run once per call. It never decides whether the repair worked: the next query does. */
export interface Executor {
  /**
   * Resolves with what happened; rejects never, and never later than a few seconds after `timeoutMs` or an abort, by
   * then with no effect of its own still running.
   */
  run(request: RunRequest): Promise<RunResult>;
  /**
   * What finds the run again outside of this process, told before it starts: it is recorded with the start, so that a person
   * can look for a run whose process died. Null where nothing outside goes on without this process, or no name is known yet.
   */
  handleOf(launch: Launch): string | null;
  /**
   * What stands against such a run, as far as that can be asked without starting one: whether what it names exists, and
   * whether this process may start it. Resolves within a minute; never rejects: what cannot be asked is a problem of its own.
   */
  check(launch: Launch): Promise<readonly LaunchProblem[]>;
}

export interface LaunchProblem extends RepairProblem {
  /** A warning does not keep it from running. */
  readonly level: "error" | "warning";
}

/** What a run is told; all of it is known before it is recorded. */
export type Launch = Omit<RunRequest, "timeoutMs" | "signal" | "audit">;

export interface RunRequest {
  readonly repairId: string;
  readonly unit: RepairUnit;
  readonly action: RepairAction;
  /** All that the unit fills; the first one is the one that templates and children are told. */
  readonly processors: readonly Processor[];
  readonly pipeline: string;
  /** Ascending. */
  readonly dates: readonly IsoDate[];
  /** Of the first date; null where the schedule has none. */
  readonly season: string | null;
  readonly attempt: number;
  readonly token: number;
  /** For what the product itself writes: which dates are published; null publishes all of them. */
  readonly audit: StagedAudit | null;
  readonly timeoutMs: number;
  /** Aborts on a lost lock or a stop: the run is to be cancelled. */
  readonly signal: AbortSignal;
}

export type RunResult =
  | {
      readonly kind: "succeeded";
      readonly logTail: string | null;
      /** Dates that it left as they were, as their rows would have been worse; none unless said. */
      readonly refused?: readonly RefusedDate[];
    }
  /** It goes on elsewhere; the query has to prove it. */
  | { readonly kind: "accepted"; readonly logTail: string | null; readonly handle: string | null }
  | {
      readonly kind: "failed";
      readonly classification: "retryable" | "permanent" | "systemic" | "fenced";
      /** For `systemic`. */
      readonly systemic: SystemicCause | null;
      readonly errorCode: string;
      readonly message: string;
      readonly logTail: string | null;
      /** Asked for by the other side, as in Retry-After. */
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: "timed_out"; readonly message: string; readonly logTail: string | null }
  | { readonly kind: "cancelled"; readonly logTail: string | null };
