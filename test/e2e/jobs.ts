import { createRequire } from "node:module";

const duckdb = JSON.stringify(createRequire(import.meta.url).resolve("@duckdb/node-api"));

/**
 * A repair program, as a team would have one: it notes its dates in `runs.log`, one line per run, and then does what
 * `body` says. The body sees `first` and `last` (both included), `dates`, and `sql(statement)`, which writes to the warehouse.
 */
export function job(body: string): string {
  return `
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import duckdb from ${duckdb};
const env = process.env;
const [first, last] = [env.GAP_RECONCILER_START_DATE, env.GAP_RECONCILER_END_DATE];
const dates = env.GAP_RECONCILER_DATES.split(",");
appendFileSync("runs.log", env.GAP_RECONCILER_PROCESSOR + " " + env.GAP_RECONCILER_DATES + "\\n");
async function sql(...statements) {
  const instance = await duckdb.DuckDBInstance.create("warehouse.duckdb");
  const connection = await instance.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}
void [existsSync, writeFileSync, sleep, first, last, dates, sql];
${body}
`;
}

/** The command of a repair that is such a program, as it stands in the pipeline file. */
export function commandOf(file: string): string {
  return `[${JSON.stringify(process.execPath)}, ${file}]`;
}
