import { type Assessment, scheduleOf } from "./assessment.ts";
import { keyCounts } from "./expectation.ts";
import { dateAt } from "./grid.ts";
import type { IsoDate } from "./iso-date.ts";
import type { Processor } from "./pipeline.ts";

/** Some keys of one date: how many there are, and the first of them in order. */
export interface KeyList {
  readonly count: number;
  readonly keys: readonly string[];
}

/** The keys that make a coverage fail on one date. */
export interface CoverageKeys {
  /** Those of the other side that are not here, nor excused. */
  readonly absent: KeyList;
  /** Those here that the other side lacks; null where the config ignores them. */
  readonly extra: KeyList | null;
}

/** So many keys of a date are named. */
export const keysNamedMax = 20;
const keyLengthMax = 80;

/** `a3, a5 and 12 more`. */
export function keysText({ count, keys }: KeyList): string {
  const named = keys.map((key) => (key.length > keyLengthMax ? `${key.slice(0, keyLengthMax)}…` : key));
  const more = count - named.length;
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
}

/** Keys as scripts read them. */
export interface KeysDocument {
  readonly count: number;
  /** The first twenty in order; null where they were not asked for. */
  readonly keys: readonly string[] | null;
}

export interface CoverageDocument {
  readonly absent: KeysDocument;
  /** Null where the config ignores them. */
  readonly extra: KeysDocument | null;
}

/** How many keys are absent and extra on a date, without their names; null without a coverage, or where nothing was seen. */
export function coverageDocument(
  assessment: Assessment,
  processor: Processor,
  position: number,
): CoverageDocument | null {
  const judge = assessment.compiled.judges[processor.index];
  const seen = assessment.sight.observed[processor.index];
  const entry = seen?.entries[position] ?? -1;
  const isScheduled = scheduleOf(assessment, processor.index).scheduled[position] === 1;
  if (judge === undefined || seen === undefined || entry < 0 || !isScheduled) return null;
  const counts = keyCounts(judge, seen.profile, entry);
  if (counts === null) return null;
  const { absent, extra } = counts;
  return {
    absent: { count: absent, keys: null },
    extra: extra === null ? null : { count: extra, keys: null },
  };
}

/** Whether there is a key to name. */
export function hasKeys(coverage: CoverageDocument | null): coverage is CoverageDocument {
  return coverage !== null && (coverage.absent.count > 0 || (coverage.extra?.count ?? 0) > 0);
}

/** Dates of a processor with keys that the other side of its coverage lacks, where that is reported and no gap. */
export interface ExtraKeysDocument {
  readonly processor: string;
  readonly dates: number;
  /** Of all these dates together; a key counts once for each. */
  readonly keys: number;
  readonly start_date: IsoDate;
  readonly end_date: IsoDate;
}

/** By processor; those without any are left out. */
export function extraKeysOf(
  assessment: Assessment,
  processors: readonly Processor[],
): readonly ExtraKeysDocument[] {
  const { axis, selection } = assessment.grid;
  return processors.flatMap((processor): readonly ExtraKeysDocument[] => {
    const { coverage } = processor.expect;
    if (coverage === null || coverage.extra !== null) return [];
    const found: number[] = [];
    let keys = 0;
    for (let position = selection.from; position <= selection.to; position++) {
      const extra = coverageDocument(assessment, processor, position)?.extra?.count ?? 0;
      if (extra === 0) continue;
      found.push(position);
      keys += extra;
    }
    const [first, last] = [found[0], found.at(-1)];
    if (first === undefined || last === undefined) return [];
    const range = { start_date: dateAt(axis, first), end_date: dateAt(axis, last) };
    return [{ processor: processor.name, dates: found.length, keys, ...range }];
  });
}
