import { type Assessment, cellContext, scheduleOf } from "./assessment.ts";
import { emptyText, type EmptyVerdict, mayBeEmpty } from "./emptiness.ts";
import { emptyVerdict } from "./expectation.ts";
import type { ObservationFailure } from "./observation.ts";
import { failureAt, rowsAt } from "./observed.ts";
import type { Processor } from "./pipeline.ts";

/** Whether rows are expected in a scheduled cell that was seen without any; null elsewhere, and where they always are. */
export function emptyCell(
  assessment: Assessment,
  processor: Processor,
  position: number,
): { readonly verdict: EmptyVerdict; readonly text: string } | null {
  const { sight, compiled, grid } = assessment;
  const observed = sight.observed[processor.index];
  const judge = compiled.judges[processor.index];
  if (observed === undefined || judge === undefined || !mayBeEmpty(processor.expect)) return null;
  if (scheduleOf(assessment, processor.index).scheduled[position] !== 1) return null;
  if (failureAt(observed, grid.axis.first + position) !== null || rowsAt(observed, position) > 0) return null;
  const entry = observed.entries[position] ?? -1;
  const context = cellContext(assessment, processor.index, position);
  const verdict = emptyVerdict(judge, observed.profile, entry, context);
  return { verdict, text: emptyText(verdict, processor.expect) };
}

/** Why an unknown cell is not known: it could not be observed, or what tells whether it may be empty could not. */
export function unknownFailure(
  assessment: Assessment,
  processor: Processor,
  position: number,
): ObservationFailure {
  const { sight, grid, compiled } = assessment;
  const observed = sight.observed[processor.index];
  const day = grid.axis.first + position;
  const own = observed === undefined ? null : failureAt(observed, day);
  if (own !== null) return own;
  const empty = emptyCell(assessment, processor, position);
  if (empty === null || empty.verdict.kind !== "other_unknown") {
    return { code: "query_failed", message: "it was not observed" };
  }
  const other = sight.observed[compiled.byName.get(empty.verdict.other.name)?.index ?? -1];
  const failure = other === undefined ? null : failureAt(other, day);
  const why = failure === null ? "" : `: ${failure.message}`;
  return { code: failure?.code ?? "query_failed", message: `no rows, and ${empty.text}${why}` };
}
