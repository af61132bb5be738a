import type { DateColumn } from "../../core/date-column.ts";
import type { Processor, ScheduleSpec, TableName } from "../../core/pipeline.ts";
import { named } from "../sql/arm-context.ts";

/** One reading of a table by date. */
export interface Read extends DateColumn {
  readonly table: TableName;
  readonly where: string | null;
}

/** What the profile of a processor reads: its own table first, then what its expectation refers to. */
export interface Reads {
  readonly tables: readonly Read[];
  /** Whether it reads nothing else, and nothing that differs from moment to moment. */
  readonly isWhole: boolean;
}

/** @param processors, schedules all of the pipeline */
export function readsOf(
  processor: Processor,
  processors: readonly Processor[],
  schedules: readonly ScheduleSpec[],
): Reads {
  const { rows, coverage, checks, measures } = processor.expect;
  const tables: Read[] = [processor];
  if (rows.perEntity !== null) tables.push(named(processors, rows.perEntity.of, "processor"));
  if (rows.completionLog !== null) tables.push(rows.completionLog);
  if (coverage?.of.kind === "processor") tables.push(named(processors, coverage.of.name, "processor"));
  if (coverage !== null && coverage.excusedBy !== null) tables.push(coverage.excusedBy);
  const schedule =
    coverage?.of.kind === "schedule" ? named(schedules, processor.schedule, "schedule").source : null;
  if (schedule?.kind === "table") tables.push(schedule);
  const fragments = [...tables.map(({ where }) => where), ...[...checks, ...measures].map(({ sql }) => sql)];
  return {
    tables,
    // Which tables a query of a user reads is not known.
    isWhole: schedule?.kind !== "query" && fragments.every(isRepeatable),
  };
}

/** A FROM that begins no reading. */
const harmlessFrom = /\bextract\s*\(\s*\w+(?:\s*\(\s*\w+\s*\))?\s+from\b|\bdistinct\s+from\b/gi;
/** What reads another table, the clock or chance, and functions of the user's own, which may do so. */
const unrepeatable =
  /\bselect\b|\bfrom\b|\bcurrent_|\bsession_user\b|\brand\s*\(|\bgenerate_uuid\b|@@|(?<!\b(?:safe|net|keys|aead|hll_count))\s*\.\s*`?\w+`?\s*\(/i;

/** Whether a user's SQL gives the same for the same rows. Where that is not certain it is said not to, which costs bytes alone. */
export function isRepeatable(fragment: string | null): boolean {
  return fragment === null || !unrepeatable.test(fragment.replaceAll(harmlessFrom, "("));
}
