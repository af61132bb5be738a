import type { StepDocument } from "../core/repair-documents.ts";

/** What repairs would run, and in which order, if each worked: as `reconcile plan` says it, without a forecast of bytes. */
export interface PlanDocument {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly as_of: string;
  readonly stale: boolean;
  readonly seconds_to_convergence: number | null;
  /** How many there are; `steps` has the first of them. */
  readonly steps_total: number;
  readonly steps: readonly StepDocument[];
}
