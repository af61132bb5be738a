import { cells, chosen, gaps, increase, one, own, perProcessor } from "./queries.ts";
import type { RowSpec } from "./spec.ts";

const convergence: RowSpec = {
  title: "Convergence",
  panels: [
    {
      title: "Converged",
      meaning: "Whether there is no gap and no unknown cell, processors of severity info aside.",
      kind: "number",
      unit: "none",
      width: 4,
      queries: [{ expr: one("gap_reconciler_converged"), legend: "{{pipeline}}" }],
      words: { "0": { text: "no", color: "orange" }, "1": { text: "yes", color: "green" } },
    },
    {
      title: "Gaps",
      meaning: "Cells that are missing, partial or invalid, or stale where that is repaired.",
      kind: "number",
      unit: "none",
      width: 4,
      queries: [{ expr: `sum by (pipeline) (${gaps})`, legend: "{{pipeline}}" }],
      bad: { orange: 1, red: null },
    },
    {
      title: "Unknown cells",
      meaning: "Cells that could not be looked at: neither green nor gaps.",
      kind: "number",
      unit: "none",
      width: 4,
      queries: [{ expr: `sum by (pipeline) (${cells("unknown")})`, legend: "{{pipeline}}" }],
      bad: { orange: 1, red: null },
    },
    {
      title: "Time to convergence",
      meaning:
        "What the repairs that can go on would take, by their run times so far. Nothing where one never ran.",
      kind: "number",
      unit: "s",
      width: 4,
      queries: [{ expr: one("gap_reconciler_convergence_estimate_seconds"), legend: "{{pipeline}}" }],
    },
    {
      title: "Breakers open",
      meaning: "Mass gaps, schedules that are not believed, and circuits: each holds repairs back.",
      kind: "number",
      unit: "none",
      width: 4,
      queries: [
        {
          expr: `sum by (pipeline) (max by (pipeline, kind, subject) (gap_reconciler_breaker_open{${own}}))`,
          legend: "{{pipeline}}",
        },
      ],
      bad: { orange: null, red: 1 },
    },
    {
      title: "Last look",
      meaning: "How long ago a cycle last went on record. Everything else here is as old as that.",
      kind: "number",
      unit: "s",
      width: 4,
      queries: [
        {
          expr: `time() - ${one("gap_reconciler_last_completed_cycle_timestamp_seconds")}`,
          legend: "{{pipeline}}",
        },
      ],
      bad: { orange: 1800, red: 3600 },
    },
    {
      title: "Cells by state",
      meaning: "The whole grid but what is complete.",
      kind: "stacked",
      unit: "none",
      width: 24,
      queries: [{ expr: `sum by (state) (${cells("[^c].*")})`, legend: "{{state}}" }],
    },
  ],
};

const burnDown: RowSpec = {
  title: "Burn-down of gaps",
  panels: [
    {
      title: "Gaps by where they stand",
      meaning: "What stands between the gaps and their repair.",
      kind: "stacked",
      unit: "none",
      width: 12,
      queries: [{ expr: `sum by (disposition) (${gaps}) > 0`, legend: "{{disposition}}" }],
    },
    {
      title: "Gaps by processor",
      meaning: "The twenty that have the most.",
      kind: "stacked",
      unit: "none",
      width: 12,
      queries: [{ expr: `topk(20, sum by (processor) (${gaps}) > 0)`, legend: "{{processor}}" }],
    },
    {
      title: "Gaps fewer per hour",
      meaning: "How fast they are closed, less what opens meanwhile; below 0 they become more.",
      kind: "lines",
      unit: "none",
      width: 8,
      queries: [
        {
          expr: `-sum by (pipeline) (deriv(gap_reconciler_gaps{${chosen}}[1h])) * 3600`,
          legend: "{{pipeline}}",
        },
      ],
    },
    {
      title: "Behind a date that was given up",
      meaning: "Gaps of chronological tables that nobody repairs until a person acts on an earlier date.",
      kind: "stacked",
      unit: "none",
      width: 8,
      queries: [
        {
          expr: `topk(20, ${perProcessor("gap_reconciler_stopped_chain_gaps")} > 0)`,
          legend: "{{processor}}",
        },
      ],
    },
    {
      title: "Re-opened in an hour",
      meaning: "Cells that had been complete and are gaps again: something deletes or rewrites data.",
      kind: "stacked",
      unit: "none",
      width: 8,
      queries: [
        {
          expr: `${increase("processor", "gap_reconciler_reopened_gaps_total", ', processor=~"$processor"', "1h")} > 0`,
          legend: "{{processor}}",
        },
      ],
    },
  ],
};

const oldest: RowSpec = {
  title: "Oldest gaps",
  panels: [
    {
      title: "Longest open",
      meaning: "For how long the oldest gap of each processor has been open: how long healing takes.",
      kind: "lines",
      unit: "s",
      width: 12,
      queries: [
        {
          expr: `topk(20, ${perProcessor("gap_reconciler_oldest_gap_age_seconds")} > 0)`,
          legend: "{{processor}}",
        },
      ],
    },
    {
      title: "Longest lacking",
      meaning: "How long ago the earliest gap of each processor was due: how far back its data has holes.",
      kind: "lines",
      unit: "s",
      width: 12,
      queries: [
        {
          expr: `topk(20, ${perProcessor("gap_reconciler_oldest_gap_overdue_seconds")} > 0)`,
          legend: "{{processor}}",
        },
      ],
    },
    {
      title: "Complete within an hour after due",
      meaning:
        "The share of the cells that became complete in a day which were so within an hour after they were due.",
      kind: "lines",
      unit: "percentunit",
      width: 12,
      queries: [
        {
          expr: `${increase("severity", "gap_reconciler_freshness_seconds_bucket", ', le=~"3600(\\\\.0)?"', "1d")} / (${increase("severity", "gap_reconciler_freshness_seconds_count", "", "1d")} > 0)`,
          legend: "{{severity}}",
        },
      ],
    },
    {
      title: "Waivers end in",
      meaning: "Until the next waiver of each processor ends; its cells are held gaps from then on.",
      kind: "lines",
      unit: "s",
      width: 12,
      queries: [
        {
          expr: `bottomk(20, ${perProcessor("gap_reconciler_waiver_expiry_timestamp_seconds")} - time())`,
          legend: "{{processor}}",
        },
      ],
    },
  ],
};

export const gapRows: readonly RowSpec[] = [convergence, burnDown, oldest];
