import { QueryError } from "../sql/query-error.ts";
import { type JobAnswer, type TableAnswer, tableAnswer, typeName } from "./answers.ts";
import type { Api } from "./api.ts";
import { listedTablesMax } from "./billing.ts";
import { pathSql, tableCall, type TablePath } from "./catalog.ts";
import type { Limits } from "./limits.ts";
import type { Rows } from "./rows.ts";
import { loadSql } from "./sql-files.ts";
import { quoteIdentifier } from "./sql-text.ts";

/** What may keep a statement from seeing all that it reads. */
export interface Hidden {
  /** A table has row access policies. */
  readonly rows: boolean;
  /** A column is masked. */
  readonly masked: boolean;
  /** All tables that it read, those behind views included; null if there may be more. */
  readonly tables: readonly TablePath[] | null;
}

/** What the statistics of a job tell; null if it saw everything. */
export function hiddenIn({ statistics }: JobAnswer): Hidden | null {
  const rows = statistics?.rowLevelSecurityStatistics?.rowLevelSecurityApplied === true;
  const masked = statistics?.dataMaskingStatistics?.dataMaskingApplied === true;
  if (!rows && !masked) return null;
  const named = statistics?.query?.referencedTables ?? [];
  const isWhole = named.length > 0 && named.length < listedTablesMax;
  const tables = named.map(({ projectId, datasetId, tableId }) => ({
    project: projectId,
    dataset: datasetId,
    table: tableId,
  }));
  return { rows, masked, tables: isWhole ? tables : null };
}

const wholeRows =
  "grant it all rows by a row access policy with FILTER USING (TRUE), which gives it roles/bigquery.filteredDataViewer";
const wholeValues =
  "grant it roles/datacatalog.categoryFineGrainedReader on the policy tags of the masked columns, or exempt it from the data policy";

/** @param what the tables, as a message names them */
export function hiddenError(hidden: Pick<Hidden, "masked">, what: string): QueryError {
  const [message, hint] = hidden.masked
    ? [`data masking hides values of ${what} from the account of this process`, wholeValues]
    : [`row access policies hide rows of ${what} from the account of this process`, wholeRows];
  return new QueryError("permission", "warehouse_permission", message, { hint });
}

/** For partitions whose metadata counts rows of which a query saw none. */
export function unseenRowsMessage(table: string): string {
  return `the metadata of ${table} counts rows on these dates, and the query sees none: a row access policy may hide them from the account of this process; ${wholeRows}`;
}

/** The tables, as a message names them. */
export function tablesText(tables: readonly TablePath[] | null): string {
  const names = (tables ?? []).map(({ dataset, table }) => `${dataset}.${table}`);
  return names.length === 0 ? "the tables that it reads" : [...new Set(names)].join(", ");
}

/**
 * The tables of which the account sees fewer rows than they have. A row access policy applies to an account that it grants all
 * rows too, and statistics do not tell one from the other.
 * @param read runs a statement
 * @throws as `read` and `Api.call` do
 */
export async function tablesWithHiddenRows(
  api: Api,
  tables: readonly TablePath[],
  limits: Limits,
  read: (sql: string) => Promise<Rows>,
): Promise<readonly TablePath[]> {
  // Rows that arrive after this are seen on top.
  const answers = await Promise.all(tables.map((path) => api.call(tableCall(path), tableAnswer, limits)));
  const arms = tables.map((path, number) =>
    loadSql("count-visible-rows", {
      number: String(number),
      table: pathSql(path),
      condition: anyPartition(answers[number]),
    }),
  );
  const rows = await read(arms.join("\nunion all\n"));
  const [numbers, counts] = [rows.integers(0), rows.numbers(1)];
  const visible = new Map(Array.from(numbers, (number, row) => [number, counts[row] ?? 0]));
  return tables.filter((_, number) => {
    const numRows = answers[number]?.numRows;
    return numRows === undefined || (visible.get(number) ?? 0) < Number(numRows);
  });
}

/** True for every row, and a filter on the partitions where the table may require one. */
function anyPartition(answer: TableAnswer | undefined): string {
  const partitioning = answer?.timePartitioning;
  if (partitioning === undefined) return "true";
  const { field = "_PARTITIONTIME" } = partitioning;
  const column = answer?.schema?.fields?.find(({ name }) => name.toLowerCase() === field.toLowerCase());
  const type = column === undefined ? "TIMESTAMP" : typeName(column);
  const [name, bound] = [quoteIdentifier(field), `${type.toLowerCase()} '2000-01-01'`];
  return `(${name} >= ${bound} or ${name} < ${bound} or ${name} is null)`;
}
