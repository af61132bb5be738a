import type { Assessment } from "./assessment.ts";
import { upstreamsOf } from "./assess-states.ts";
import { State } from "./grid.ts";
import { failureAt, versionAt } from "./observed.ts";
import type { Processor } from "./pipeline.ts";
import type { CellFacts } from "./retry-policy.ts";
import type { EpochMs } from "./wall-clock.ts";

type Seen = Pick<Assessment, "compiled" | "sight" | "now"> & {
  readonly grid: Pick<Assessment["grid"], "axis" | "states">;
};

/** Why a quarantined gap is tried once more now: its inputs changed, or its time has come; null where it is not. */
export function probeOf(
  assessment: Seen,
  processor: Processor,
  position: number,
  facts: CellFacts,
): "inputs" | "time" | null {
  if (facts.quarantine === null) return null;
  if (haveInputsChanged(assessment, processor, position, facts)) return "inputs";
  const at = nextProbeAt(assessment, processor, position, facts);
  return at !== null && assessment.now >= at ? "time" : null;
}

/** When a quarantined gap is probed by the clock; null where it never is. */
export function nextProbeAt(
  { grid }: Pick<Seen, "grid">,
  { index }: Processor,
  position: number,
  { quarantine, probes }: CellFacts,
): EpochMs | null {
  const state = grid.states[index * grid.axis.length + position];
  // Rows that break a check do not mend themselves; those that are not there may come late.
  const mayComeLate = state === State.missing || state === State.partial;
  return quarantine === null || !mayComeLate ? null : (probes?.nextAt ?? null);
}

/** Whether the content of its own-date inputs changed since the last attempt. */
function haveInputsChanged(
  assessment: Seen,
  processor: Processor,
  position: number,
  facts: CellFacts,
): boolean {
  if (facts.lastInputs === null || assessment.now < facts.probeNotBefore) return false;
  const inputs = processor.edges.filter(({ window }) => window.kind === "same_date");
  return inputs
    .flatMap((edge) => upstreamsOf(assessment, edge))
    .some((upstream) => {
      const observed = assessment.sight.observed[upstream.index];
      const recorded = facts.lastInputs?.[upstream.name];
      if (observed === undefined || recorded === undefined) return false;
      if (failureAt(observed, assessment.grid.axis.first + position) !== null) return false;
      return recorded !== versionAt(observed, position);
    });
}
