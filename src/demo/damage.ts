import { type DuckDBConnection, DuckDBDateValue, type DuckDBValue } from "@duckdb/node-api";
import { type DateRange, fromDay, type IsoDate, parseIsoDate, toDay } from "../core/iso-date.ts";
import { ReconcilerError } from "../errors.ts";
import { type DemoTable, demoTables } from "./tables.ts";

/** Deletes what a table has in the range, both ends included; `condition` may use `$start_date` and `$end_date` too. */
export async function deleteRows(
  connection: DuckDBConnection,
  processor: string,
  dateRange: DateRange,
  condition = "true",
): Promise<void> {
  const { dataset, dateColumn } = tableOf(processor);
  await connection.run(
    `delete from ${dataset}.${processor} where ${dateColumn} between $start_date and $end_date and ${condition}`,
    boundsOf(dateRange),
  );
}

/** The dates of the range, both ends included, on which a table has rows; ascending. */
export async function datesIn(
  connection: DuckDBConnection,
  processor: string,
  dateRange: DateRange,
): Promise<readonly IsoDate[]> {
  const { dataset, dateColumn } = tableOf(processor);
  const table = `${dataset}.${processor}`;
  return readDates(
    connection,
    `select distinct ${dateColumn} from ${table} where ${dateColumn} between $start_date and $end_date order by 1`,
    boundsOf(dateRange),
  );
}

/** The one column of a query, which has to be dates. */
export async function readDates(
  connection: DuckDBConnection,
  sql: string,
  values: Record<string, DuckDBValue> = {},
): Promise<readonly IsoDate[]> {
  const reader = await connection.runAndReadAll(sql, values);
  return reader.getRows().map(([value]) => {
    if (!(value instanceof DuckDBDateValue)) {
      throw new ReconcilerError("internal", `expected a date, found ${String(value)}`);
    }
    return fromDay(value.days);
  });
}

function tableOf(processor: string): DemoTable {
  const table = demoTables.find((candidate) => candidate.processor === processor);
  if (table === undefined)
    throw new ReconcilerError("internal", `expected a table of the demo, found "${processor}"`);
  return table;
}

export function range(start: string, end: string): DateRange {
  return { start: parseIsoDate(start), end: parseIsoDate(end) };
}

/** Both ends as the parameters `$start_date` and `$end_date`. */
export function boundsOf({ start, end }: DateRange): Record<string, DuckDBValue> {
  return { start_date: new DuckDBDateValue(toDay(start)), end_date: new DuckDBDateValue(toDay(end)) };
}
