import type { MetricSpec } from "./metric-spec.ts";

/** What only the process that plans can tell: how the grid and the queue are. */
export const plannerMetrics = {
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
  stray_rows: {
    type: "gauge",
    unit: "rows",
    labels: ["processor", "kind"],
    meaning:
      "Rows that stand in no cell: `without_date`, `after_today`, `before_schedule`. Absent for a kind that was not counted.",
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
  stopped_chain_gaps: {
    type: "gauge",
    unit: "cells",
    labels: ["processor"],
    meaning:
      "Gaps of a chronological processor that wait behind an earlier date of their season that is `quarantined` or `unrepairable`, with `on_poison: stop`: nothing repairs them until a person acts. 0 elsewhere.",
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
      "How long the repairs that can go on would take, by the run times on record; 0 where nothing is to be repaired, absent where no repair has a run time on record.",
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
} as const satisfies Readonly<Record<string, MetricSpec>>;
