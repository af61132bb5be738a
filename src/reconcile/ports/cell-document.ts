import type { Explanation } from "../../core/explain.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { Outcome } from "../../core/ledger-records.ts";

/** Everything that is known of one cell, as `reconcile explain --format json` and the HTTP API tell it. */
export interface CellDocument extends Explanation {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly as_of: string;
  /** What looks at the cell, to be run by a person as it is; null where it cannot be told, as the table cannot be seen. */
  readonly sql: string | null;
  /** Oldest first, at most the last 100. */
  readonly attempts: readonly AttemptDocument[];
}

export interface AttemptDocument {
  readonly repair_id: string;
  readonly attempt: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly outcome: Outcome;
  readonly charged: boolean;
  readonly error_code: string | null;
  readonly message: string | null;
  readonly log_tail: string | null;
  readonly dates: readonly IsoDate[];
  readonly fencing_token: number;
  readonly worker: string;
}
