// A repair as a user would write it: puts three rows for each of its dates into a table of the DuckDB file beside it. It keeps
// records of its own, in which no product code has a hand: runs.log, line by line `pid supervisor event table date`, and
// in the same transaction as the rows the table league.fills, with how many rows were there before.
//
// What it does beside that is asked for by files in the working folder, so that its command stays the same:
//   fail                ends with exit code 1 at once
//   hold                waits, once started, until that file is gone; one that holds "table date" is heeded by that date alone
//   hold-open           the same, with the DuckDB file open
//   kill-before-write   kills the process whose id is in reconcile.pid, then waits to be ended itself
//   kill-after-write    writes first, then the same
// A file to kill by that holds the word "once" is taken away by the first that heeds it, and one that holds "table date" is
// heeded by the runs of that date alone.
//
// Arguments: the table and, where signals are to be ignored, the word stubborn. Plain JavaScript, to start fast.
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const [table = "", manner = ""] = process.argv.slice(2);
const dates = (process.env.GAP_RECONCILER_DATES ?? "").split(",");
if (manner === "stubborn") for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);

for (const date of dates) log("started", date);
if (existsSync("fail")) process.exit(1);
await heldBy("hold");
await killReconcile("kill-before-write");
await fill();
await killReconcile("kill-after-write");

async function fill() {
  const { DuckDBInstance } = createRequire(import.meta.url)("@duckdb/node-api");
  const instance = await DuckDBInstance.create("warehouse.duckdb");
  const connection = await instance.connect();
  await heldBy("hold-open");
  await connection.run("begin");
  for (const date of dates) {
    await connection.run(
      `insert into league.fills select '${table} ${date}', count(*) from ${table} where day = date '${date}'`,
    );
    await connection.run(`delete from ${table} where day = date '${date}'`);
    await connection.run(`insert into ${table} select date '${date}', number from range(3) as rows (number)`);
  }
  await connection.run("commit");
  connection.closeSync();
  instance.closeSync();
  for (const date of dates) log("filled", date);
}

async function heldBy(file) {
  const whose = requestIn(file);
  if (whose === null || (whose !== "" && !isMeant(whose))) return;
  for (const date of dates) log(file, date);
  while (existsSync(file)) await sleep(20);
}

async function killReconcile(request) {
  const whose = requestIn(request);
  if (whose === null) return;
  if (whose === "once") rmSync(request);
  else if (!isMeant(whose)) return;
  process.kill(Number(readFileSync("reconcile.pid", "utf8")), "SIGKILL");
  // Whoever outlives the run would be found by the test.
  await sleep(600_000);
}

/** What the file of a request says; null where there is none, or none any more. */
function requestIn(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function isMeant(whose) {
  return dates.some((date) => whose === `${table} ${date}`);
}

function log(event, date) {
  appendFileSync("runs.log", `${process.pid} ${process.ppid} ${event} ${table} ${date}\n`);
}
