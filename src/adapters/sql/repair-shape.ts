import type { RefusedDate } from "../../core/audit.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { Processor, TableName } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { RepairProblem, ReplaceRequest, SqlRepair } from "../../reconcile/ports.ts";
import { columnOf, type Column, type Source, Unobservable } from "./source.ts";

/** @throws ReconcilerError `repair_contract` where there is no such table, or rows cannot be written to it. */
export function targetOf(catalog: { table(name: TableName): Source }, repair: SqlRepair): Source {
  const target = found(catalog, repair);
  if (target.readOnly === undefined) return target;
  throw broken(
    repair,
    `expected ${target.label} to be a table, found ${target.readOnly}`,
    "name the table that the rows are stored in, or repair it with a command",
  );
}

function found(catalog: { table(name: TableName): Source }, repair: SqlRepair): Source {
  try {
    return catalog.table(repair.processor.table);
  } catch (error) {
    if (!(error instanceof Unobservable)) throw error;
    throw broken(repair, error.message, "create the table that the repair is to fill", error);
  }
}

/** What a SELECT may be told of its dates. */
const parameterNames: ReadonlySet<string> = new Set(["start_date", "end_date", "end_date_exclusive"]);

/** @throws ReconcilerError `repair_contract` where there are parameters other than the dates. */
export function checkParameterNames(names: readonly string[], repair: SqlRepair): void {
  const unknown = names.filter((name) => !parameterNames.has(name));
  if (unknown.length === 0) return;
  throw broken(
    repair,
    `expected no parameters but $start_date, $end_date and $end_date_exclusive, found ${unknown.map((name) => `$${name}`).join(", ")}`,
    "use $start_date and $end_date, both included, or $end_date_exclusive, the day after",
  );
}

/** The columns of a target, by whether a SELECT fills them. */
export interface FilledColumns {
  readonly filled: readonly Column[];
  /** They get their default, or NULL. */
  readonly left: readonly Column[];
}

/**
 * Which of the target's columns a SELECT fills: all but those that it may leave out.
 * @param computed columns that the table fills itself, whatever is inserted
 * @throws ReconcilerError `repair_contract`
 */
export function columnsOf(
  names: readonly string[],
  target: Source,
  repair: SqlRepair,
  computed: readonly Column[] = [],
): FilledColumns {
  const { dateColumn } = repair.processor;
  const strange = names.filter(
    (name, index) => !target.columns.has(name.toLowerCase()) || names.indexOf(name) !== index,
  );
  const has = [...target.columns.values()].map(({ name }) => name).join(", ");
  if (strange.length > 0) {
    throw broken(
      repair,
      `expected only columns of ${target.label}, each once, found ${strange.join(", ")}`,
      `name the columns of the SELECT as the table does, each once: ${has}`,
    );
  }
  if (!names.some((name) => name.toLowerCase() === dateColumn.toLowerCase())) {
    throw broken(
      repair,
      `expected the date column ${dateColumn} among the columns, found ${names.join(", ")}`,
      "return the date that each row is for",
    );
  }
  const unknown = repair.leaveNull.filter((name) => !target.columns.has(name.toLowerCase()));
  if (unknown.length > 0) {
    throw broken(
      repair,
      `expected columns of ${target.label} in leave_null, found ${unknown.join(", ")}`,
      `correct the name; the table has ${has}`,
    );
  }
  const given = new Set(names.map((name) => name.toLowerCase()));
  const left = [...target.columns.values()].filter(
    (column) => !given.has(column.name.toLowerCase()) && !computed.includes(column),
  );
  checkLeft(left, target, repair);
  return { filled: names.map((name) => columnOf(target, name)), left };
}

/** A column that nobody said may be empty would be emptied on every date that is repaired. */
function checkLeft(left: readonly Column[], target: Source, repair: SqlRepair): void {
  const allowed = new Set(repair.leaveNull.map((name) => name.toLowerCase()));
  const missing = left.flatMap(({ name }) => (allowed.has(name.toLowerCase()) ? [] : name));
  if (missing.length === 0) return;
  const them = missing.length === 1 ? "it" : "them";
  throw broken(
    repair,
    `expected every column of ${target.label}, found a SELECT without ${missing.join(", ")}`,
    `add ${them} to the SELECT, or name ${them} in repair.leave_null: [${missing.join(", ")}]`,
  );
}

/** @throws ReconcilerError `repair_contract` where the text is not one statement. */
export function enclosedQuery(request: SqlRepair, encloseQuery: (sql: string) => string): string {
  try {
    return encloseQuery(request.sql);
  } catch (error) {
    throw broken(request, messageOf(error), "keep one SELECT in the file", error);
  }
}

export function broken(request: SqlRepair, problem: string, hint: string, cause?: unknown): ReconcilerError {
  const message = `the repair of ${request.processor.name}: ${problem}; nothing was written`;
  return new ReconcilerError("repair_contract", message, { hint, cause });
}

/** The problem that a check of a repair ended with; others than of the SELECT go on. */
export function problemOf(error: unknown, isOfSelect: (error: ReconcilerError) => boolean): RepairProblem {
  if (!(error instanceof ReconcilerError)) throw error;
  if (error.code !== "repair_contract" && !isOfSelect(error)) throw error;
  return { message: error.message, hint: error.hint };
}

/** What was found in the staged rows of a repair. Dates are `YYYY-MM-DD`. */
export interface StagedRows {
  readonly undated: number;
  readonly outside: number;
  /** Rows of the repair's dates that its processor would not own. */
  readonly foreign: number;
  /** The first and last date outside. */
  readonly first: string | null;
  readonly last: string | null;
}

/** @throws ReconcilerError `repair_contract` for rows without a date, outside the range, or of another owner. */
export function checkStaged(
  { undated, outside, foreign, first, last }: StagedRows,
  request: SqlRepair & Pick<ReplaceRequest, "dates">,
): void {
  const { dates, processor } = request;
  if (undated > 0) {
    throw broken(
      request,
      `expected a date in every row, found ${undated} rows where ${processor.dateColumn} is ${noDate(processor)}`,
      processor.dateFormat === null ? "filter them out in the SELECT" : formHint(processor.dateFormat),
    );
  }
  if (outside > 0) {
    throw broken(
      request,
      `expected rows from ${dates[0]} to ${dates.at(-1)}, found ${outside} rows outside, from ${first} to ${last}`,
      rangeHint(processor),
    );
  }
  if (foreign > 0) {
    throw broken(
      request,
      `expected every row to satisfy the processor's where (${processor.where}), found ${foreign} that do not`,
      "return only rows that this processor owns: others would never be replaced again",
    );
  }
}

function noDate({ dateFormat }: Processor): string {
  return dateFormat === null ? "NULL" : `not a date in the form ${dateFormat}`;
}

function rangeHint({ dateColumn, dateFormat, columnTimezone }: Processor): string {
  if (dateFormat !== null)
    return `filter the SELECT by a date between $start_date and $end_date, and write that date in the form ${dateFormat}`;
  if (columnTimezone !== null)
    return `filter the SELECT by the date of ${dateColumn} in the pipeline's time zone, between $start_date and $end_date`;
  return `filter the SELECT by ${dateColumn} >= $start_date and ${dateColumn} < $end_date_exclusive`;
}

function formHint(format: string): string {
  return `let the SELECT write the date as the table has it, in the form ${format}, and filter out rows without a date`;
}

/** The dates that are written: those that the audit did not refuse. */
export function publishedDates(
  dates: readonly IsoDate[],
  refused: readonly RefusedDate[],
): readonly IsoDate[] {
  const left = new Set(refused.map(({ date }) => date));
  return dates.filter((date) => !left.has(date));
}

export function calledOff({ name }: Processor): ReconcilerError {
  return new ReconcilerError("interrupted", `the repair of ${name} was called off; nothing was written`);
}

/** Other transactions got in the way until the time was over. */
export function outwaited({ processor, timeoutMs }: ReplaceRequest, cause: unknown): ReconcilerError {
  return new ReconcilerError(
    "warehouse_timeout",
    `the repair of ${processor.name} could not write within ${timeoutMs / 1000} s: other transactions held its dates`,
    { cause, hint: "it is tried again; if this repeats, look for two writers of the same dates" },
  );
}

/** @throws ReconcilerError `fence_refused` */
export function fenceRefused(
  cell: { readonly processor: string; readonly date: string },
  mine: number,
  newer: { readonly token: string; readonly repairId: string },
): ReconcilerError {
  return new ReconcilerError(
    "fence_refused",
    `${cell.processor} ${cell.date}: expected no fencing token above ${mine}, found ${newer.token} of repair ${newer.repairId}; nothing was written`,
    { hint: "a newer repair of the same date took over; this one's work is not needed" },
  );
}

export function refusedRows(table: string, cause: Error): ReconcilerError {
  return new ReconcilerError(
    "write_failed",
    `${table} refused the rows of the repair: ${messageOf(cause)}; nothing was written`,
    { cause, hint: "compare the SELECT with the table's types and constraints" },
  );
}
