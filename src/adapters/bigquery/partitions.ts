import type { EpochMs } from "../../core/wall-clock.ts";
import { isOfStatement } from "../sql/profile-all.ts";
import { eachOf } from "../sql/each-of.ts";
import { QueryError } from "../sql/query-error.ts";
import type { ReconcilerError } from "../../errors.ts";
import { leastBilledBytes } from "./billing.ts";
import type { TablePath } from "./catalog.ts";
import type { Jobs } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { listParameter } from "./parameters.ts";
import { isDated } from "./partition-days.ts";
import type { Stamps } from "./remembered.ts";
import { loadSql } from "./sql-files.ts";
import { quoteIdentifier } from "./sql-text.ts";

/** What a look at the partitions of one table came to. */
export type PartitionsFound =
  | {
      readonly kind: "read";
      /** Null where its partitions have no dates. */
      readonly stamps: Stamps | null;
      /** The last write of any partition; -Infinity where there is none. */
      readonly modifiedMs: EpochMs;
    }
  /** The account may not look, or the query cannot be run: it is of no use to try again. */
  | { readonly kind: "refused" }
  /** BigQuery is away or out of quota. */
  | { readonly kind: "failed"; readonly error: ReconcilerError }
  | { readonly kind: "unaffordable" };

/** BigQuery refuses to look at the partitions of more. */
const tablesPerStatement = 1_000;
const statementsAtOnce = 4;

/**
 * The partitions of many tables, by one statement for each dataset; in the order of the datasets as far as the bytes go.
 * @param tables by a name of the caller's, which the result has too
 * @throws ReconcilerError `interrupted`
 */
export async function readPartitions(
  jobs: Jobs,
  tables: ReadonlyMap<string, TablePath>,
  budgetBytes: number,
  limits: () => Limits,
): Promise<ReadonlyMap<string, PartitionsFound>> {
  const found = new Map<string, PartitionsFound>();
  const statements = statementsFor(tables);
  const affordable = Math.floor(budgetBytes / leastBilledBytes);
  for (const { keys } of statements.slice(affordable)) {
    for (const key of keys.values()) found.set(key, { kind: "unaffordable" });
  }
  await eachOf(statements.slice(0, affordable), statementsAtOnce, async ({ dataset, keys }) => {
    const foundOf = await readDataset(jobs, dataset, [...keys.keys()], limits());
    for (const [table, key] of keys) found.set(key, foundOf(table));
  });
  return found;
}

interface DatasetTables {
  /** Ready for a FROM clause. */
  readonly dataset: string;
  /** The caller's names by those of the tables. */
  readonly keys: ReadonlyMap<string, string>;
}

function statementsFor(tables: ReadonlyMap<string, TablePath>): readonly DatasetTables[] {
  const datasets = new Map<string, [table: string, key: string][]>();
  for (const [key, { project, dataset, table }] of tables) {
    const name = [project, dataset].map(quoteIdentifier).join(".");
    const listed = datasets.get(name) ?? [];
    datasets.set(name, listed);
    listed.push([table, key]);
  }
  return [...datasets].flatMap(([dataset, listed]) => {
    const parts = Array.from({ length: Math.ceil(listed.length / tablesPerStatement) }, (_, part) =>
      listed.slice(part * tablesPerStatement, (part + 1) * tablesPerStatement),
    );
    return parts.map((part) => ({ dataset, keys: new Map(part) }));
  });
}

async function readDataset(
  jobs: Jobs,
  dataset: string,
  tables: readonly string[],
  limits: Limits,
): Promise<(table: string) => PartitionsFound> {
  const sql = loadSql("read-partitions", { dataset });
  const parameters = [listParameter("tables", "STRING", tables)];
  try {
    const { rows } = await jobs.read({ sql, parameters, purpose: "partitions" }, limits);
    const found = stampsOf(rows.strings(0), rows.strings(1), rows.strings(2), rows.strings(3));
    return (table) => found.get(table) ?? withoutRows;
  } catch (error) {
    if (!isOfStatement(error)) throw error;
    return () => (error instanceof QueryError ? { kind: "refused" } : { kind: "failed", error });
  }
}

/** A partition without rows is in no list. */
const withoutRows: PartitionsFound = {
  kind: "read",
  stamps: new Map<string, string>(),
  modifiedMs: Number.NEGATIVE_INFINITY,
};

type Column = readonly (string | null)[];

function stampsOf(
  tables: Column,
  partitions: Column,
  modified: Column,
  rows: Column,
): ReadonlyMap<string, PartitionsFound> {
  const found = new Map<string, { stamps: Map<string, string>; dated: boolean; modifiedMs: number }>();
  for (const [row, table] of tables.entries()) {
    const of = found.get(table ?? "") ?? {
      stamps: new Map(),
      dated: true,
      modifiedMs: Number.NEGATIVE_INFINITY,
    };
    found.set(table ?? "", of);
    const id = partitions[row] ?? "";
    of.dated &&= isDated(id);
    of.stamps.set(id, `${modified[row]}/${rows[row]}`);
    of.modifiedMs = Math.max(of.modifiedMs, Math.floor(Number(modified[row]) / 1_000));
  }
  return new Map(
    [...found].map(([table, { stamps, dated, modifiedMs }]) => [
      table,
      { kind: "read", stamps: dated ? stamps : null, modifiedMs },
    ]),
  );
}
