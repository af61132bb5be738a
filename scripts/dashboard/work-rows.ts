import { increase, one, own, quantile } from "./queries.ts";
import type { RowSpec } from "./spec.ts";

const repairs: RowSpec = {
  title: "Repairs",
  panels: [
    {
      title: "Runs by outcome",
      meaning: "Runs of repairs that ended, by the worst outcome of their cells.",
      kind: "stacked",
      unit: "none",
      width: 12,
      queries: [
        { expr: `${increase("outcome", "gap_reconciler_repairs_total")} > 0`, legend: "{{outcome}}" },
      ],
    },
    {
      title: "Runs that did not repair, in a day",
      meaning: "The twenty repairs that failed, did nothing, or took too long most often.",
      kind: "stacked",
      unit: "none",
      width: 12,
      queries: [
        {
          expr: `topk(20, ${increase("repair", "gap_reconciler_repairs_total", ', outcome!~"repaired|skipped"', "1d")} > 0)`,
          legend: "{{repair}}",
        },
      ],
    },
    {
      title: "Time of a run",
      meaning:
        "So long, or shorter, half of the runs and 95 % of them took, from their record to their proof.",
      kind: "lines",
      unit: "s",
      width: 12,
      queries: [
        {
          expr: quantile(0.5, "repair", "gap_reconciler_repair_duration_seconds"),
          legend: "{{repair}} half",
        },
        {
          expr: quantile(0.95, "repair", "gap_reconciler_repair_duration_seconds"),
          legend: "{{repair}} 95 %",
        },
      ],
    },
    {
      title: "Jobs",
      meaning: "In the queue, in all processes.",
      kind: "stacked",
      unit: "none",
      width: 6,
      queries: [{ expr: `max by (state) (gap_reconciler_queue_jobs{${own}})`, legend: "{{state}}" }],
    },
    {
      title: "The next job has waited for",
      meaning: "Long where all slots are taken; for ever where nobody takes jobs.",
      kind: "lines",
      unit: "s",
      width: 6,
      queries: [{ expr: one("gap_reconciler_queue_oldest_job_age_seconds"), legend: "{{pipeline}}" }],
    },
  ],
};

const cost: RowSpec = {
  title: "Cost",
  panels: [
    {
      title: "Billed for looks, in a day",
      meaning: "Bytes of the surveys of everything, and of the looks before and after each repair.",
      kind: "stacked",
      unit: "bytes",
      width: 8,
      queries: [{ expr: increase("look", "gap_reconciler_scan_bytes_total", "", "1d"), legend: "{{look}}" }],
    },
    {
      title: "Budgets used",
      meaning:
        "Of what is allowed in 24 hours; at 1 what it would pay for is left undone. Nothing without a budget.",
      kind: "lines",
      unit: "percentunit",
      width: 8,
      queries: [
        {
          expr: `${one("gap_reconciler_scan_budget_used_bytes")} / ${one("gap_reconciler_scan_budget_limit_bytes")}`,
          legend: "{{pipeline}} scan_bytes_per_day",
        },
        {
          expr: `${one("gap_reconciler_repair_budget_used")} / ${one("gap_reconciler_repair_budget_limit")}`,
          legend: "{{pipeline}} repairs_per_day",
        },
      ],
    },
    {
      title: "Repairs started, in a day",
      meaning: "As counted against budgets.repairs_per_day.",
      kind: "lines",
      unit: "none",
      width: 8,
      queries: [{ expr: one("gap_reconciler_repair_budget_used"), legend: "{{pipeline}}" }],
    },
  ],
};

const health: RowSpec = {
  title: "Health of the daemon itself",
  panels: [
    {
      title: "Cycles by outcome",
      meaning: "Of all processes; one that does not plan makes none.",
      kind: "stacked",
      unit: "none",
      width: 8,
      queries: [{ expr: `${increase("outcome", "gap_reconciler_cycles_total")} > 0`, legend: "{{outcome}}" }],
    },
    {
      title: "Time of a cycle and of a look",
      meaning: "95 % took so long or shorter.",
      kind: "lines",
      unit: "s",
      width: 8,
      queries: [
        {
          expr: quantile(0.95, "pipeline", "gap_reconciler_cycle_duration_seconds"),
          legend: "{{pipeline}} cycle",
        },
        { expr: quantile(0.95, "look", "gap_reconciler_scan_duration_seconds"), legend: "{{look}}" },
      ],
    },
    {
      title: "What could not be read",
      meaning: "Tables, schedules or the whole warehouse, in an hour.",
      kind: "stacked",
      unit: "none",
      width: 8,
      queries: [
        {
          expr: `${increase("reason", "gap_reconciler_scan_errors_total", "", "1h")} > 0`,
          legend: "{{reason}}",
        },
      ],
    },
    {
      title: "Who plans, and who cannot reach Redis",
      meaning: "The planning lease is with one process at a time.",
      kind: "lines",
      unit: "none",
      width: 8,
      queries: [
        { expr: `gap_reconciler_leader{${own}}`, legend: "{{instance}} plans" },
        { expr: `gap_reconciler_coordination_degraded{${own}} > 0`, legend: "{{instance}} is without Redis" },
        {
          expr: `gap_reconciler_lock_servers_failing{${own}} > 0`,
          legend: "lock servers that do not count for {{instance}}",
        },
      ],
    },
    {
      title: "What should not happen, in an hour",
      meaning:
        "Locks lost, late writes refused, the ledger failing, repairs not recorded, workers started anew, jobs that nobody can read, Redis wiped, looks that the next process pays for again.",
      kind: "stacked",
      unit: "none",
      width: 8,
      queries: [
        { expr: increase("pipeline", "gap_reconciler_locks_lost_total", "", "1h"), legend: "locks lost" },
        {
          expr: increase("pipeline", "gap_reconciler_fence_refusals_total", "", "1h"),
          legend: "late writes refused",
        },
        {
          expr: increase("pipeline", "gap_reconciler_ledger_failures_total", "", "1h"),
          legend: "ledger failures",
        },
        {
          expr: increase("pipeline", "gap_reconciler_repairs_unrecorded_total", "", "1h"),
          legend: "repairs not recorded",
        },
        {
          expr: increase("pipeline", "gap_reconciler_stalled_consumers_total", "", "1h"),
          legend: "workers started anew",
        },
        {
          expr: increase("pipeline", "gap_reconciler_unreadable_jobs_total", "", "1h"),
          legend: "jobs unreadable",
        },
        {
          expr: increase("pipeline", "gap_reconciler_redis_wipes_total", "", "1h"),
          legend: "Redis wiped",
        },
        {
          expr: increase("pipeline", "gap_reconciler_surveys_not_kept_total", "", "1h"),
          legend: "looks not kept",
        },
      ],
    },
    {
      title: "Notifications, in an hour",
      meaning: "Messages to webhooks, by what became of them.",
      kind: "stacked",
      unit: "none",
      width: 8,
      queries: [
        {
          expr: `${increase("outcome", "gap_reconciler_notifications_total", "", "1h")} > 0`,
          legend: "{{outcome}}",
        },
      ],
    },
    {
      title: "Jobs by process",
      meaning: "What each process runs now.",
      kind: "stacked",
      unit: "none",
      width: 12,
      queries: [{ expr: `gap_reconciler_running_jobs{${own}}`, legend: "{{instance}}" }],
    },
    {
      title: "Processes by version",
      meaning: "What runs, and where.",
      kind: "stacked",
      unit: "none",
      width: 12,
      queries: [
        {
          expr: `count by (version, revision, node) (gap_reconciler_build_info{${own}})`,
          legend: "{{version}} {{revision}} on Node {{node}}",
        },
      ],
    },
  ],
};

export const workRows: readonly RowSpec[] = [repairs, cost, health];
