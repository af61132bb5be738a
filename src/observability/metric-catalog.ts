import { dispositionNames, exemptReasons, stateNames } from "../core/grid.ts";
import { outcomes } from "../core/ledger-records.ts";
import { newsKinds } from "../core/news.ts";
import { plannerMetrics } from "./planner-metrics.ts";
import { daemonMetrics, processMetrics } from "./process-metrics.ts";

export const metricPrefix = "gap_reconciler_";

/** The values of labels that are known beforehand; the other labels take names from the config. */
export const labelValues = {
  state: stateNames.filter((name) => name !== "unscheduled"),
  disposition: dispositionNames.filter((name) => name !== "none"),
  exempt_reason: exemptReasons,
  stray_kind: ["without_date", "after_today", "before_schedule"],
  breaker: ["mass_gap", "schedule", "circuit"],
  severity: ["critical", "warning", "info"],
  cycle_outcome: ["converged", "not_converged", "not_accepted", "not_leading", "failed"],
  look: ["survey", "profile"],
  scan_error: ["not_found", "permission", "query_failed", "timeout", "budget", "schedule", "warehouse"],
  repair_outcome: outcomes,
  notified: newsKinds,
  notification_outcome: ["sent", "failed", "dropped"],
} as const;

/** Every metric by its name without the prefix. docs/metrics.md is made of it. */
export const metricCatalog = { ...plannerMetrics, ...processMetrics, ...daemonMetrics } as const;
