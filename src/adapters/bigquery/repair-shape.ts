import { addDays, type IsoDate } from "../../core/iso-date.ts";
import { messageOf } from "../../errors.ts";
import type { SqlRepair } from "../../reconcile/ports.ts";
import { QueryError } from "../sql/query-error.ts";
import {
  broken,
  checkParameterNames,
  columnsOf,
  enclosedQuery,
  type FilledColumns,
  targetOf,
} from "../sql/repair-shape.ts";
import { columnOf, type Column, type Source } from "../sql/source.ts";
import type { Api } from "./api.ts";
import { loadCatalog, pathOf, pathSql } from "./catalog.ts";
import { datedSource, rangeOf } from "./dates.ts";
import type { Jobs } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { Bindings, listParameter, type Parameter, parameter } from "./parameters.ts";
import { loadSql } from "./sql-files.ts";
import { encloseQuery, parametersOf, quoteIdentifier } from "./sql-text.ts";

/** A repair whose SELECT fits the table that it fills, as SQL for the statements that write. */
export interface RepairShape {
  readonly texts: {
    /** The target's name. */
    readonly table: string;
    /** The target's date column and its type. */
    readonly column: string;
    readonly type: string;
    /** The date that the column means. */
    readonly day: string;
    /** True for the processor's rows of the range. */
    readonly condition: string;
    /** The columns that the SELECT fills, and their values from its rows. */
    readonly columns: string;
    readonly values: string;
  };
  /** The staged rows as they will be in the target, with all of its columns. */
  readonly staged: Source;
  /** Those of `condition`. */
  readonly bounds: readonly Parameter[];
  readonly dates: Parameter;
  /** The SELECT in parentheses, and the dates that it takes. */
  readonly query: string;
  readonly range: readonly Parameter[];
}

/**
 * Whether the SELECT of a repair fits the table that it fills: two dry runs, which cost nothing.
 * @throws ReconcilerError `repair_contract` as `replaceDates` does, QueryError where a table of it is missing or forbidden
 */
export async function shapeRepair(
  { api, jobs, timezone }: { readonly api: Api; readonly jobs: Jobs; readonly timezone: string },
  repair: SqlRepair,
  dates: readonly IsoDate[],
  limits: Limits,
): Promise<RepairShape> {
  const { processor } = repair;
  const target = targetOf(await loadCatalog(api, [processor.table], limits), repair);
  const dateColumn = columnOf(target, processor.dateColumn);
  if (dateColumn.name.startsWith("_PARTITION")) throw fromArrival(repair, dateColumn);
  const query = enclosedQuery(repair, (sql) => encloseQuery(parametersOf(sql).sql));
  checkParameterNames(parametersOf(repair.sql).names, repair);
  const { start, end } = rangeOf(dates);
  const range = [
    parameter("start_date", "DATE", start),
    parameter("end_date", "DATE", end),
    parameter("end_date_exclusive", "DATE", addDays(end, 1)),
  ];
  const analyze = async (sql: string, more: readonly Parameter[]) => {
    try {
      return await jobs.analyze({ sql, parameters: [...range, ...more], purpose: "analyze" }, limits);
    } catch (error) {
      if (!(error instanceof QueryError) || error.fault !== "invalid") throw error;
      const hint = `compare the SELECT with the columns of ${target.label}, their names and their types`;
      throw broken(repair, `expected a SELECT that fits, found: ${messageOf(error)}`, hint, error);
    }
  };
  const selected = (await analyze(`select * from ${query} as gr_query`, [])).columns.map(({ name }) => name);
  const computed = [...target.columns.values()].filter(({ name }) => name.startsWith("_PARTITION"));
  const columns = columnsOf(selected, target, repair, computed);
  const binder = new Bindings();
  const dated = { ranges: [{ start, end }], timezone, binder };
  const { day, condition } = datedSource(target, processor, processor.where, dated);
  const shape = {
    texts: {
      table: pathSql(pathOf(processor.table, api.project)),
      column: quoteIdentifier(dateColumn.name),
      type: dateColumn.type,
      day,
      condition,
      columns: columns.filled.map(({ name }) => quoteIdentifier(name)).join(", "),
      values: columns.filled.map((column) => valueOf(column, dateColumn)).join(", "),
    },
    staged: asTarget(target, columns),
    bounds: binder.parameters,
    dates: listParameter("dates", "DATE", dates),
    query,
    range,
  };
  // Only the INSERT itself tells whether each value fits its column.
  await analyze(loadSql("insert-staged-rows", { ...shape.texts, rows: `${query} as gr_query` }), [
    shape.dates,
  ]);
  return shape;
}

function valueOf(column: Column, dateColumn: Column): string {
  const name = quoteIdentifier(column.name);
  return column === dateColumn ? `cast(${name} as ${column.type}) as ${name}` : name;
}

function asTarget(target: Source, { filled, left }: FilledColumns): Source {
  const values = [
    ...filled.map((column) => typed(quoteIdentifier(column.name), column)),
    ...left.map((column) => typed(column.fallback ?? "null", column)),
  ];
  return {
    sql: `(select ${values.join(", ")} from gr_staged) as gr_table`,
    label: target.label,
    columns: target.columns,
  };
}

/** The columns of a table in one row of NULLs, which reads nothing. */
export function withoutRows(table: Source): Source {
  const values = [...table.columns.values()].map((column) => typed("null", column));
  return { ...table, sql: `(select ${values.join(", ")}) as gr_table` };
}

/** Of other types the API does not tell the whole name; values of theirs fit as they are, or not at all. */
const plainTypes = /^(?:INT64|FLOAT64|NUMERIC|BIGNUMERIC|BOOL|STRING|BYTES|DATE|DATETIME|TIME|TIMESTAMP)$/;

function typed(value: string, { name, type }: Column): string {
  return `${plainTypes.test(type) ? `cast(${value} as ${type})` : value} as ${quoteIdentifier(name)}`;
}

function fromArrival(repair: SqlRepair, { name }: Column) {
  return broken(
    repair,
    `expected a date column that a SELECT can return, found ${name}, which BigQuery sets by the time of arrival`,
    "partition the table by a column of its own, or repair it with a command",
  );
}
