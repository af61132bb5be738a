import type { Processor, TableName } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { ReplaceRequest, RepairProblem } from "../../reconcile/ports.ts";
import { columnOf, type Column, type Source, Unobservable } from "./source.ts";

/** What a SELECT can be checked by before it runs. */
export type Repair = Pick<ReplaceRequest, "processor" | "sql">;

/** @throws ReconcilerError `repair_contract` where there is no such table. */
export function targetOf(catalog: { table(name: TableName): Source }, request: Repair): Source {
  try {
    return catalog.table(request.processor.table);
  } catch (error) {
    if (!(error instanceof Unobservable)) throw error;
    throw broken(request, error.message, "create the table that the repair is to fill", error);
  }
}

/** @throws ReconcilerError `repair_contract` where there are parameters other than the two dates. */
export function checkParameterNames(names: readonly string[], request: Repair): void {
  const unknown = names.filter((name) => name !== "start_date" && name !== "end_date");
  if (unknown.length === 0) return;
  throw broken(
    request,
    `expected no parameters but $start_date and $end_date, found ${unknown.map((name) => `$${name}`).join(", ")}`,
    "use $start_date and $end_date, both included",
  );
}

/** The target's columns that a SELECT fills. @throws ReconcilerError `repair_contract` */
export function columnsOf(names: readonly string[], target: Source, request: Repair): readonly Column[] {
  const { dateColumn } = request.processor;
  const strange = names.filter(
    (name, index) => !target.columns.has(name.toLowerCase()) || names.indexOf(name) !== index,
  );
  if (strange.length > 0) {
    const has = [...target.columns.values()].map(({ name }) => name).join(", ");
    throw broken(
      request,
      `expected only columns of ${target.label}, each once, found ${strange.join(", ")}`,
      `name the columns of the SELECT as the table does, each once: ${has}`,
    );
  }
  if (!names.some((name) => name.toLowerCase() === dateColumn.toLowerCase())) {
    throw broken(
      request,
      `expected the date column ${dateColumn} among the columns, found ${names.join(", ")}`,
      "return the date that each row is for",
    );
  }
  return names.map((name) => columnOf(target, name));
}

/** @throws ReconcilerError `repair_contract` where the text is not one statement. */
export function enclosedQuery(request: Repair, encloseQuery: (sql: string) => string): string {
  try {
    return encloseQuery(request.sql);
  } catch (error) {
    throw broken(request, messageOf(error), "keep one SELECT in the file", error);
  }
}

export function broken(request: Repair, problem: string, hint: string, cause?: unknown): ReconcilerError {
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
  /** The first and last date outside. */
  readonly first: string | null;
  readonly last: string | null;
}

/** @throws ReconcilerError `repair_contract` for rows without a date, or outside the range. */
export function checkStaged(
  { undated, outside, first, last }: StagedRows,
  request: Pick<ReplaceRequest, "processor" | "sql" | "dates">,
): void {
  const { dates, processor } = request;
  if (undated > 0) {
    throw broken(
      request,
      `expected a date in every row, found ${undated} rows where ${processor.dateColumn} is NULL`,
      "filter them out in the SELECT",
    );
  }
  if (outside > 0) {
    throw broken(
      request,
      `expected rows from ${dates[0]} to ${dates.at(-1)}, found ${outside} rows outside, from ${first} to ${last}`,
      `filter the SELECT by ${processor.dateColumn} between $start_date and $end_date`,
    );
  }
}

/** The dates were emptied of the processor's rows, so that those there now are the inserted ones that it owns. */
export function checkOwned(inserted: number, owned: number, request: Repair): void {
  if (inserted === owned) return;
  throw broken(
    request,
    `expected every row to satisfy the processor's where (${request.processor.where}), found ${inserted - owned} of ${inserted} that do not`,
    "return only rows that this processor owns: others would never be replaced again",
  );
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
