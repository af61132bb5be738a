import type { IsoDate } from "../../core/iso-date.ts";
import { messageOf } from "../../errors.ts";
import { QueryError } from "../sql/query-error.ts";
import {
  broken,
  checkParameterNames,
  columnsOf,
  enclosedQuery,
  type Repair,
  targetOf,
} from "../sql/repair-shape.ts";
import { columnOf, type Column, type Source } from "../sql/source.ts";
import type { Api } from "./api.ts";
import { loadCatalog, pathOf, pathSql } from "./catalog.ts";
import type { Jobs } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { type Parameter, parameter } from "./parameters.ts";
import { encloseQuery, parametersOf, quoteIdentifier } from "./sql-text.ts";

/** A repair whose SELECT fits the table that it fills. */
export interface RepairShape {
  readonly target: Source;
  /** The target's name in SQL, for statements that write it. */
  readonly path: string;
  readonly dateColumn: Column;
  /** The columns that the SELECT fills, in its order. */
  readonly columns: readonly Column[];
  /** The SELECT in parentheses. */
  readonly query: string;
  /** The dates that the SELECT takes, both included. */
  readonly parameters: readonly Parameter[];
}

/**
 * Whether the SELECT of a repair fits the table that it fills: a dry run, which costs nothing.
 * @throws ReconcilerError `repair_contract` as `replaceDates` does, QueryError where a table of it is missing or forbidden
 */
export async function shapeRepair(
  { api, jobs }: { readonly api: Api; readonly jobs: Jobs },
  repair: Repair,
  range: { readonly start: IsoDate; readonly end: IsoDate },
  limits: Limits,
): Promise<RepairShape> {
  const target = targetOf(await loadCatalog(api, [repair.processor.table], limits), repair);
  const dateColumn = columnOf(target, repair.processor.dateColumn);
  if (dateColumn.name.startsWith("_PARTITION")) throw fromArrival(repair, dateColumn);
  const query = enclosedQuery(repair, (sql) => encloseQuery(parametersOf(sql).sql));
  checkParameterNames(parametersOf(repair.sql).names, repair);
  const parameters = [parameter("start_date", "DATE", range.start), parameter("end_date", "DATE", range.end)];
  const analyze = async (sql: string) => {
    try {
      return await jobs.analyze({ sql, parameters, purpose: "analyze" }, limits);
    } catch (error) {
      if (!(error instanceof QueryError) || error.fault !== "invalid") throw error;
      const hint = `compare the SELECT with the columns of ${target.label}, their names and their types`;
      throw broken(repair, `expected a SELECT that can run, found: ${messageOf(error)}`, hint, error);
    }
  };
  const { columns: selected } = await analyze(`select * from ${query} as gr_query`);
  const columns = columnsOf(
    selected.map(({ name }) => name),
    target,
    repair,
  );
  const path = pathSql(pathOf(repair.processor.table, api.project));
  return { target, path, dateColumn, columns, query, parameters };
}

function fromArrival(repair: Repair, { name }: Column) {
  return broken(
    repair,
    `expected a date column that a SELECT can return, found ${name}, which BigQuery sets by the time of arrival`,
    "partition the table by a column of its own, or repair it with a command",
  );
}

export function quotedNames(columns: readonly Column[]): readonly string[] {
  return columns.map(({ name }) => quoteIdentifier(name));
}
