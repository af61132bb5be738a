import { isConverged } from "./assess.ts";
import { type Assessment, scheduleOf } from "./assessment.ts";
import { dateAt, exemptReasons, type ReasonName } from "./grid.ts";
import type { IsoDate } from "./iso-date.ts";
import { metricsOf } from "./observation.ts";
import type { Processor } from "./pipeline.ts";
import { seasonAt } from "./schedule.ts";
import { formatInstant } from "./wall-clock.ts";
import { type Category, categoryAt, pastOf, type ReportBefore } from "./report-past.ts";

/** How complete a pipeline is, season by season and phase by phase, and how complete it was before. */
export interface ReportDocument {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly as_of: string;
  /** What it is compared with; null where there is nothing to compare with. */
  readonly before_as_of: string | null;
  /** Whether the record does not reach back so far, so that more may have been repaired than is counted. */
  readonly before_is_partial: boolean;
  readonly range: { readonly start_date: IsoDate; readonly end_date: IsoDate };
  readonly converged: boolean;
  readonly total: ReportEntry;
  readonly seasons: readonly SeasonReport[];
}

export interface ReportEntry {
  readonly before: ReportCounts | null;
  readonly after: ReportCounts;
  readonly quality: ReportQuality | null;
}

export interface SeasonReport extends ReportEntry {
  /** Empty where the schedule names none. */
  readonly season: string;
  readonly start_date: IsoDate;
  readonly end_date: IsoDate;
  readonly phases: readonly PhaseReport[];
}

export interface PhaseReport extends ReportEntry {
  readonly phase: string | null;
  readonly processors: readonly (ReportEntry & { readonly processor: string })[];
}

/** `expected` is the sum of the others. */
export interface ReportCounts {
  /** Cells of the schedule. */
  readonly expected: number;
  readonly complete: number;
  readonly exempt: Readonly<Partial<Record<ReasonName, number>>>;
  readonly pending: number;
  readonly unknown: number;
  readonly gaps: number;
  /** Share of the cells that are neither exempt nor pending, 0–1; null where there is none. */
  readonly coverage: number | null;
}

export interface ReportQuality {
  /** Mean of the share of good rows, 0–1, over the cells that have rows and a quality column. */
  readonly mean_good_share: number;
  readonly cells: number;
}

export interface ReportInput {
  readonly assessment: Assessment;
  readonly target: string | null;
  readonly before: ReportBefore | null;
}

export function completionReport({ assessment, target, before }: ReportInput): ReportDocument {
  const { grid } = assessment;
  const stateBefore = before === null ? null : pastOf(assessment, before);
  const seasons = new Map<string, SeasonTally>();
  const total = newTally();
  for (const processor of grid.pipeline.processors) {
    if (!grid.selection.processors.has(processor.index)) continue;
    const goodShare = goodShareOf(assessment, processor);
    const schedule = scheduleOf(assessment, processor.index);
    for (let position = grid.selection.from; position <= grid.selection.to; position++) {
      const now = categoryAt(assessment, processor, position);
      if (now === null) continue;
      const was = stateBefore?.(processor, position, now) ?? null;
      const name = schedule.seasons[seasonAt(schedule, position)]?.name ?? "";
      const season = seasonTally(seasons, name, position);
      for (const tally of [
        total,
        season.total,
        phaseTally(season, processor).total,
        processorTally(season, processor),
      ]) {
        count(tally, now, was, goodShare(position));
      }
    }
  }
  const entry = (tally: Tally) => entryOf(tally, before !== null);
  return {
    schema_version: 1,
    pipeline: grid.pipeline.name,
    target,
    as_of: formatInstant(grid.now),
    before_as_of:
      before === null ? null : formatInstant(before.kind === "ledger" ? before.since : before.assessment.now),
    before_is_partial: before?.kind === "ledger" && before.isPartial,
    range: {
      start_date: dateAt(grid.axis, grid.selection.from),
      end_date: dateAt(grid.axis, Math.max(grid.selection.from, grid.selection.to)),
    },
    converged: isConverged(assessment),
    total: entry(total),
    seasons: [...seasons]
      .toSorted(([, a], [, b]) => a.first - b.first)
      .map(([season, tally]) => ({
        season,
        start_date: dateAt(grid.axis, tally.first),
        end_date: dateAt(grid.axis, tally.last),
        ...entry(tally.total),
        phases: [...tally.phases.values()].map((phase) => ({
          phase: phase.name,
          ...entry(phase.total),
          processors: [...phase.processors].map(([processor, of]) => ({ processor, ...entry(of) })),
        })),
      })),
  };
}

interface Tally {
  readonly before: CountTally;
  readonly after: CountTally;
  goodShares: number;
  goodShareCells: number;
}

interface CountTally {
  complete: number;
  pending: number;
  unknown: number;
  gaps: number;
  readonly exempt: Map<ReasonName, number>;
}

interface PhaseTally {
  readonly name: string | null;
  readonly total: Tally;
  readonly processors: Map<string, Tally>;
}

interface SeasonTally {
  readonly total: Tally;
  readonly phases: Map<string | null, PhaseTally>;
  first: number;
  last: number;
}

function newCounts(): CountTally {
  return { complete: 0, pending: 0, unknown: 0, gaps: 0, exempt: new Map() };
}

function newTally(): Tally {
  return { before: newCounts(), after: newCounts(), goodShares: 0, goodShareCells: 0 };
}

function seasonTally(seasons: Map<string, SeasonTally>, name: string, position: number): SeasonTally {
  const season = seasons.get(name) ?? {
    total: newTally(),
    phases: new Map(),
    first: position,
    last: position,
  };
  seasons.set(name, season);
  season.first = Math.min(season.first, position);
  season.last = Math.max(season.last, position);
  return season;
}

function phaseTally({ phases }: SeasonTally, { phase: name }: Processor): PhaseTally {
  const phase = phases.get(name) ?? { name, total: newTally(), processors: new Map() };
  phases.set(name, phase);
  return phase;
}

function processorTally(season: SeasonTally, processor: Processor): Tally {
  const { processors } = phaseTally(season, processor);
  const tally = processors.get(processor.name) ?? newTally();
  processors.set(processor.name, tally);
  return tally;
}

function count(tally: Tally, now: Category, was: Category | null, goodShare: number): void {
  countOne(tally.after, now);
  if (was !== null) countOne(tally.before, was);
  if (Number.isNaN(goodShare)) return;
  tally.goodShares += goodShare;
  tally.goodShareCells++;
}

function countOne(counts: CountTally, category: Category): void {
  if (typeof category === "object") {
    counts.exempt.set(category.exempt, (counts.exempt.get(category.exempt) ?? 0) + 1);
  } else if (category === "gap") counts.gaps++;
  else counts[category]++;
}

function entryOf(tally: Tally, hasBefore: boolean): ReportEntry {
  const { goodShares, goodShareCells } = tally;
  return {
    before: hasBefore ? countsOf(tally.before) : null,
    after: countsOf(tally.after),
    quality:
      goodShareCells === 0
        ? null
        : { mean_good_share: share(goodShares, goodShareCells), cells: goodShareCells },
  };
}

function countsOf({ complete, pending, unknown, gaps, exempt }: CountTally): ReportCounts {
  const counting = complete + unknown + gaps;
  const exempted = [...exempt.values()].reduce((sum, value) => sum + value, 0);
  return {
    expected: counting + pending + exempted,
    complete,
    exempt: Object.fromEntries(
      exemptReasons.flatMap((reason) => (exempt.has(reason) ? [[reason, exempt.get(reason) ?? 0]] : [])),
    ),
    pending,
    unknown,
    gaps,
    coverage: counting === 0 ? null : share(complete, counting),
  };
}

/** Four decimals, rounded down: one gap in a million is not complete. */
function share(part: number, whole: number): number {
  return Math.floor((part / whole) * 10_000 + 1e-9) / 10_000;
}

/** The share of good rows of a date; NaN where there is no quality column, or nothing to judge. */
function goodShareOf({ sight }: Assessment, processor: Processor): (position: number) => number {
  const { quality } = processor.expect;
  const seen = sight.observed[processor.index];
  if (quality === null || seen === undefined) return () => Number.NaN;
  const column = metricsOf(processor.expect).findIndex(
    (metric) => metric.kind === "quality_at_least" && metric.min === quality.good,
  );
  return (position) => {
    const entry = seen.entries[position] ?? -1;
    const rows = seen.profile.rows[entry] ?? 0;
    return rows === 0 ? Number.NaN : (seen.profile.metrics[column]?.[entry] ?? Number.NaN) / rows;
  };
}
