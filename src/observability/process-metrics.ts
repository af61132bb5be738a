import type { MetricSpec } from "./metric-spec.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** What each process tells of what it does itself. */
export const processMetrics = {
  cycles_total: {
    type: "counter",
    unit: "cycles",
    labels: ["outcome"],
    meaning:
      "Cycles that ended: `converged`, `not_converged` (gaps or unknown cells), `not_accepted` (the whole pipeline's mass gap or a schedule's breaker speaks against what was seen), `not_leading` (a look without the lease: coordination is away, or somebody watches a process that does not plan), `failed`.",
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
    meaning:
      "Times that a repair could not be begun or recorded, or people's decisions could not be read, as the ledger or the warehouse was away.",
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
  surveys_not_kept_total: {
    type: "counter",
    unit: "times",
    labels: [],
    meaning:
      "Times that what a survey learnt could not be kept beside the ledger: the next process that starts is billed for it once more.",
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

/** What each daemon tells beside that: of a run that ends by itself it would say nothing. */
export const daemonMetrics = {
  leader: {
    type: "gauge",
    unit: "1",
    labels: [],
    meaning: "1 in the process that holds the planning lease, 0 in all others; the sum is 1.",
    from: "daemon",
  },
  coordination_degraded: {
    type: "gauge",
    unit: "1",
    labels: [],
    meaning:
      "1 while this process cannot reach what keeps the processes together, Redis: nothing new is enqueued.",
    from: "daemon",
  },
  lock_servers_failing: {
    type: "gauge",
    unit: "servers",
    labels: [],
    meaning:
      "Of several `redis.lock_urls`, those that do not count for this process: away, refusing it, or not fit to carry locks. Locks are granted as long as the others are a majority.",
    from: "daemon",
  },
  redis_wipes_total: {
    type: "counter",
    unit: "times",
    labels: [],
    meaning:
      "Times that this process found that the queue's Redis has forgotten everything. Each process counts what it sees, so that their maximum says how often it was.",
    from: "daemon",
  },
  running_jobs: {
    type: "gauge",
    unit: "jobs",
    labels: [],
    meaning: "Jobs that this process runs.",
    from: "daemon",
  },
  stalled_consumers_total: {
    type: "counter",
    unit: "times",
    labels: [],
    meaning: "Times that jobs waited beside a free slot, so that the process's consumer was started anew.",
    from: "daemon",
  },
  unreadable_jobs_total: {
    type: "counter",
    unit: "jobs",
    labels: [],
    meaning: "Jobs that were dropped, as another version wrote them, or nobody.",
    from: "daemon",
  },
  notifications_total: {
    type: "counter",
    unit: "notifications",
    labels: ["event", "outcome"],
    meaning: "Notifications to webhooks: `sent`, `failed` after all tries, or `dropped`, as too many waited.",
    from: "daemon",
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;
