import { parseIsoDate } from "../../core/iso-date.ts";
import { checkParameterNames, columnsOf, enclosedQuery, type Repair, targetOf } from "../sql/repair-shape.ts";
import { readCatalog } from "./catalog.ts";
import { dateParameter, type RunLimits, type Session } from "./session.ts";
import { encloseQuery } from "./sql-text.ts";

/**
 * Whether the SELECT of a repair fits the table that it fills. No row of it is computed.
 * @throws ReconcilerError `repair_contract` as `replaceDates` does, StatementError where it cannot run.
 */
export async function checkRepair(session: Session, repair: Repair, limits: RunLimits): Promise<void> {
  const target = targetOf(await readCatalog(session, limits.signal), repair);
  const query = enclosedQuery(repair, encloseQuery);
  await checkParameters(session, repair, query, limits);
  const anyDate = dateParameter(parseIsoDate("2000-01-01"));
  const parameters = { start_date: anyDate, end_date: anyDate };
  const { names } = await session.run(`select * from ${query} as gr_query limit 0`, parameters, limits);
  columnsOf(names, target, repair);
}

/** @throws ReconcilerError `repair_contract` where there are others than the two dates. */
export async function checkParameters(
  session: Session,
  request: Repair,
  query: string,
  limits: RunLimits,
): Promise<void> {
  const shape = await session.describe(`select * from ${query} as gr_query`, limits);
  checkParameterNames(shape.parameters, request);
}
