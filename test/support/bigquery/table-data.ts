import { BigQueryError } from "./errors.ts";
import type { Page } from "./job-resource.ts";
import { partitionOf, type Table } from "./tables.ts";
import { toWire } from "./values.ts";
import { tableOf, type Warehouse } from "./warehouse.ts";

/** What one answer may hold; the rest is on the next page. */
const pageBytesMax = 10 * 1024 * 1024;

/**
 * What `tabledata.list` answers: the rows of a table, which costs nothing.
 * @param decorated the table's name; behind a dollar sign, the one partition that is wanted
 * @throws BigQueryError `notFound`, `accessDenied`, `invalid`
 */
export function tableData(warehouse: Warehouse, dataset: string, decorated: string, page: Page): object {
  const [name = "", partition] = decorated.split("$");
  const table = tableOf(warehouse, dataset, name);
  if (table.view !== null) throw new BigQueryError("invalid", `Cannot list a table of type VIEW: ${name}`);
  const rows = rowsOf(table, partition);
  const listed: object[] = [];
  let bytes = 0;
  for (const row of rows.slice(page.pageToken, page.pageToken + (page.maxResults ?? rows.length))) {
    const cells = table.columns.map(({ type }, index) => ({
      v: toWire(type, row.cells[index] ?? {}, page.int64Timestamps),
    }));
    bytes += Buffer.byteLength(JSON.stringify(cells));
    if (bytes > pageBytesMax && listed.length > 0) break;
    listed.push({ f: cells });
  }
  const end = page.pageToken + listed.length;
  return {
    kind: "bigquery#tableDataList",
    totalRows: String(rows.length),
    ...(listed.length === 0 ? {} : { rows: listed }),
    ...(end < rows.length ? { pageToken: String(end) } : {}),
  };
}

function rowsOf(table: Table, partition: string | undefined): Table["content"]["rows"] {
  const { rows } = table.content;
  if (partition === undefined) return rows;
  if (table.partitioning === null)
    throw new BigQueryError(
      "invalid",
      `Cannot read partition information from a table that is not partitioned: ${table.name}`,
    );
  return rows.filter((row) => partitionOf(table, row) === partition);
}
