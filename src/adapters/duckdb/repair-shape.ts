import { addDays, type IsoDate, parseIsoDate } from "../../core/iso-date.ts";
import type { SqlRepair } from "../../reconcile/ports.ts";
import { checkParameterNames, columnsOf, enclosedQuery, targetOf } from "../sql/repair-shape.ts";
import type { Column, Source } from "../sql/source.ts";
import { readCatalog } from "./catalog.ts";
import { dateParameter, type Parameters, type RunLimits, type Session, StatementError } from "./session.ts";
import { encloseQuery } from "./sql-text.ts";

/**
 * Whether the SELECT of a repair fits the table that it fills. No row of it is computed.
 * @throws ReconcilerError `repair_contract` as `replaceDates` does, StatementError where it cannot run.
 */
export async function checkRepair(session: Session, repair: SqlRepair, limits: RunLimits): Promise<void> {
  const target = targetOf(await readCatalog(session, limits.signal), repair);
  const query = enclosedQuery(repair, encloseQuery);
  await checkParameters(session, repair, query, limits);
  const anyDate = parseIsoDate("2000-01-01");
  const sql = `select * from ${query} as gr_query limit 0`;
  const { names } = await session.run(sql, rangeParameters(anyDate, anyDate), limits);
  columnsOf(names, target, repair, await computedColumns(session, target, limits));
}

/** Columns that a table computes itself; a default, unlike these, refers to no other column. */
export async function computedColumns(
  session: Session,
  target: Source,
  limits: RunLimits,
): Promise<readonly Column[]> {
  const computed: Column[] = [];
  for (const column of target.columns.values()) {
    if (column.fallback === undefined) continue;
    try {
      await session.describe(`select (${column.fallback})`, limits);
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      computed.push(column);
    }
  }
  return computed;
}

/** What a SELECT is told of its dates. */
export function rangeParameters(first: IsoDate, last: IsoDate): Parameters {
  return {
    start_date: dateParameter(first),
    end_date: dateParameter(last),
    end_date_exclusive: dateParameter(addDays(last, 1)),
  };
}

/** @throws ReconcilerError `repair_contract` where there are others than the dates. */
export async function checkParameters(
  session: Session,
  repair: SqlRepair,
  query: string,
  limits: RunLimits,
): Promise<void> {
  const shape = await session.describe(`select * from ${query} as gr_query`, limits);
  checkParameterNames(shape.parameters, repair);
}
