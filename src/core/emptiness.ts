import { State, type StateName } from "./grid.ts";
import { type Expectation, tableText } from "./pipeline.ts";

/** The cell of another processor, on the same date, that an expectation refers to. */
export interface OtherCell {
  readonly name: string;
  /** Where a forecast assumes that it is repaired, at least what it requires. */
  readonly rows: number;
  readonly state: StateName;
  /**
   * `met`: it meets its expectation, or is not scheduled. `assumed`: a forecast takes it for repaired, so that what counts its
   * rows is outdated. `unknown`: it could not be observed. `circular`: it refers back, so that neither can prove the other.
   */
  readonly standing: "met" | "assumed" | "unmet" | "unknown" | "circular";
}

/** The other cells, by the part of the expectation that refers to them. */
export interface Others {
  readonly when: OtherCell | null;
  readonly perEntity: OtherCell | null;
  /** Null for the schedule too, which has no cells. */
  readonly coverage: OtherCell | null;
}

export const noOthers: Others = { when: null, perEntity: null, coverage: null };

/** Whether a date without rows can be complete. */
export function mayBeEmpty({ rows }: Expectation): boolean {
  return rows.min === 0 || rows.when !== null || rows.completionLog !== null;
}

/** Whether an empty date is judged by the numbers of other tables, so that a profile has to carry them for it. */
export function asksOthers({ rows }: Expectation): boolean {
  return rows.min === 0;
}

/** Whether the row requirement applies: only a cell that is complete and has too few rows lifts it. */
export function rowsApply({ rows }: Expectation, others: Others): boolean {
  const { when: other } = others;
  return rows.when === null || other === null || !isProven(other) || other.rows >= rows.when.min;
}

function isProven({ standing }: OtherCell): boolean {
  return standing === "met" || standing === "assumed";
}

/** `min: 0` with `when` asks for a row where `when` applies, unless another part of the expectation says how many. */
export function impliedRows(expect: Expectation, others: Others): number {
  const { rows, coverage } = expect;
  const isSaid = rows.perUnit !== null || rows.perEntity !== null || coverage !== null;
  return rows.when !== null && !isSaid && rowsApply(expect, others) ? 1 : 0;
}

/** What is known of a date without rows. */
export interface EmptyDate {
  readonly expect: Expectation;
  /** Null where they are not known: then nothing that refers to them is proven. */
  readonly others: Others | null;
  /** Rows that the expectation asks for. */
  readonly required: number;
  /** Entities that `per_entity` counts; 0 without it. */
  readonly entities: number;
  /** Keys that the coverage asks for, and whether it holds without any of them; null without one. */
  readonly coverage: { readonly keys: number; readonly holds: boolean } | null;
  /** Entries of the completion log, and the most rows that one of them speaks of (NaN: none does); null without a log. */
  readonly log: { readonly entries: number; readonly rows: number } | null;
}

/** Why a date without rows is complete, missing, pending or unknown. */
export type EmptyVerdict =
  | { readonly kind: "logged" | "not_logged" | "nothing_asked" | "none_of_none" }
  | { readonly kind: "logged_rows"; readonly rows: number }
  | { readonly kind: "rows_required"; readonly other: OtherCell | null }
  | { readonly kind: "keys_required" }
  | {
      readonly kind: "not_applicable" | "other_unmet" | "awaited" | "other_unknown";
      readonly other: OtherCell;
    };

/**
 * Judges a date without rows. The completion log is direct evidence and decides first. Otherwise each part of the
 * expectation has to ask for nothing, and a part that refers to another cell asks for nothing only while that cell is
 * complete: a date that the other table has lost has no rows either. Such a date is a gap, but for `when`, which asks for
 * nothing before the other cell has rows: it waits for that cell.
 */
export function judgeEmpty(date: EmptyDate): EmptyVerdict {
  const { expect, log } = date;
  const { rows, coverage } = expect;
  if (log !== null && log.entries > 0) {
    if (rows.completionLog?.rowsColumn === null || log.rows === 0) return { kind: "logged" };
    if (log.rows > 0) return { kind: "logged_rows", rows: log.rows };
  }
  if (rows.min > 0 && rows.when === null) {
    return log === null ? { kind: "rows_required", other: null } : { kind: "not_logged" };
  }
  const refers = rows.when !== null || rows.perEntity !== null || coverage?.of.kind === "processor";
  if (date.others === null && refers) return { kind: "rows_required", other: null };
  const others = date.others ?? noOthers;
  const objections = [rowsObjection(date, others), coverageObjection(date, others)];
  const [objection = null] = objections
    .filter((verdict) => verdict !== null)
    .toSorted((a, b) => rank(a) - rank(b));
  if (objection !== null) return objection;
  const { when, perEntity } = others;
  if (when !== null && !rowsApply(expect, others)) return { kind: "not_applicable", other: when };
  if (perEntity !== null || coverage !== null) return { kind: "none_of_none" };
  return { kind: log === null ? "nothing_asked" : "not_logged" };
}

/** What is certainly expected goes before what depends on another cell. */
function rank({ kind }: EmptyVerdict): number {
  return kind === "other_unknown" ? 2 : kind === "awaited" ? 1 : 0;
}

/** Why the row requirement is not met without rows; null where it is. */
function rowsObjection({ expect, required, entities }: EmptyDate, others: Others): EmptyVerdict | null {
  if (!rowsApply(expect, others)) return null;
  const { when, perEntity } = others;
  if (required === 0) return perEntity === null ? null : unproven(perEntity);
  if (when !== null && !isProven(when)) {
    const awaits = when.rows < (expect.rows.when?.min ?? 1);
    if (when.standing === "unknown") return { kind: "other_unknown", other: when };
    if (awaits) return { kind: when.standing === "circular" ? "other_unmet" : "awaited", other: when };
  }
  return { kind: "rows_required", other: entities > 0 ? perEntity : when };
}

function coverageObjection({ coverage }: EmptyDate, others: Others): EmptyVerdict | null {
  if (coverage === null) return null;
  if (coverage.keys > 0) return coverage.holds ? null : { kind: "keys_required" };
  return others.coverage === null ? null : unproven(others.coverage);
}

/** Why it is not proven that a cell asks for nothing; null where it is. */
function unproven(other: OtherCell): EmptyVerdict | null {
  if (other.standing === "met") return null;
  if (other.standing === "assumed") return other.rows > 0 ? { kind: "rows_required", other } : null;
  return { kind: other.standing === "unknown" ? "other_unknown" : "other_unmet", other };
}

/** The state of a date without rows, as a code of `State`; pending waits for the other cell. */
export function emptyState({ kind }: EmptyVerdict): number {
  switch (kind) {
    case "logged":
    case "nothing_asked":
    case "none_of_none":
    case "not_applicable":
      return State.complete;
    case "other_unknown":
      return State.unknown;
    case "awaited":
      return State.pending;
    case "not_logged":
    case "logged_rows":
    case "rows_required":
    case "keys_required":
    case "other_unmet":
      return State.missing;
  }
}

/** Whether rows are expected, and why, as a sentence without its end. */
export function emptyText(verdict: EmptyVerdict, expect: Expectation): string {
  const { rows, coverage } = expect;
  const log = rows.completionLog === null ? "" : `the completion log ${tableText(rows.completionLog.table)}`;
  const coverageName = coverage?.of.kind === "processor" ? coverage.of.name : "the schedule";
  switch (verdict.kind) {
    case "logged":
      return rows.completionLog?.rowsColumn === null
        ? `no rows, and none expected: ${log} has an entry for this date`
        : `no rows, and none expected: ${log} says that 0 rows were written`;
    case "nothing_asked":
      return "no rows, and none expected: rows.min is 0 and nothing else is asked for";
    case "none_of_none": {
      const said = [
        ...(rows.perEntity === null ? [] : [noneText(rows.perEntity.of, rows.perEntity.key)]),
        ...(coverage === null ? [] : [noneText(coverageName, coverage.ofKey)]),
      ];
      return `no rows, and none expected: ${[...new Set(said)].join(", ")}`;
    }
    case "not_applicable": {
      const fewer = (rows.when?.min ?? 1) > 1 ? `, fewer than ${rows.when?.min} (rows.when)` : "";
      return `no rows, and none expected: ${countText(verdict.other)}${fewer}`;
    }
    case "logged_rows":
      return `rows are expected: ${log} says that ${verdict.rows} were written`;
    case "not_logged":
      return `rows are expected: ${log} has no entry that says that 0 rows were written`;
    case "rows_required":
      return verdict.other === null ? "rows are expected" : `rows are expected: ${countText(verdict.other)}`;
    case "keys_required":
      return `rows are expected: ${coverageName} has ${coverage?.ofKey ?? "keys"}`;
    case "awaited":
    case "other_unmet": {
      const { name, state, standing } = verdict.other;
      return standing === "circular"
        ? `whether rows are expected depends on ${name}, and that depends on this table: neither proves the other`
        : `whether rows are expected depends on ${name}, which is ${state} on this date`;
    }
    case "other_unknown":
      return `whether rows are expected depends on ${verdict.other.name}, which could not be observed`;
  }
}

function noneText(name: string, key: string | null): string {
  return key === null ? `${name} has 0 rows` : `${name} has no ${key}`;
}

function countText({ name, rows }: OtherCell): string {
  return `${name} has ${rows} ${rows === 1 ? "row" : "rows"}`;
}
