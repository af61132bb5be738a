import { isAccepted } from "../core/assess.ts";
import type { Assessment } from "../core/assessment.ts";
import type { ResultDocument } from "../core/result-document.ts";

/** Converged, or for a plan: no gap. */
const exitConverged = 0;
/** An error, or something could not be observed. */
export const exitError = 1;
/** Gaps remain, whatever their disposition. */
export const exitGaps = 2;

/** What a run exits with once it ended by itself. */
export function exitCodeOf(document: ResultDocument, assessment: Assessment, gapsExitCode: number): number {
  const info = new Set(
    assessment.grid.pipeline.processors.filter(({ severity }) => severity === "info").map(({ name }) => name),
  );
  const counts = ({ processor }: { readonly processor: string }) => !info.has(processor);
  if (document.unknown.some(counts) || assessment.breakers.scheduleFaults.size > 0) return exitError;
  if (document.gaps.some(counts) || !isAccepted(assessment)) return gapsExitCode;
  return exitConverged;
}
