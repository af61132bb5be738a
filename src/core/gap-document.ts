import { type CoverageDocument, coverageDocument } from "./coverage-keys.ts";
import { type Assessment, cellContext } from "./assessment.ts";
import { allowedRows, failedRequirements, requiredRows, round } from "./expectation.ts";
import {
  dateAt,
  type DispositionName,
  dispositionName,
  reasonName,
  type StateName,
  stateName,
} from "./grid.ts";
import type { IsoDate } from "./iso-date.ts";
import type { Processor } from "./pipeline.ts";
import { type QuarantineDocument, quarantineDocument } from "./quarantine.ts";
import type { CellFacts } from "./retry-policy.ts";
import { rootCauses } from "./root-causes.ts";
import { formatInstant } from "./wall-clock.ts";

export interface GapDocument {
  readonly processor: string;
  readonly date: IsoDate;
  readonly state: StateName;
  readonly disposition: DispositionName;
  readonly reason: string;
  readonly observed: ObservedDocument;
  readonly expected: ExpectedDocument;
  readonly failed_checks: readonly string[];
  /** Of a coverage: the keys that are absent and extra; null without one, or where nothing was seen. */
  readonly coverage: CoverageDocument | null;
  readonly root_causes: readonly { readonly processor: string; readonly date: IsoDate }[];
  readonly degraded: boolean;
  readonly attempts: number;
  /** When it is tried again, after a backoff or by a probe; null where that is not known. */
  readonly next_attempt_at: string | null;
  /** Null where it was not given up. */
  readonly quarantine: QuarantineDocument | null;
}

export interface ObservedDocument {
  readonly rows: number;
  readonly entities: number | null;
}

export interface ExpectedDocument {
  readonly rows_min: number;
  readonly rows_max: number | null;
}

/** When a gap is tried again by itself. */
function nextAttemptAt(
  disposition: DispositionName,
  { notBefore }: CellFacts,
  quarantine: QuarantineDocument | null,
): string | null {
  if (disposition === "backing_off") return formatInstant(notBefore);
  return disposition === "quarantined" ? (quarantine?.next_probe_at ?? null) : null;
}

/** What is said of one gap, at its position on the axis. */
export function gapDocument(assessment: Assessment, processor: Processor, position: number): GapDocument {
  const { grid, facts, sight } = assessment;
  const cell = processor.index * grid.axis.length + position;
  const disposition = dispositionName(grid.dispositions[cell] ?? 0);
  const cellFacts = facts.cellFacts(processor.index, grid.axis.first + position);
  const judge = assessment.compiled.judges[processor.index];
  const seen = sight.observed[processor.index];
  const context = cellContext(assessment, processor.index, position);
  const entry = seen?.entries[position] ?? -1;
  const entities = entry < 0 ? Number.NaN : (seen?.profile.entities[entry] ?? Number.NaN);
  const allowed = allowedRows(processor.expect, context);
  const failed =
    judge === undefined || seen === undefined ? [] : failedRequirements(judge, seen.profile, entry, context);
  const quarantine = quarantineDocument(assessment, processor, position);
  return {
    processor: processor.name,
    date: dateAt(grid.axis, position),
    state: stateName(grid.states[cell] ?? 0),
    disposition,
    reason: reasonName(grid.reasons[cell] ?? 0),
    observed: {
      rows: entry < 0 ? 0 : (seen?.profile.rows[entry] ?? 0),
      entities: Number.isNaN(entities) ? null : entities,
    },
    expected: {
      rows_min:
        judge === undefined || seen === undefined
          ? 0
          : round(requiredRows(judge, seen.profile, entry, context)),
      rows_max: Number.isFinite(allowed) ? round(allowed) : null,
    },
    failed_checks: failed.map(({ name }) => name),
    coverage: coverageDocument(assessment, processor, position),
    root_causes:
      disposition === "blocked"
        ? rootCauses(assessment, { processor, position }).map((root) => ({
            processor: root.processor.name,
            date: dateAt(grid.axis, root.position),
          }))
        : [],
    degraded: grid.degraded[cell] === 1,
    attempts: cellFacts.charged,
    next_attempt_at: nextAttemptAt(disposition, cellFacts, quarantine),
    quarantine,
  };
}
