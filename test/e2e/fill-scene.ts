import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type CliProcess, startReconcile } from "../support/cli.ts";
import { datesFrom, type Scene, sqlCalendar, sqlDates, withScene } from "./scene.ts";

const fill = fileURLToPath(new URL("./fill.mjs", import.meta.url));

/** What the log of the repairs themselves says of one date of one run. */
export interface RunLine {
  readonly pid: number;
  readonly supervisor: number;
  readonly event: string;
  /** Such as `league.points 2024-01-03`. */
  readonly cell: string;
}

/** A scene whose repairs are programs of their own, `fill.mjs`, which write the DuckDB file and log what they do. */
export interface FillScene extends Scene {
  /** Starts `reconcile` and leaves it to the test; the repairs know its process id. */
  start(...args: readonly string[]): CliProcess;
  /** What `fill.mjs` logged so far. */
  log(): RunLine[];
  /** The cells that were filled, sorted, as often as they were; each with the rows that were there before, if any. */
  filled(): Promise<string[]>;
  /** Asks the repairs for what `fill.mjs` describes. */
  ask(request: string, whose?: string): void;
  /** Takes that back. */
  release(request: string): void;
}

export interface FillSketch {
  /** Dates without points, of those of 2024-01-01 to 2024-01-10. */
  readonly points: readonly string[];
  /** Dates without totals; totals wait for the points of their date. */
  readonly totals: readonly string[];
  /** What stands in each repair beside its command. */
  readonly repair: string;
  readonly stubborn?: boolean;
}

export const elevenGaps: Pick<FillSketch, "points" | "totals"> = {
  points: ["2024-01-03", ...datesFrom("2024-01-07", "2024-01-10")],
  totals: datesFrom("2024-01-05", "2024-01-10"),
};

export function withFillScene<T>(sketch: FillSketch, work: (scene: FillScene) => Promise<T>): Promise<T> {
  const repair = (table: string) => {
    const argv = [process.execPath, fill, table, ...(sketch.stubborn === true ? ["stubborn"] : [])];
    const replaces = sketch.repair.includes("replaces:") ? "" : "replaces: true, ";
    return `{ command: ${JSON.stringify(argv)}, ${replaces}${sketch.repair} }`;
  };
  const filledBut = (missing: readonly string[]) =>
    `select day, number from league.games, range(3) as rows (number) ${missing.length === 0 ? "" : `where day not in ${sqlDates(missing)}`}`;
  const base = {
    // What the repairs of points outdate is not the subject of these scenes.
    pipeline: `schedule: { table: league.games, date_column: day }
defaults: { stale: ignore }
processors:
  points:
    table: league.points
    date_column: day
    expect: { rows: { min: 3 } }
    repair: ${repair("league.points")}
  totals:
    table: league.totals
    date_column: day
    depends_on: [points]
    expect: { rows: { min: 3 } }
    repair: ${repair("league.totals")}
`,
    warehouse: [
      "create schema league",
      "create table league.fills (cell varchar, rows_found integer)",
      `create table league.games as select game_date as day from (${sqlCalendar(["2024-01-01", "2024-01-10"])})`,
      `create table league.points as ${filledBut(sketch.points)}`,
      `create table league.totals as ${filledBut(sketch.totals)}`,
    ],
  };
  return withScene(base, async (scene) => {
    try {
      return await work(fillSceneOf(scene));
    } finally {
      // A test that failed half-way must not leave anybody behind either.
      for (const pid of processesIn(scene.folder)) killIfThere(pid);
    }
  });
}

function fillSceneOf(scene: Scene): FillScene {
  const path = (name: string) => join(scene.folder, name);
  const log = () => (existsSync(path("runs.log")) ? linesOf(readFileSync(path("runs.log"), "utf8")) : []);
  return {
    ...scene,
    start(...args) {
      const started = startReconcile(args, { cwd: scene.folder });
      writeFileSync(path("reconcile.pid"), String(started.child.pid));
      return started;
    },
    log,
    async filled() {
      const fills = await scene.warehouse.read("select cell, rows_found from league.fills order by all");
      return fills.map(([cell, rows]) => (rows === "0" ? (cell ?? "") : `${cell}, which had ${rows} rows`));
    },
    ask: (request, whose = "") => writeFileSync(path(request), whose),
    release: (request) => rmSync(path(request)),
  };
}

function linesOf(text: string): RunLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [pid, supervisor, event = "", table = "", date = ""] = line.split(" ");
      return { pid: Number(pid), supervisor: Number(supervisor), event, cell: `${table} ${date}` };
    });
}

/** The cells of a sketch that are gaps, sorted, as the log names them. */
export function cellsOf({ points, totals }: Pick<FillSketch, "points" | "totals">): string[] {
  return [...points.map((date) => `league.points ${date}`), ...totals.map((date) => `league.totals ${date}`)];
}

/** Waits until the log has a line of the event. */
export async function untilLogged(scene: FillScene, event: string): Promise<RunLine> {
  await until(`a repair that logs "${event}"`, () => scene.log().some((line) => line.event === event));
  const line = scene.log().find((entry) => entry.event === event);
  if (line === undefined) throw new Error(`the line of "${event}" is gone`);
  return line;
}

/** Waits until the condition holds; fails loudly where it does not. The limit is for machines that are busy with more. */
export async function until(what: string, condition: () => boolean, limitMs = 60_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${limitMs / 1000} s`);
    await sleep(20);
  }
}

/** Proves that reconcile, its supervisors and their commands are all gone, or go by themselves. */
export async function expectNobodyLeft(scene: FillScene): Promise<void> {
  await until("every process of the run to end", () => processesIn(scene.folder).length === 0);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/** The processes that run in a folder, as reconcile, its supervisors and their commands do. */
function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        // A process that is dead, yet not asked about by its parent, has no folder any more.
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    });
}

/** Proves that a ledger that may have been cut off anywhere is whole: for DuckDB and for the product. */
export async function expectReadableLedger(scene: FillScene): Promise<void> {
  if (existsSync(join(scene.folder, "warehouse.ledger.duckdb"))) {
    const tables =
      "select count(*) from duckdb_tables() where table_name in ('repair_starts', 'repair_ends')";
    expect([["0"], ["2"]]).toContainEqual((await scene.ledger(tables))[0]);
  }
  const status = await scene.run("status");
  expect(status).toMatchObject({ code: 0, signal: null });
}
