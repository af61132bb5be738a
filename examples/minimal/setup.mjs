// Makes warehouse.duckdb beside this file, anew on every run: node examples/minimal/setup.mjs
import { readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";

const path = fileURLToPath(new URL("warehouse.duckdb", import.meta.url));
for (const suffix of ["", ".wal"]) await rm(`${path}${suffix}`, { force: true });

const instance = await DuckDBInstance.create(path);
const connection = await instance.connect();
const statements = await connection.extractStatements(
  await readFile(new URL("setup.sql", import.meta.url), "utf8"),
);
for (let index = 0; index < statements.count; index += 1) await (await statements.prepare(index)).run();
connection.closeSync();
instance.closeSync();
console.log(`made ${path}`);
