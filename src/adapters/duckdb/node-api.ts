import { createRequire } from "node:module";
import type * as NodeApi from "@duckdb/node-api";

// Imported, each of its hundred CommonJS files would be read twice, first for the names that it exports: a tenth of a second of
// every command.
const load: (name: string) => typeof NodeApi = createRequire(import.meta.url);

/** DuckDB's client, for whoever makes values of it; what is only a type is imported from the package itself. */
export const { DuckDBDateValue, DuckDBInstance, DuckDBTypeId, listValue } = load("@duckdb/node-api");
export type DuckDBDateValue = NodeApi.DuckDBDateValue;
export type DuckDBInstance = NodeApi.DuckDBInstance;
