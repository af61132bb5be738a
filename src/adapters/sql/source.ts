import { distance } from "fastest-levenshtein";
import { type DateColumnProblem, timeColumnHint } from "../../core/date-column.ts";
import type { ObservationFailure } from "../../core/observation.ts";

/** Something to select from: a table, a view or a query in parentheses. */
export interface Source {
  /** Ready for a FROM clause. */
  readonly sql: string;
  /** What a message calls it. */
  readonly label: string;
  /** By lower-case name: no warehouse tells columns apart by case. */
  readonly columns: ReadonlyMap<string, Column>;
  /** What it is, such as `a view`, where rows cannot be written to it. */
  readonly readOnly?: string;
}

export interface Column {
  readonly name: string;
  /** The warehouse's own name of the type, such as `TIMESTAMP WITH TIME ZONE` or `DATETIME`. */
  readonly type: string;
  /** Set where it is the time of a row's partition, which is cut to so much in UTC. */
  readonly cutTo?: string;
  /** The expression that fills it where an INSERT leaves it out. */
  readonly fallback?: string;
}

/** A source read by date. */
export interface DatedSource {
  readonly source: Source;
  /** The row's calendar date, an expression of type DATE. */
  readonly day: string;
  /** True for rows of the range that the filter lets through; never for a NULL date. */
  readonly condition: string;
  /** True for rows that the filter lets through, whatever their date. */
  readonly anyDay: string;
}

/** Why one thing cannot be observed while others can. */
export class Unobservable extends Error {
  readonly code: ObservationFailure["code"];
  /** What exists under a near name; null where nothing does. */
  readonly nearest: string | null;

  constructor(code: ObservationFailure["code"], message: string, nearest: string | null = null) {
    super(nearest === null ? message : `${message}; did you mean ${nearest}?`);
    this.name = "Unobservable";
    this.code = code;
    this.nearest = nearest;
  }
}

/** @throws Unobservable `not_found`, with the nearest name. */
export function columnOf(source: Source, name: string): Column {
  const column = source.columns.get(name.toLowerCase());
  if (column !== undefined) return column;
  const near = nearestName(name, [...source.columns.keys()]);
  const nearest = near === null ? null : (source.columns.get(near)?.name ?? near);
  throw new Unobservable("not_found", `${source.label} has no column ${name}`, nearest);
}

/** The candidate that is most like a name, whatever their case; null where none is near. */
export function nearestName(name: string, candidates: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  const best = candidates
    .map((candidate) => ({ candidate, edits: distance(candidate.toLowerCase(), wanted) }))
    .sort((one, other) => one.edits - other.edits)[0];
  return best !== undefined && best.edits <= Math.max(2, wanted.length / 3) ? best.candidate : null;
}

export function wrongDateColumn(
  column: Column,
  source: Source,
  { expected, hint }: DateColumnProblem,
): Unobservable {
  return new Unobservable(
    "query_failed",
    `${source.label}.${column.name}: expected a column ${expected}, found ${column.type}; ${hint}`,
  );
}

export function wrongTimeColumn(column: Column, source: Source): Unobservable {
  return new Unobservable(
    "query_failed",
    `${source.label}.${column.name}: expected a column of type TIMESTAMP or DATE, found ${column.type}; ${timeColumnHint(column.name, column.type)}`,
  );
}
