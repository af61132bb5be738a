import type { RunHistorySpec } from "../core/pipeline.ts";
import { checkName, type Loaded } from "./loaded.ts";
import { dateColumnOf } from "./resolve-date-column.ts";

/** Where others record their runs; null where the file does not say. */
export function resolveRunHistory(loaded: Loaded): RunHistorySpec | null {
  const input = loaded.document.run_history;
  if (input === undefined) return null;
  const { issues, tree } = loaded;
  const path = ["run_history"];
  for (const processor of Object.keys(input.names)) {
    checkName(loaded, [...path, "names", processor], processor, "processor");
  }
  if (input.statuses.running.length === 0) {
    issues.addAt(tree, [...path, "statuses", "running"], {
      expected: "at least one status of a run that is under way",
      found: "none",
    });
  }
  const lower = (words: readonly string[]) => words.map((word) => word.toLowerCase());
  return {
    table: input.table,
    ...dateColumnOf(input),
    processorColumn: input.processor_column,
    statusColumn: input.status_column,
    startedAtColumn: input.started_at_column,
    endedAtColumn: input.ended_at_column ?? null,
    errorColumn: input.error_column ?? null,
    runIdColumn: input.run_id_column ?? null,
    where: input.where ?? null,
    statuses: {
      running: lower(input.statuses.running),
      failed: lower(input.statuses.failed),
      skipped: lower(input.statuses.skipped),
    },
    runningMaxMs: input.running_max,
    names: input.names,
  };
}
