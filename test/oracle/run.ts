import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gateOf, letGoOfGate } from "../../src/adapters/duckdb/file-gate.ts";
import { type App, compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { isGapCell } from "../../src/core/batches.ts";
import type { Assessment } from "../../src/core/assessment.ts";
import { dateAt, dispositionName, State, stateName } from "../../src/core/grid.ts";
import { type Day, fromDay, toDay } from "../../src/core/iso-date.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { everything } from "../../src/reconcile/selection.ts";
import { makeTempWarehouse } from "../support/duckdb.ts";
import { eventSql } from "./apply.ts";
import { schedulesOf } from "./calendar.ts";
import { type Differences, differencesSql, excusedBy, rightRowsSql } from "./compare.ts";
import { pipelineYaml } from "./pipeline-yaml.ts";
import { createSql, fillSql, truthSql } from "./sql.ts";
import { gamesAfter, type Event, type OracleWorld } from "./world.ts";

/** Switches off one of the product's rules, as no config can. */
export type Mutation = (pipeline: Pipeline) => Pipeline;

/** What came of one `--once`. */
export interface Round {
  readonly converged: boolean;
  /** Every gap with its state and disposition. */
  readonly gaps: readonly string[];
  readonly staleCells: readonly string[];
  /** `table date` that differ from the truth though the product says that they are right. */
  readonly wrong: readonly string[];
  /** `table date` of sources that have fewer right rows than before. */
  readonly worse: readonly string[];
  /** `table date` that it reports as changed by others, who changed no input for good. */
  readonly falselyStale: readonly string[];
  /** `repair date` that the plan named and the run did not repair, and the other way round. */
  readonly planOnly: readonly string[];
  readonly runOnly: readonly string[];
  readonly repairs: number;
}

/** Builds the world's warehouse, lets its events happen, and runs the product after each phase. */
export async function playWorld(world: OracleWorld, mutate: Mutation = (same) => same): Promise<Round[]> {
  const warehouse = await makeTempWarehouse();
  // Held open by one thread: with so few rows, opening the file and waking threads would take most of the time.
  const gate = gateOf({ path: warehouse.path, lockWaitMs: 60_000, threads: 1 }, 60_000);
  try {
    return await gate.use("write", async (database) => {
      const session = await database.connect();
      const stage: Stage = {
        world,
        folder: warehouse.folder,
        mutate,
        write: async (statements) => {
          await session.transaction(async () => {
            for (const statement of statements) await session.run(statement);
          });
        },
        read: async (sql) => {
          const columns = await session.run(sql);
          const values = columns.names.map((_, index) => columns.strings(index));
          return Array.from({ length: columns.rowCount }, (_, row) =>
            values.map((column) => column[row] ?? ""),
          );
        },
      };
      await buildStage(stage);
      const rounds: Round[] = [];
      for (const phase of world.phases.keys()) rounds.push(await playPhase(stage, phase));
      return rounds;
    });
  } finally {
    letGoOfGate(gate);
    await warehouse.remove();
  }
}

interface Stage {
  readonly world: OracleWorld;
  readonly folder: string;
  readonly mutate: Mutation;
  readonly write: (statements: readonly string[]) => Promise<void>;
  readonly read: (sql: string) => Promise<string[][]>;
}

async function buildStage({ world, folder, write }: Stage): Promise<void> {
  const schedules = schedulesOf(world, world.games);
  const copies = world.tables.map(({ name }) => `insert into live.${name} select * from truth.${name}`);
  await write([...createSql(world), ...truthSql(world, schedules, world.games), ...copies]);
  await writeFile(join(folder, "pipeline.yaml"), pipelineYaml(world));
  for (const table of world.tables)
    await writeFile(join(folder, `${table.name}.sql`), fillSql(table, "live"));
}

async function playPhase(stage: Stage, phase: number): Promise<Round> {
  const { world, write, read } = stage;
  const events = world.phases[phase] ?? [];
  const past = world.phases.slice(0, phase + 1).flat();
  const games = gamesAfter(world, past);
  if (events.some(({ kind }) => kind === "move_game")) {
    const lost = past.filter(({ kind }) => kind === "lose_source");
    await write([...truthSql(world, schedulesOf(world, games), games), ...statementsOf(world, lost)]);
  }
  await write(statementsOf(world, events));
  const rightBefore = await rightRows(stage);
  const outcome = await runOnce(stage);
  const rightAfter = await rightRows(stage);
  const differing: Differences = (await read(differencesSql(world))).map(([table = "", day = ""]) => ({
    table,
    day: Number(day),
  }));
  const excused = excusedBy(world, schedulesOf(world, games), outcome.stale);
  const wrong = outcome.converged ? differing.filter((cell) => !excused(cell)) : [];
  return {
    converged: outcome.converged,
    gaps: outcome.gaps,
    staleCells: outcome.stale.map(nameOf),
    // A game that moves changes for good what some cells read.
    falselyStale:
      outcome.converged && !past.some(({ kind }) => kind === "move_game") ? outcome.stale.map(nameOf) : [],
    wrong: wrong.map(nameOf),
    worse: [...rightBefore].flatMap(([cell, rows]) => ((rightAfter.get(cell) ?? 0) < rows ? [cell] : [])),
    planOnly: [...outcome.planned].filter((cell) => !outcome.ran.has(cell)),
    runOnly: [...outcome.ran].filter((cell) => !outcome.planned.has(cell)),
    repairs: outcome.repairs,
  };
}

async function rightRows({ world, read }: Stage): Promise<Map<string, number>> {
  const rows = await read(rightRowsSql(world));
  return new Map(rows.map(([cell = "", count = ""]) => [cell, Number(count)]));
}

function statementsOf(world: OracleWorld, events: readonly Event[]): string[] {
  return events.flatMap((event) => eventSql(world, event));
}

interface Outcome {
  readonly converged: boolean;
  readonly gaps: readonly string[];
  readonly stale: Differences;
  /** `repair date` */
  readonly planned: ReadonlySet<string>;
  readonly ran: ReadonlySet<string>;
  readonly repairs: number;
}

/** A plan and the run that follows it, by the product's own code in this process. */
async function runOnce({ folder, mutate }: Stage): Promise<Outcome> {
  const config = await loadConfig({ file: join(folder, "pipeline.yaml"), target: null, env: {} });
  const app = await compose(
    { ...config, pipeline: mutate(config.pipeline) },
    { logging: { level: "silent", pretty: false } },
  );
  try {
    const selection = everything;
    const { signal } = new AbortController();
    const planned = await plannedCells(app, signal);
    const options = { selection, asOf: null, maxAgeMs: null, singlePass: false, maxWaitMs: 10_000 };
    const result = await app.once({ ...options, listener: {}, signal }, () => undefined);
    const ran = result.repairs.flatMap(({ repair, dates }) => dates.map((date) => `${repair} ${date}`));
    return {
      converged: result.converged,
      gaps: gapsOf(result.assessment),
      stale: staleOf(result.assessment),
      planned,
      ran: new Set(ran),
      repairs: result.repairs.length,
    };
  } finally {
    await app.close();
  }
}

async function plannedCells(app: App, signal: AbortSignal): Promise<Set<string>> {
  const look = await app.look({ selection: everything, asOf: null, signal });
  const { repairUnits } = app.config.pipeline;
  return new Set(
    look
      .steps()
      .flatMap(({ repairUnit, days }) =>
        days.map((day) => `${repairUnits[repairUnit]?.name ?? repairUnit} ${fromDay(day)}`),
      ),
  );
}

function gapsOf({ grid }: Assessment): string[] {
  return cellsOf(grid)
    .filter(({ index, position }) => isGapCell({ grid }, index, position))
    .map(({ name, position, cell }) => {
      const state = stateName(grid.states[cell] ?? 0);
      return `${name} ${dateAt(grid.axis, position)} ${state} ${dispositionName(grid.dispositions[cell] ?? 0)}`;
    });
}

/** Cells that the result reports as stale and leaves as they are. */
function staleOf({ grid }: Assessment): Differences {
  return cellsOf(grid)
    .filter(({ cell }) => grid.states[cell] === State.stale)
    .map(({ name, position }) => ({ table: name, day: toDay(dateAt(grid.axis, position)) }));
}

function cellsOf(grid: Assessment["grid"]) {
  return grid.pipeline.processors.flatMap(({ name, index }) =>
    Array.from({ length: grid.axis.length }, (_, position) => ({
      name,
      index,
      position,
      cell: index * grid.axis.length + position,
    })),
  );
}

function nameOf({ table, day }: { readonly table: string; readonly day: Day }): string {
  return `${table} ${fromDay(day)}`;
}
