import type { Pipeline, TableName } from "./pipeline.ts";

/** In a DuckDB file, one table for all that is repaired; its schema is the product's own. */
export const duckDbFence: TableName = { parts: ["gap_reconciler", "fence"] };

/** In BigQuery, a table next to each one that is repaired. */
export function bigQueryFence({ parts }: TableName): TableName {
  return { parts: [...parts.slice(0, -1), `gap_reconciler_fence_${parts.at(-1) ?? ""}`] };
}

/** The tables that SQL repairs create in the warehouse, each once. */
export function fenceTables(
  { repairUnits, processors }: Pipeline,
  warehouse: "duckdb" | "bigquery",
): readonly string[] {
  const repaired = repairUnits.flatMap(({ action, processors: filled }) =>
    action.kind === "sql" ? filled.flatMap((index) => processors[index]?.table ?? []) : [],
  );
  const fences = repaired.map((table) => (warehouse === "duckdb" ? duckDbFence : bigQueryFence(table)));
  return [...new Set(fences.map(({ parts }) => parts.join(".")))];
}
