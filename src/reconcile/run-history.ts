import type { DateRange } from "../core/iso-date.ts";
import type { RunHistoryObservation } from "../core/observation.ts";
import { nameInHistory } from "../core/run-history.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import type { ReconcileContext } from "./context.ts";

const dayMs = 86_400_000;
/** Runs that started before are neither waited for nor told of. */
const lookBackMs = 30 * dayMs;

export interface RunHistoryLook {
  readonly now: EpochMs;
  /** Of the data, both ends included. */
  readonly range: DateRange;
  /** What was known before. */
  readonly before: RunHistoryObservation | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks what others run; null where the pipeline has no run history. Where it cannot be read, what was known before still
 * holds, and the failure is told: repairs go on, as a history that is out of order must not keep everything from healing.
 * @throws as `Warehouse.readRunHistory` does
 */
export async function readRunHistory(
  { compiled, warehouse }: Pick<ReconcileContext, "compiled" | "warehouse">,
  { now, range, before, signal }: RunHistoryLook,
): Promise<RunHistoryObservation | null> {
  const { runHistory: spec, processors } = compiled.pipeline;
  if (spec === null) return null;
  const reachMs = Math.max(lookBackMs, spec.runningMaxMs + dayMs);
  const reading = await warehouse.readRunHistory({
    spec,
    names: [...new Set(processors.map(({ name }) => nameInHistory(spec, name)))],
    range,
    // Whole days, so that the question stays the same for a while and its answer can be remembered.
    since: Math.floor((now - reachMs) / dayMs) * dayMs,
    withErrors: false,
    ...(signal === undefined ? {} : { signal }),
  });
  if (reading.kind === "read") return { runs: reading.runs, failure: null };
  return { runs: before?.runs ?? [], failure: reading.failure };
}
