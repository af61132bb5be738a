import type { Processor } from "../core/pipeline.ts";

/** Grouped by phase, phases and processors in the order of the file. */
export function byPhase(processors: readonly Processor[]): readonly Processor[] {
  const phases = [...new Set(processors.map(({ phase }) => phase))];
  return phases.flatMap((phase) => processors.filter((processor) => processor.phase === phase));
}
