import { alignSight, type AssessInput, type CompiledPipeline, positionsOf } from "../core/assessment.ts";
import type { Selection } from "../core/grid.ts";
import { toDay } from "../core/iso-date.ts";
import { foldLedger, type InFlight } from "../core/ledger-facts.ts";
import type { LedgerRecords } from "../core/ledger-records.ts";
import type { Observations } from "../core/observation.ts";
import { firstKnownDay } from "../core/off-schedule.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Axis } from "../core/schedule.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { type SelectionSpec, selectedPositions } from "./selection.ts";

/** What is known at a moment, and what is to be made of it. */
export interface AssessedKnowledge {
  readonly compiled: CompiledPipeline;
  readonly observations: Observations;
  readonly records: LedgerRecords;
  /** Runs that are decided on and not on record yet. */
  readonly starting: number;
  /** Billed since the last record of it. */
  readonly scanBytes: number;
  readonly inFlight: readonly InFlight[];
  readonly now: EpochMs;
  /** As in `RunPolicy`. */
  readonly horizon: EpochMs;
  readonly maxAgeMs: number | null;
  readonly wanted: readonly SelectionSpec[];
  readonly selection: SelectionSpec;
}

/** @throws ReconcilerError `usage` where the selection holds no date that is looked at */
export function assessInput(known: AssessedKnowledge): AssessInput {
  const { compiled, observations, inFlight, now, horizon, maxAgeMs, selection } = known;
  const { pipeline } = compiled;
  const last = selection.endDate === null ? undefined : toDay(selection.endDate);
  const { startsLast24h, scanBytesLast24h } = known.records;
  const records = {
    ...known.records,
    startsLast24h: startsLast24h + known.starting,
    scanBytesLast24h: scanBytesLast24h + known.scanBytes,
  };
  const facts = foldLedger(pipeline, records, now);
  const sight = alignSight(compiled, observations, now, last, firstKnownDay(compiled, facts));
  const wanted = known.wanted.map((spec) => wantedOf(pipeline, spec, sight.axis));
  return {
    compiled,
    sight,
    facts,
    inFlight,
    now,
    policy: { maxAgeMs, wanted, horizon, ignoreBackoff: false },
    selection: {
      processors: selectedProcessors(pipeline, selection),
      ...selectedPositions(selection, sight.axis),
    },
    assumed: null,
  };
}

/** What another process wants may lie where this one does not look: that selects nothing. */
function wantedOf(pipeline: Pipeline, spec: SelectionSpec, axis: Axis): Selection {
  const processors = selectedProcessors(pipeline, spec);
  return { processors, ...positionsOf(axis, spec.startDate, spec.endDate) };
}

function selectedProcessors(
  { processors }: Pipeline,
  { processors: names }: SelectionSpec,
): ReadonlySet<number> {
  const selected = processors.filter(({ name }) => names === null || names.includes(name));
  return new Set(selected.map(({ index }) => index));
}
