import type { Assessment } from "./assessment.ts";
import { dateAt } from "./grid.ts";
import type { Processor } from "./pipeline.ts";
import { nextProbeAt, probeOf } from "./probe.ts";
import type { CellFacts, QuarantineCause } from "./retry-policy.ts";
import { type EpochMs, formatInstant } from "./wall-clock.ts";

/** Why a cell was given up, what its attempts did, and when it is probed. */
export interface QuarantineDocument {
  readonly cause: QuarantineCause;
  readonly since: string;
  /** Attempts and probes that ended well, and the date had no rows. */
  readonly wrote_no_rows: number;
  /** Attempts and probes that ended well, and the rows were too few or wrong. */
  readonly wrote_too_little: number;
  readonly failed: number;
  /** Of the last one that failed; null where none did, or it ended too long ago. */
  readonly last_error: { readonly code: string; readonly message: string | null } | null;
  readonly next_probe_at: string | null;
  /** Null where it is not probed by the clock. */
  readonly probes_left: number | null;
}

/** Null where the cell is not quarantined. */
export function quarantineDocument(
  assessment: Assessment,
  processor: Processor,
  position: number,
): QuarantineDocument | null {
  const facts = assessment.facts.cellFacts(processor.index, assessment.grid.axis.first + position);
  const { quarantine, tried, probes } = facts;
  if (quarantine === null) return null;
  const nextAt = nextProbeAt(assessment, processor, position, facts);
  return {
    cause: quarantine.cause,
    since: formatInstant(quarantine.since),
    wrote_no_rows: tried.empty,
    wrote_too_little: tried.short,
    failed: tried.failed,
    last_error: lastError(assessment, facts),
    next_probe_at: nextAt === null ? null : formatInstant(nextAt),
    probes_left: probes?.left ?? null,
  };
}

function lastError(
  { facts }: Assessment,
  { tried: { lastFailure } }: CellFacts,
): QuarantineDocument["last_error"] {
  if (lastFailure === null) return null;
  const failure = facts.failureOf(lastFailure.repairId);
  const code = failure?.code ?? null;
  return code === null ? null : { code, message: failure?.message ?? null };
}

/** What happens next to a quarantined cell: what its attempts did, when it is probed, and what a person can do. */
export function quarantineNext(
  assessment: Assessment,
  processor: Processor,
  position: number,
): { readonly text: string; readonly at: EpochMs | null } {
  const { grid, facts } = assessment;
  const cell = facts.cellFacts(processor.index, grid.axis.first + position);
  const at = nextProbeAt(assessment, processor, position, cell);
  const date = dateAt(grid.axis, position);
  const command = `reconcile retry --processor ${processor.name} --start-date ${date} --end-date ${date}`;
  const probe = probeText(cell, at);
  return {
    text: `${causeText(assessment, cell, probe)}. Nothing more is tried until its inputs, its repair or its expectation change, or a person says: ${command}`,
    at,
  };
}

/** Why a quarantined cell is tried once more now. */
export function probeNow(assessment: Assessment, processor: Processor, position: number): string {
  const { grid, facts } = assessment;
  const cell = facts.cellFacts(processor.index, grid.axis.first + position);
  const { probes } = cell;
  if (probeOf(assessment, processor, position, cell) === "inputs" || probes === null)
    return "it is quarantined, and its inputs changed since, so it is tried once more";
  const did = causeText(assessment, cell, "");
  return `it is quarantined and probed now, ${probes.left} of ${probes.max} probes left: ${did}`;
}

function causeText(assessment: Assessment, cell: CellFacts, probe: string): string {
  const error = lastError(assessment, cell);
  const why =
    error === null ? "" : ` (${[error.code, error.message].filter((part) => part !== null).join(": ")})`;
  switch (cell.quarantine?.cause) {
    case "permanent_error":
      return `its repair said that trying again is of no use${why}`;
    case "made_worse":
      return "its repair left fewer rows or more violations than before";
    case "reopened":
      return "it was repaired and broke again 3 times in 7 days: something is fighting the repair";
    case "attempts_used_up":
    case undefined:
      return triedText(cell.tried, why, probe);
  }
}

/** Late, empty and broken dates look alike; what the attempts did tells them apart. */
function triedText({ empty, short, failed }: CellFacts["tried"], why: string, probe: string): string {
  const said = [
    ...(empty > 0 ? [`ended well and wrote no rows ${times(empty)}`] : []),
    ...(short > 0 ? [`ended well and left too few rows, or wrong ones, ${times(short)}`] : []),
    ...(failed > 0 ? [`failed ${times(failed)}${why}`] : []),
  ];
  const did = `its repair ${said.join(", and ")}`;
  const probed = probe === "" ? "" : `; ${probe}`;
  if (empty > 0 && short === 0 && failed === 0) {
    const late = probe === "" ? "the data may be late" : `the data may be late (${probe})`;
    return `${did}: ${late}, or there is nothing to write on this date: see rows.min: 0, completion_log, or reconcile waive`;
  }
  if (failed > 0) return `${did}${probed}`;
  return `${did}: its source may be incomplete yet, or the expectation asks for too much${probed}`;
}

function probeText({ probes }: CellFacts, at: EpochMs | null): string {
  if (probes === null) return "";
  if (at !== null) return `it is probed again at ${formatInstant(at)}, ${probes.left} of ${probes.max} left`;
  return probes.left === 0 && probes.max > 0
    ? `its ${probes.max === 1 ? "probe is" : `${probes.max} probes are`} used up`
    : "";
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
