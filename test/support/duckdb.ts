import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { openDatabase } from "../../src/adapters/duckdb/database.ts";

export interface TempWarehouse {
  readonly path: string;
  readonly folder: string;
  /** Opens the file, runs each statement alone, closes it. */
  write(statements: readonly string[]): Promise<void>;
  /** The rows of a query, every value as text. */
  read(sql: string): Promise<(string | null)[][]>;
  remove(): Promise<void>;
}

/** The rows of a query on a DuckDB file, every value as text. */
export async function readTexts(path: string, sql: string): Promise<(string | null)[][]> {
  const database = await openDatabase({ path, mode: "read_only", lockWaitMs: 60_000 });
  try {
    const columns = await (await database.connect()).run(sql);
    const values = columns.names.map((_, index) => columns.strings(index));
    return Array.from({ length: columns.rowCount }, (_, row) => values.map((column) => column[row] ?? null));
  } finally {
    database.close();
  }
}

/** The rows of a statement on a DuckDB file that nobody else has open, by the driver alone; the file is made where there is none. */
export async function queryFile(path: string, statement: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(statement)).getRowsJS();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** A DuckDB file in a folder of its own, made by the statements; the caller removes it. */
export async function makeTempWarehouse(statements: readonly string[] = []): Promise<TempWarehouse> {
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-"));
  const path = join(folder, "warehouse.duckdb");
  const warehouse: TempWarehouse = {
    path,
    folder,
    async write(more) {
      const database = await openDatabase({ path, mode: "read_write", lockWaitMs: 60_000 });
      try {
        const session = await database.connect();
        for (const statement of more) await session.run(statement);
      } finally {
        database.close();
      }
    },
    read: (sql) => readTexts(path, sql),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  await warehouse.write(statements);
  return warehouse;
}

/** Runs `work` with a temporary warehouse and removes it afterwards. */
export async function withTempWarehouse<T>(
  statements: readonly string[],
  work: (warehouse: TempWarehouse) => Promise<T>,
): Promise<T> {
  const warehouse = await makeTempWarehouse(statements);
  try {
    return await work(warehouse);
  } finally {
    await warehouse.remove();
  }
}
