// A repair as a user would write it: puts three rows for each of its dates into a table of the DuckDB file beside it, and
// keeps a log of its own, line by line `pid supervisor event table date rows-found`, that no product code has a hand in.
//
// What it does beside that is asked for by files in the working folder, so that its command stays the same:
//   hold                 waits, once started, until that file is gone
//   kill-before-write    kills the process whose id is in reconcile.pid, then waits to be ended itself
//   kill-after-write     writes first, then the same
// A file that holds the word "once" is taken away by the first that heeds it.
//
// Arguments: the table and, where signals are to be ignored, the word stubborn. Plain JavaScript, to start fast.
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";

const [table = "", manner = ""] = process.argv.slice(2);
const dates = (process.env.GAP_RECONCILER_DATES ?? "").split(",");
if (manner === "stubborn") for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);

for (const date of dates) log("started", date, "-");
while (existsSync("hold")) await sleep(20);
await killReconcile("kill-before-write");
await fill();
await killReconcile("kill-after-write");

async function fill() {
  const instance = await DuckDBInstance.create("warehouse.duckdb");
  const connection = await instance.connect();
  await connection.run("begin");
  const found = [];
  for (const date of dates) {
    const counted = await connection.runAndReadAll(
      `select count(*) from ${table} where day = date '${date}'`,
    );
    found.push([date, counted.getRows()[0]?.[0]]);
    await connection.run(`delete from ${table} where day = date '${date}'`);
    await connection.run(`insert into ${table} select date '${date}', number from range(3) as rows (number)`);
  }
  await connection.run("commit");
  for (const [date, rows] of found) log("filled", date, rows);
  connection.closeSync();
  instance.closeSync();
}

async function killReconcile(request) {
  if (!existsSync(request)) return;
  if (readFileSync(request, "utf8") === "once") rmSync(request);
  process.kill(Number(readFileSync("reconcile.pid", "utf8")), "SIGKILL");
  // Whoever outlives the run would be found by the test.
  await sleep(600_000);
}

function log(event, date, rows) {
  appendFileSync("runs.log", `${process.pid} ${process.ppid} ${event} ${table} ${date} ${rows}\n`);
}
