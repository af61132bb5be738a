import { parseIsoDate } from "../../core/iso-date.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { ReplaceRequest } from "../../reconcile/ports.ts";
import { type Catalog, quoteColumn, readCatalog, type Source, Unobservable } from "./catalog.ts";
import { dateParameter, type RunLimits, type Session } from "./session.ts";
import { encloseQuery } from "./sql-text.ts";

/** What a SELECT can be checked by before it runs. */
export type Repair = Pick<ReplaceRequest, "processor" | "sql">;

/**
 * Whether the SELECT of a repair fits the table that it fills. No row of it is computed.
 * @throws ReconcilerError `repair_contract` as `replaceDates` does, StatementError where it cannot run.
 */
export async function checkRepair(session: Session, repair: Repair, limits: RunLimits): Promise<void> {
  const target = targetOf(await readCatalog(session, limits.signal), repair);
  const query = enclosedQuery(repair);
  await checkParameters(session, repair, query, limits);
  const anyDate = dateParameter(parseIsoDate("2000-01-01"));
  const parameters = { start_date: anyDate, end_date: anyDate };
  const { names } = await session.run(`select * from ${query} as gr_query limit 0`, parameters, limits);
  columnsOf(names, target, repair);
}

/** @throws ReconcilerError `repair_contract` where there is no such table. */
export function targetOf(catalog: Catalog, request: Repair): Source {
  try {
    return catalog.table(request.processor.table);
  } catch (error) {
    if (!(error instanceof Unobservable)) throw error;
    throw broken(request, error.message, "create the table that the repair is to fill", error);
  }
}

/** @throws ReconcilerError `repair_contract` where there are others than the two dates. */
export async function checkParameters(
  session: Session,
  request: Repair,
  query: string,
  limits: RunLimits,
): Promise<void> {
  const shape = await session.describe(`select * from ${query} as gr_query`, limits);
  const unknown = shape.parameters.filter((name) => name !== "start_date" && name !== "end_date");
  if (unknown.length > 0) {
    throw broken(
      request,
      `expected no parameters but $start_date and $end_date, found ${unknown.map((name) => `$${name}`).join(", ")}`,
      "use $start_date and $end_date, both included",
    );
  }
}

/** The target's columns that a SELECT fills, quoted. @throws ReconcilerError `repair_contract` */
export function columnsOf(names: readonly string[], target: Source, request: Repair): readonly string[] {
  const { dateColumn } = request.processor;
  const strange = names.filter((name) => !target.columns.has(name.toLowerCase()));
  if (strange.length > 0) {
    const has = [...target.columns.values()].map(({ name }) => name).join(", ");
    throw broken(
      request,
      `expected only columns of ${target.label}, found ${strange.join(", ")}`,
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
  return names.map((name) => quoteColumn(target, name));
}

/** @throws ReconcilerError `repair_contract` where the text is not one statement. */
export function enclosedQuery(request: Repair): string {
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
