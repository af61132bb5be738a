// A process that keeps a DuckDB file to itself until it is killed. Argument: the file.
import { openDatabase } from "../../../src/adapters/duckdb/database.ts";

const database = await openDatabase({ path: process.argv[2] ?? "", mode: "read_write", lockWaitMs: 60_000 });
process.stdout.write(`${database.path}\n`);
await new Promise((resolve) => setTimeout(resolve, 600_000));
