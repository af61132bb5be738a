import type { DateColumn } from "../../core/date-column.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { Column, DatedSource, Source } from "./source.ts";
import type { LoadSql } from "./sql-files.ts";

/** What the SQL of an arm looks like in one warehouse. */
export interface ArmDialect {
  readonly loadSql: LoadSql;
  quoteIdentifier(name: string): string;
  /** A user's expression in parentheses that it cannot leave. */
  enclose(fragment: string): string;
  /** Epoch milliseconds of an aggregate of a time column. @throws Unobservable where its type has none. */
  epochMs(aggregate: "min" | "max", column: Column, source: Source, columnTimezone: string | null): string;
  /** How many rows of a group fulfil a condition. */
  countIf(condition: string): string;
  /** The value as a double. */
  toFloat(expression: string): string;
  /** A whole number that is a column of a union. */
  toInteger(expression: string): string;
  /** Days since 1970-01-01 of an expression of type DATE. */
  dayNumber(day: string): string;
  /** Rows of a group beyond the first of each key, where NULL equals NULL. There is at least one column. */
  excessRows(columns: readonly Column[]): string;
  /** True where a number is at least `minimum`; never for NaN, which no order is good for. */
  atLeast(column: Column, minimum: number): string;
  /** The name of a result column, quoted, that tells a person what it holds; `place` tells those apart that read the same. */
  label(text: string, place: number): string;
}

/** How an arm counts the rows of its table that are outside of the dates that it profiles. */
export type OutsideCount =
  | { readonly kind: "none" }
  /** In the same pass, which groups the whole table: each other date has a row of its own in the result. */
  | { readonly kind: "same_pass" }
  /** By a second reading of the date column under a condition of its own. */
  | { readonly kind: "apart"; readonly dated: ArmContext["dated"] };

/** What an arm may refer to besides its own table. */
export interface ArmContext {
  readonly dialect: ArmDialect;
  tableOf(table: Processor["table"]): Source;
  /** What stands for the table of the processor that is profiled, such as the rows that a repair has staged for it. */
  readonly staged?: Source;
  processor(name: string): Processor;
  /** The schedule's source, date column and filter. @throws Unobservable for a calendar. */
  schedule(name: string): DateColumn & { readonly source: Source; readonly where: string | null };
  /** A source within the dates that are asked for. @throws Unobservable where the column cannot carry a date. */
  dated(source: Source, date: DateColumn, where: string | null): DatedSource;
  readonly outside: OutsideCount;
}
