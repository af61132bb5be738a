// Goal: a stop by a person or an orchestrator is clean and nobody's fault, a second one is at once, and a reader that goes
// away is no crash. Method: the shipped command line as a process, with real signals and real pipes.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { type CliProcess, startReconcile } from "../support/cli.ts";
import {
  cellsOf,
  elevenGaps,
  expectNobodyLeft,
  expectReadableLedger,
  type FillScene,
  type FillSketch,
  until,
  untilLogged,
  withFillScene,
} from "./fill-scene.ts";
import { documentOf, sqlCalendar, withScene } from "./scene.ts";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const sketch: FillSketch = { ...elevenGaps, repair: "max_attempts: 3, backoff: [10ms]" };
const timeoutMs = 180_000;
// What they wait for, others use.
vi.setConfig({ maxConcurrency: 3 });

/** Starts a run and waits until one of its repairs is under way, and stays so. */
async function startHeld(scene: FillScene, ...args: readonly string[]): Promise<CliProcess> {
  scene.ask("hold");
  const run = scene.start("--once", ...args);
  await untilLogged(scene, "hold");
  return run;
}

/** What a run logs from now on. */
function saidBy({ child }: CliProcess): () => string {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  return () => said;
}

async function expectEveryStartEnded(scene: FillScene): Promise<void> {
  expect(
    await scene.ledger(
      "select repair_id from repair_starts where repair_id not in (select repair_id from repair_ends)",
    ),
  ).toEqual([]);
}

function isJsonObject(line: string): boolean {
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}

/** What is not said of the command line: that it is broken. */
function expectNoStackTrace(stderr: string): void {
  expect(stderr).not.toMatch(/\n\s+at |node:internal|Node\.js v/);
}

describe.concurrent("a signal during a repair", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s ends the repair, records its end, charges nothing and exits with %i",
    (signal, code) =>
      withFillScene(sketch, async (scene) => {
        const run = await startHeld(scene, "--format", "json");
        run.child.kill(signal);
        const ended = await run.ended;
        expect(ended).toMatchObject({ code, signal: null });
        const logged = ended.stderr.trim().split("\n");
        expect(logged.filter((line) => !isJsonObject(line))).toEqual([]);
        expectNoStackTrace(ended.stderr);
        const { converged, repairs, gaps } = documentOf(ended);
        expect(converged).toBe(false);
        expect(repairs).not.toEqual([]);
        expect(gaps.map(({ attempts }) => attempts)).toEqual(cellsOf(elevenGaps).map(() => 0));
        await expectNobodyLeft(scene);
        await expectEveryStartEnded(scene);
        expect(await scene.ledger("select distinct error_code from repair_ends")).toEqual([["cancelled"]]);
        expect(await scene.ledger("select * from cell_outcomes")).toEqual([]);
        expect(await scene.filled()).toEqual([]);
        scene.release("hold");
        expect(await scene.run("--once")).toMatchObject({ code: 0 });
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
      }),
    timeoutMs,
  );

  it(
    "also ends a repair that ignores signals, after a time of grace",
    () =>
      withFillScene({ ...sketch, stubborn: true }, async (scene) => {
        const run = await startHeld(scene);
        run.child.kill("SIGINT");
        expect(await run.ended).toMatchObject({ code: 130 });
        await expectNobodyLeft(scene);
        await expectEveryStartEnded(scene);
      }),
    timeoutMs,
  );

  it(
    "keeps what the repairs before it filled",
    () =>
      withFillScene({ ...sketch, repair: "max_dates_per_job: 1" }, async (scene) => {
        // It waits for the points of its date, so that those at least are filled by then.
        scene.ask("hold", "league.totals 2024-01-10");
        const run = scene.start("--once", "--format", "json");
        await untilLogged(scene, "hold");
        run.child.kill("SIGINT");
        const { counts } = documentOf(await run.ended);
        const filled = await scene.filled();
        expect(filled).not.toEqual([]);
        const complete = (counts["points"]?.complete ?? 0) + (counts["totals"]?.complete ?? 0);
        expect(complete).toBe(20 - cellsOf(elevenGaps).length + filled.length);
        await expectEveryStartEnded(scene);
        scene.release("hold");
        expect(await scene.run("--once")).toMatchObject({ code: 0 });
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
      }),
    timeoutMs,
  );

  it(
    "given twice, ends everything at once, and the next run goes on",
    () =>
      withFillScene({ ...sketch, stubborn: true }, async (scene) => {
        const run = await startHeld(scene);
        const said = saidBy(run);
        run.child.kill("SIGINT");
        // Two signals of a kind are one where the first has not been taken before the second.
        await until("the first signal to be taken", () => said().includes('"msg":"stopping"'));
        run.child.kill("SIGINT");
        expect(await run.ended).toMatchObject({ code: 130, signal: null, stdout: "" });
        await expectNobodyLeft(scene);
        await expectReadableLedger(scene);
        scene.release("hold");
        expect(await scene.run("--once")).toMatchObject({ code: 0 });
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
        await expectEveryStartEnded(scene);
      }),
    timeoutMs,
  );
});

describe.concurrent("a signal during a query that takes long", () => {
  // Not to be optimized away, and longer than anybody waits.
  const slow = "(select count(*) from range(40000000000) as numbers (n) where n % 7 = 3) > 0";
  const pipeline = (schedule: string, processor: string, repair: string) => `
schedule: { table: games, date_column: day${schedule} }
processors:
  points: { table: points, date_column: day${processor}, repair: { command: ["true"]${repair} } }
`;
  it.each([
    ["of the schedule", pipeline(`, where: "${slow}"`, "", "")],
    ["of a table", pipeline("", `, where: "${slow}"`, "")],
    ["of a precondition", pipeline("", "", `, preconditions: ["select ${slow}"]`)],
  ])(
    "%s ends it, by a run and by a look",
    (_what, text) =>
      withScene(
        {
          pipeline: text,
          warehouse: [
            `create table games as select game_date as day from (${sqlCalendar(["2024-01-01", "2024-01-05"])})`,
            "create table points (day date)",
          ],
        },
        async (scene) => {
          for (const command of ["--once", "status"]) {
            const { child, ended } = startReconcile([command], { cwd: scene.folder });
            await until("the warehouse to be open", () => hasOpen(child, scene.warehouse.path));
            // What is quick is over by then, and the query that is not goes on, whatever the machine.
            await sleep(1000);
            child.kill("SIGINT");
            expect(await ended).toMatchObject({
              code: 130,
              stdout: "",
              stderr: expect.stringContaining("stopped before there was a result") as string,
            });
          }
        },
      ),
    timeoutMs,
  );
});

/** Whether a process has the file open; one of the same name elsewhere is what the process that began it has open. */
function hasOpen({ pid }: ChildProcess, path: string): boolean {
  try {
    const files = readdirSync(`/proc/${pid}/fd`);
    return files.some((file) => readlinkSync(`/proc/${pid}/fd/${file}`) === realpathSync(path));
  } catch {
    // A descriptor that was closed while we looked.
    return false;
  }
}

describe.concurrent("a signal while nothing runs", () => {
  it(
    "ends the wait for another run, and leaves that one alone",
    () =>
      withFillScene(sketch, async (scene) => {
        const first = await startHeld(scene);
        const second = scene.start("--once");
        const said = saidBy(second);
        await until("the second run to wait", () =>
          said().includes(`"reason":"another run repairs on this ledger`),
        );
        second.child.kill("SIGTERM");
        expect(await second.ended).toMatchObject({
          code: 143,
          stdout: "",
          stderr: expect.stringContaining("stopped before there was a result") as string,
        });
        scene.release("hold");
        expect(await first.ended).toMatchObject({ code: 0 });
      }),
    timeoutMs,
  );

  it(
    "ends the wait for a backoff, and what failed before stays charged",
    () =>
      withFillScene({ points: ["2024-01-03"], totals: [], repair: "backoff: [50m]" }, async (scene) => {
        scene.ask("fail");
        const run = scene.start("--once", "--format", "json");
        const said = saidBy(run);
        await until("the run to wait", () => said().includes('"msg":"waiting"'));
        run.child.kill("SIGINT");
        const ended = await run.ended;
        expect(ended.code).toBe(130);
        expect(documentOf(ended).gaps).toMatchObject([{ attempts: 1, disposition: "backing_off" }]);
        await expectEveryStartEnded(scene);
      }),
    timeoutMs,
  );
});

/** Runs `reconcile` in a shell, where `to` says what becomes of its output. */
async function inShell(
  scene: FillScene,
  args: string,
  to: string,
): Promise<{ code: number | null; output: string }> {
  const script = `node=$1; cli=$2; ${to.replace("RECONCILE", `"$node" "$cli" ${args}`)}`;
  const child = spawn("bash", ["-c", script, "bash", process.execPath, cli], {
    cwd: scene.folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await once(child, "close");
  return { code: child.exitCode, output };
}

describe.concurrent("an output that goes nowhere", () => {
  it.each([
    ["status", 0],
    ["plan", 2],
    ["plan --format json", 2],
    ["explain points 2024-01-03", 0],
  ])(
    "a reader of stdout that has seen enough is no error of %s",
    (args, code) =>
      withFillScene(sketch, async (scene) => {
        const ended = await inShell(scene, args, 'RECONCILE | head -n 1; echo "code ${PIPESTATUS[0]}"');
        expect(ended.output.trim().split("\n")).toEqual([expect.any(String), `code ${code}`]);
        const never = await inShell(scene, args, 'RECONCILE | true; echo "code ${PIPESTATUS[0]}"');
        expect(never.output).toBe(`code ${code}\n`);
      }),
    timeoutMs,
  );

  it.each([
    ["a reader of the logs that has seen enough", "RECONCILE 2> >(true)"],
    ["a closed stderr", "RECONCILE 2>&-"],
    ["a full disk under the logs", "RECONCILE 2> /dev/full"],
  ])(
    "%s does not end the repairs",
    (_what, to) =>
      withFillScene({ points: ["2024-01-03"], totals: [], repair: "backoff: [10ms]" }, async (scene) => {
        const ended = await inShell(scene, "--once", to);
        expectNoStackTrace(ended.output);
        expect(ended.code).toBe(0);
        expect(await scene.filled()).toEqual(["league.points 2024-01-03"]);
      }),
    timeoutMs,
  );

  it(
    "a full disk under stdout is told as one error",
    () =>
      withFillScene(sketch, async (scene) => {
        const ended = await inShell(scene, "status", "RECONCILE > /dev/full");
        expect(ended).toMatchObject({
          code: 1,
          output: expect.stringMatching(/^error: stdout cannot be written: .*\n {2}to do /) as string,
        });
        expectNoStackTrace(ended.output);
      }),
    timeoutMs,
  );
});
