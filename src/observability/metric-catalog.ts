import { exemptReasons, stateNames, dispositionNames } from "../core/grid.ts";
import { outcomes } from "../core/ledger-records.ts";

/** One metric as /metrics offers it. The label `pipeline` is on every one of them, beside those that are named. */
export interface MetricSpec {
  readonly type: "gauge" | "counter" | "histogram";
  /** What one of it is; `1` where it counts nothing. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly meaning: string;
  /**
   * Who offers it: `planner` is whoever holds the planning lease, alone, and takes it back with the lease, so that a sum over all
   * processes counts nothing twice; `process` is every one.
   */
  readonly from: "planner" | "process";
  /** Of a histogram: upper bounds, each included. */
  readonly buckets?: readonly number[];
}

export const metricPrefix = "gap_reconciler_";

/** The values of labels that are known beforehand; the other labels take names from the config. */
export const labelValues = {
  state: stateNames.filter((name) => name !== "unscheduled"),
  disposition: dispositionNames.filter((name) => name !== "none"),
  exempt_reason: exemptReasons,
  breaker: ["mass_gap", "schedule", "circuit"],
  severity: ["critical", "warning", "info"],
  job_state: ["queued", "running"],
  cycle_outcome: ["converged", "not_converged", "not_accepted", "not_leading", "failed"],
  look: ["survey", "profile"],
  scan_error: ["not_found", "permission", "query_failed", "timeout", "budget", "schedule", "warehouse"],
  repair_outcome: outcomes,
  notified: ["quarantined", "reopened", "mass_gap", "converged"],
  notification_outcome: ["sent", "failed", "dropped"],
} as const;

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Every metric by its name without the prefix. docs/metrics.md is made of it. */
export const metricCatalog = {
  processor_info: {
    type: "gauge",
    unit: "1",
    labels: ["processor", "phase", "severity", "owner", "repair"],
    meaning:
      "Always 1: what is configured of a processor, to join on. `phase`, `owner` and `repair` are empty where there is none.",
    from: "planner",
  },
  cells: {
    type: "gauge",
    unit: "cells",
    labels: ["processor", "phase", "state"],
    meaning: "Cells by state, over the whole history; `unexpected` counts dates that are no cells.",
    from: "planner",
  },
  exempt_cells: {
    type: "gauge",
    unit: "cells",
    labels: ["processor", "reason"],
    meaning:
      "Cells that need not be complete, by reason: `bootstrap`, `availability`, `waived`, `upstream_exempt`.",
    from: "planner",
  },
  gaps: {
    type: "gauge",
    unit: "cells",
    labels: ["processor", "disposition"],
    meaning:
      "Gaps by what stands between them and their repair: `quarantined`, `held`, `blocked`, `ready` and so on.",
    from: "planner",
  },
  overdue_cells: {
    type: "gauge",
    unit: "cells",
    labels: ["processor"],
    meaning:
      "Cells that should be complete by now and are not known to be: every gap, and every unknown cell that is due.",
    from: "planner",
  },
  oldest_gap_age_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["processor"],
    meaning:
      "For how long the ledger has held the oldest open gap open, so for how long healing it has taken; 0 without one. A gap that opens again counts from then.",
    from: "planner",
  },
  oldest_gap_overdue_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["processor"],
    meaning:
      "How long ago the gap of the earliest date was due, so for how long its data has been lacking; 0 without a gap. Years, where the history has gaps.",
    from: "planner",
  },
  converged: {
    type: "gauge",
    unit: "1",
    labels: [],
    meaning: "1 where there is no gap and no unknown cell, processors of severity `info` aside; 0 otherwise.",
    from: "planner",
  },
  convergence_estimate_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: [],
    meaning:
      "How long the repairs that can go on would take, by the run times on record; 0 where nothing is to be repaired, absent where a repair has no run time on record.",
    from: "planner",
  },
  breaker_open: {
    type: "gauge",
    unit: "1",
    labels: ["kind", "subject"],
    meaning:
      "1 while a breaker holds repairs back. `mass_gap` of a processor, or of the pipeline by its name; `schedule` of a schedule; `circuit` of a repair, half open included.",
    from: "planner",
  },
  waiver_expiry_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time",
    labels: ["processor"],
    meaning: "When the next waiver of the processor that ends by itself has ended; absent where none does.",
    from: "planner",
  },
  scan_budget_used_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: [],
    meaning: "Billed for looks in the last 24 hours, as counted against `budgets.scan_bytes_per_day`.",
    from: "planner",
  },
  scan_budget_limit_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: [],
    meaning: "`budgets.scan_bytes_per_day`; absent where there is no such budget.",
    from: "planner",
  },
  repair_budget_used: {
    type: "gauge",
    unit: "repairs",
    labels: [],
    meaning: "Repairs that were started in the last 24 hours, as counted against `budgets.repairs_per_day`.",
    from: "planner",
  },
  repair_budget_limit: {
    type: "gauge",
    unit: "repairs",
    labels: [],
    meaning: "`budgets.repairs_per_day`; absent where there is no such budget.",
    from: "planner",
  },
  queue_jobs: {
    type: "gauge",
    unit: "jobs",
    labels: ["state"],
    meaning:
      "Jobs in the queue, in all processes: `queued` or `running`. Absent while the queue cannot be asked.",
    from: "planner",
  },
  queue_oldest_job_age_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: [],
    meaning:
      "For how long the job that is next has waited; 0 where none waits. Absent while the queue cannot be asked.",
    from: "planner",
  },
  leader: {
    type: "gauge",
    unit: "1",
    labels: [],
    meaning: "1 in the process that holds the planning lease, 0 in all others; the sum is 1.",
    from: "process",
  },
  coordination_degraded: {
    type: "gauge",
    unit: "1",
    labels: [],
    meaning:
      "1 while this process cannot reach what keeps the processes together, Redis: nothing new is enqueued.",
    from: "process",
  },
  cycles_total: {
    type: "counter",
    unit: "cycles",
    labels: ["outcome"],
    meaning:
      "Cycles that ended: `converged`, `not_converged` (gaps or unknown cells), `not_accepted` (the whole pipeline's mass gap or a schedule's breaker speaks against what was seen), `not_leading` (looked without the lease, as coordination is away), `failed`.",
    from: "process",
  },
  cycle_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: [],
    meaning: "From a cycle's begin to its record in the ledger, failed ones included.",
    from: "process",
    buckets: [0.5, 1, 2.5, 5, 10, 30, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute],
  },
  last_completed_cycle_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time",
    labels: [],
    meaning:
      "When this process last put a cycle on record, whatever it found; absent before the first. The maximum over all processes says whether anybody looks.",
    from: "process",
  },
  last_successful_cycle_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time",
    labels: [],
    meaning:
      "When this process last put a cycle on record that saw every cell and that no breaker for mass gaps or schedules spoke against; absent before the first.",
    from: "process",
  },
  scan_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: ["look"],
    meaning:
      "Looks at the warehouse: a `survey` at everything, or the `profile` of one repair's cells before and after it.",
    from: "process",
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, minute, 2 * minute, 5 * minute, 10 * minute],
  },
  scan_bytes_total: {
    type: "counter",
    unit: "bytes",
    labels: ["look"],
    meaning: "Billed for looks at the warehouse; 0 where nothing is ever billed.",
    from: "process",
  },
  scan_errors_total: {
    type: "counter",
    unit: "failures",
    labels: ["reason"],
    meaning:
      "What could not be seen: one per table and look (`not_found`, `permission`, `query_failed`, `timeout`, `budget`), or one per look where a `schedule` or the whole `warehouse` could not be read.",
    from: "process",
  },
  repairs_total: {
    type: "counter",
    unit: "runs",
    labels: ["repair", "outcome"],
    meaning:
      "Runs of repairs that ended, by the worst outcome of their cells. A run that nobody ended is `lost`.",
    from: "process",
  },
  repair_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: ["repair"],
    meaning:
      "From the start of a run on record to its end, the proof by query included; lost runs are left out.",
    from: "process",
    buckets: [1, 5, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute, hour, 3 * hour],
  },
  repairs_unrecorded_total: {
    type: "counter",
    unit: "repairs",
    labels: [],
    meaning: "Repairs that could not be begun or recorded, as the ledger or the warehouse was away.",
    from: "process",
  },
  running_jobs: {
    type: "gauge",
    unit: "jobs",
    labels: [],
    meaning: "Jobs that this process runs.",
    from: "process",
  },
  locks_lost_total: {
    type: "counter",
    unit: "locks",
    labels: [],
    meaning: "Times that the locks of a repair were lost while it ran; it was cancelled.",
    from: "process",
  },
  fence_refusals_total: {
    type: "counter",
    unit: "repairs",
    labels: [],
    meaning: "Late writes that were refused, as a newer repair had written the same cells.",
    from: "process",
  },
  reopened_gaps_total: {
    type: "counter",
    unit: "cells",
    labels: ["processor"],
    meaning: "Cells that became a gap though they were complete once. Mass gaps are left out.",
    from: "process",
  },
  freshness_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: ["severity"],
    meaning:
      "From a cell's due time to the first look that saw it complete, 0 where that was before; once per cell that became due in the last 30 days.",
    from: "process",
    buckets: [
      0,
      5 * minute,
      15 * minute,
      30 * minute,
      hour,
      2 * hour,
      4 * hour,
      8 * hour,
      day,
      2 * day,
      7 * day,
    ],
  },
  ledger_failures_total: {
    type: "counter",
    unit: "failures",
    labels: [],
    meaning: "Cycles and repairs that failed because the ledger could not be read or written.",
    from: "process",
  },
  stalled_consumers_total: {
    type: "counter",
    unit: "times",
    labels: [],
    meaning: "Times that jobs waited beside a free slot, so that the process's consumer was started anew.",
    from: "process",
  },
  unreadable_jobs_total: {
    type: "counter",
    unit: "jobs",
    labels: [],
    meaning: "Jobs that were dropped, as another version wrote them, or nobody.",
    from: "process",
  },
  notifications_total: {
    type: "counter",
    unit: "notifications",
    labels: ["event", "outcome"],
    meaning: "Notifications to webhooks: `sent`, `failed` after all tries, or `dropped`, as too many waited.",
    from: "process",
  },
  build_info: {
    type: "gauge",
    unit: "1",
    labels: ["version", "node", "revision"],
    meaning:
      "Always 1: what runs. `revision` is the environment variable `GAP_RECONCILER_REVISION`, empty where it is not set.",
    from: "process",
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof metricCatalog;
