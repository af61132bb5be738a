import type { Pipeline } from "../core/pipeline.ts";
import { checkCycles } from "./check-cycles.ts";
import { checkReferences } from "./check-references.ts";
import type { Loaded } from "./loaded.ts";
import { resolveProcessors } from "./resolve-processors.ts";
import { resolveRepairs } from "./resolve-repairs.ts";
import { resolveRunHistory } from "./resolve-run-history.ts";
import { resolveSchedules } from "./resolve-schedules.ts";
import { resolveWaivers } from "./resolve-waivers.ts";
import { childOf } from "./tree.ts";

/** The pipeline that a document describes, checked against itself. It is sound only where `loaded.issues` stays empty. */
export function resolvePipeline(loaded: Loaded): Pipeline {
  const { document, issues, tree } = loaded;
  const section = childOf(tree, "processors");
  if (section?.kind === "map" && section.entries.size === 0) {
    issues.addAt(tree, ["processors"], {
      expected: "at least one processor",
      hint: "add one: a name with table and date_column",
    });
  }
  const schedules = resolveSchedules(loaded);
  const repairUnits = resolveRepairs(loaded, Object.keys(document.processors));
  const processors = resolveProcessors(loaded, repairUnits);
  checkCycles(loaded, processors);
  checkReferences(loaded, processors);
  const { limits, budgets, safety } = document;
  return {
    name: document.pipeline,
    timezone: document.timezone,
    schedules,
    processors,
    repairUnits,
    pools: Object.entries(document.pools).map(([name, { slots }]) => ({ name, slots })),
    limits: {
      jobsMax: limits.jobs_max,
      cellsPerCycleMax: limits.cells_per_cycle_max,
      // A DuckDB file has one writer, so that a command which writes it has it alone.
      commandsMax: document.warehouse.type === "duckdb" ? 1 : limits.jobs_max,
    },
    budgets: {
      scanBytesPerCycle: budgets.scan_bytes_per_cycle ?? null,
      scanBytesPerDay: budgets.scan_bytes_per_day ?? null,
      repairsPerDay: budgets.repairs_per_day ?? null,
    },
    safety: {
      autoRepairMaxAgeMs: safety.auto_repair_max_age ?? null,
      massGap: { maxShare: safety.mass_gap.max_share, cellsMin: safety.mass_gap.cells_min },
      scheduleChange: {
        maxShare: safety.schedule_change.max_share,
        datesMin: safety.schedule_change.dates_min,
      },
      circuitBreaker: {
        failures: safety.circuit_breaker.failures,
        coolOffMs: safety.circuit_breaker.cool_off,
      },
    },
    waivers: resolveWaivers(loaded),
    runHistory: resolveRunHistory(loaded),
  };
}
