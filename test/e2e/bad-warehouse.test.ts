// Goal: a warehouse, a schedule or a ledger that cannot be used is told in one error with its place and what to do, and a table
// that cannot be read is unknown, never a gap. Method: as in the tests of bad input, with real files that are damaged,
// held by another process, or not to be written.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { gappy, lockFile, plainPoints, plainSchedule, type Refusal, refusal, refusalOf } from "./refusal.ts";
import { type Scene, withScene } from "./scene.ts";
import { spawnBoundByRights } from "../support/unprivileged.ts";

const timeoutMs = 120_000;
// What they wait for, others use.
vi.setConfig({ maxConcurrency: 3 });
const warehouseOf = (scene: Scene) => join(scene.folder, "warehouse.duckdb");
const ledgerOf = (scene: Scene) => join(scene.folder, "warehouse.ledger.duckdb");

describe.concurrent("a warehouse file", () => {
  // It waits longer than all others take, so that they run meanwhile.
  it(
    "that another process has is waited for, then refused with that process's id",
    () =>
      withScene(gappy, async (scene) => {
        const holder = await holdFile(warehouseOf(scene));
        const expected = {
          code: "warehouse_locked",
          message: new RegExp(`warehouse\\.duckdb is locked by process ${holder.pid} .*; waited 10 s`),
        };
        try {
          expect(await refusalOf(scene, ["--once"])).toEqual(refusal(expected, [lockFile]));
        } finally {
          holder.kill("SIGKILL");
        }
      }),
    timeoutMs,
  );

  it.each<[what: string, spoil: (path: string) => void, expected: Refusal, changed: readonly string[]]>([
    [
      "is missing",
      (path) => rmSync(path),
      { code: "warehouse_not_found", message: /found nothing there/ },
      [],
    ],
    [
      "is a text file",
      (path) => writeFileSync(path, "day,number\n".repeat(5000)),
      { code: "warehouse_unreadable", message: /cannot open .* as a DuckDB file/ },
      [],
    ],
    [
      "is empty",
      (path) => truncateSync(path),
      { code: "warehouse_unreadable", message: /cannot open .* as a DuckDB file/ },
      [],
    ],
    [
      "is a folder",
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      { code: "warehouse_unreadable", message: /expected a DuckDB file, found a folder/ },
      [],
    ],
    [
      // Only opening it shows that, and a run opens it only when it has its lock.
      "was cut off",
      (path) => truncateSync(path, 13_000),
      { code: "warehouse_unreadable", message: /cannot open .* as a DuckDB file/ },
      [lockFile],
    ],
  ])(
    "that %s is refused, by a run and by a look",
    (_what, spoil, expected, changed) =>
      withScene(gappy, async (scene) => {
        spoil(warehouseOf(scene));
        expect(await refusalOf(scene, ["status"])).toEqual(refusal(expected));
        expect(await refusalOf(scene, ["--once"])).toEqual(refusal(expected, changed));
      }),
    timeoutMs,
  );
});

/** A process that has opened the file to write, until it is killed. */
async function holdFile(path: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("../adapters/duckdb/ledger-holder.ts", import.meta.url));
  const holder = spawn(process.execPath, ["--import", "@oxc-node/core/register", script, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return holder;
}

describe.concurrent("a schedule", () => {
  it.each<[what: string, schedule: string, expected: Refusal]>([
    [
      "whose table is missing",
      "schedule: { table: gamez, date_column: day }\n",
      { code: "schedule_failed", message: /there is no table gamez; did you mean games\?/ },
    ],
    [
      "whose column is missing",
      "schedule: { table: games, date_column: dai }\n",
      { code: "schedule_failed", message: /games has no column dai; did you mean day\?/ },
    ],
    [
      "whose column is no date",
      "schedule: { table: points, date_column: number }\n",
      { code: "schedule_failed", message: /points\.number: expected a column of type DATE.*found INTEGER/ },
    ],
    [
      "that has no date",
      'schedule: { table: games, date_column: day, where: "false" }\n',
      { code: "schedule_empty", message: /schedule "default" has no date up to now/ },
    ],
  ])(
    "%s fails the run, which records nothing",
    (_what, schedule, expected) =>
      withScene({ ...gappy, pipeline: `${schedule}processors:\n${plainPoints}` }, async (scene) => {
        expect(await refusalOf(scene, ["status"])).toEqual(refusal(expected));
        expect(await refusalOf(scene, ["--once"])).toEqual(refusal(expected, [lockFile]));
      }),
    timeoutMs,
  );
});

describe.concurrent("a table", () => {
  const totals = (more: string) =>
    `  totals: { ${more}, depends_on: [points], repair: { command: ["false"], replaces: true } }\n`;
  it.each([
    ["that is missing", "table: totalz, date_column: day", "processors.totals.table"],
    ["whose column is missing", "table: totals, date_column: dai", "processors.totals.date_column"],
    ["whose column is no date", "table: totals, date_column: number", "processors.totals.date_column"],
    [
      "with an expectation of a missing column",
      "table: totals, date_column: day, expect: { not_null: [nothing] }",
      "processors.totals.expect.not_null[0]",
    ],
  ])(
    "%s is unknown and fails the run, while the others are repaired; validate finds it",
    (_what, more, place) =>
      withScene(
        {
          ...gappy,
          pipeline: `${plainSchedule}processors:\n${plainPoints}${totals(more)}`,
          warehouse: [...gappy.warehouse, "create table totals (day date, number integer)"],
        },
        async (scene) => {
          const found = await scene.run("validate", "--connect", "--format", "json");
          expect(found.code).toBe(1);
          expect(found.json()).toMatchObject({
            valid: false,
            findings: [
              {
                level: "error",
                place,
                expected: expect.any(String) as string,
                hint: expect.any(String) as string,
              },
            ],
          });
          const status = await scene.report("status");
          expect(status).toMatchObject({ code: 0, document: { converged: false } });
          expect(status.document.counts["totals"]).toMatchObject({ unknown: 5, missing: 0 });
          const run = await scene.report("--once");
          expect(run.code).toBe(1);
          expect(run.document.counts["totals"]).toMatchObject({ unknown: 5, missing: 0 });
          expect(run.document.counts["points"]).toMatchObject({ complete: 5 });
          expect(await scene.ledger("select distinct repair from repair_starts")).toEqual([["points"]]);
          expect(await scene.ledger("select distinct processor from gap_events")).toEqual([["points"]]);
        },
      ),
    timeoutMs,
  );
});

describe.concurrent("a ledger", () => {
  it.each<[what: string, spoil: (scene: Scene) => unknown, message: RegExp]>([
    [
      "that is a text file",
      (scene) => writeFileSync(ledgerOf(scene), "no ledger\n".repeat(5000)),
      /the ledger .* cannot be opened/,
    ],
    [
      "that is a folder",
      (scene) => mkdirSync(ledgerOf(scene)),
      /the ledger .* cannot be opened: expected a DuckDB file, found a folder/,
    ],
    [
      "in a folder below a file",
      (scene) => scene.configure(`ledger: { path: ./points.sql/ledger.duckdb }\n${gappy.pipeline}`),
      /points\.sql\/ledger\.duckdb/,
    ],
    [
      "in a folder that nobody can make",
      (scene) => scene.configure(`ledger: { path: /proc/nobody/ledger.duckdb }\n${gappy.pipeline}`),
      /\/proc\/nobody\/ledger\.duckdb/,
    ],
  ])(
    "%s stops the run before any repair",
    (_what, spoil, message) =>
      withScene(gappy, async (scene) => {
        await spoil(scene);
        const refused = await refusalOf(scene, ["--once"]);
        const changed = refused.changed.filter((name) => name !== lockFile);
        expect({ ...refused, changed }).toEqual(refusal({ code: "ledger_unavailable", message }));
        expect(await scene.warehouse.read("select count(*) from points")).toEqual([["0"]]);
      }),
    timeoutMs,
  );

  it(
    "in a folder that may not be written stops the run before any repair, and a look answers all the same",
    () =>
      withScene(gappy, async (scene) => {
        chmodSync(scene.folder, 0o555);
        try {
          const run = await runBound(scene, "--once");
          expect(run).toMatchObject({ code: 1, stdout: "" });
          expect(run.stderr).toMatch(
            /^error: the lock file .* cannot be used[\s\S]*to do {2}check the rights on that folder/,
          );
          expect(await runBound(scene, "status")).toMatchObject({ code: 0, stderr: "" });
        } finally {
          chmodSync(scene.folder, 0o755);
        }
        expect(await scene.warehouse.read("select count(*) from points")).toEqual([["0"]]);
      }),
    timeoutMs,
  );
});

async function runBound(scene: Scene, ...args: readonly string[]) {
  const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
  const child = spawnBoundByRights([cli, ...args], { cwd: scene.folder });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}
