import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addDays, type IsoDate, parseIsoDate } from "../../src/core/iso-date.ts";
import type { ResultDocument } from "../../src/core/result-document.ts";
import { type CliResult, reconcile } from "../support/cli.ts";
import { makeTempWarehouse, readTexts, type TempWarehouse } from "../support/duckdb.ts";

export interface SceneSketch {
  /** What stands below `version`, `pipeline`, `timezone` and `warehouse` in the pipeline file. */
  readonly pipeline: string;
  /** Beside the pipeline file, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What makes the warehouse, statement by statement. */
  readonly warehouse: readonly string[];
}

/** A folder with a pipeline file and its warehouse, and the CLI run in it as a user would. */
export interface Scene {
  readonly folder: string;
  readonly warehouse: TempWarehouse;
  /** Runs `reconcile` in the folder. */
  run(...args: readonly string[]): Promise<CliResult>;
  /** Runs `reconcile … --format json` and reads its result. */
  report(...args: readonly string[]): Promise<Report>;
  /** Replaces the pipeline file by one with this text below its head. */
  configure(pipeline: string): Promise<void>;
  write(name: string, text: string): Promise<void>;
  /** The rows of a query on the ledger, every value as text. */
  ledger(sql: string): Promise<(string | null)[][]>;
}

export interface Report extends CliResult {
  readonly document: ResultDocument;
}

const head = `version: 1
pipeline: scene
timezone: America/New_York
warehouse: { type: duckdb, path: ./warehouse.duckdb }
`;

/** Builds the scene, hands it to `work`, and removes it whatever happens. */
export async function withScene<T>(sketch: SceneSketch, work: (scene: Scene) => Promise<T>): Promise<T> {
  const warehouse = await makeTempWarehouse(sketch.warehouse);
  try {
    const scene = sceneIn(warehouse);
    await scene.configure(sketch.pipeline);
    for (const [name, text] of Object.entries(sketch.files ?? {})) await scene.write(name, text);
    return await work(scene);
  } finally {
    await warehouse.remove();
  }
}

function sceneIn(warehouse: TempWarehouse): Scene {
  const { folder } = warehouse;
  const run = (...args: readonly string[]) => reconcile(args, { cwd: folder });
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  return {
    folder,
    warehouse,
    run,
    write,
    async report(...args) {
      const result = await run(...args, "--format", "json");
      return { ...result, document: documentOf(result) };
    },
    configure: (pipeline) => write("pipeline.yaml", head + pipeline),
    ledger: (sql) => readTexts(join(folder, "warehouse.ledger.duckdb"), sql),
  };
}

/** The result, read as what the product says it is; anything else fails with what stdout and stderr really held. */
export function documentOf(result: CliResult): ResultDocument {
  const value: unknown = result.json();
  if (typeof value !== "object" || value === null || !("gaps" in value)) {
    throw new TypeError(`expected a result, found ${result.stdout}\n${result.stderr}`);
  }
  // The one place where text from outside is taken for the documented type.
  return value as ResultDocument;
}

/** Gaps in short, such as `summary 2024-01-05 missing ready`. */
export function gapsOf({ gaps }: ResultDocument): string[] {
  return gaps.map(
    ({ processor, date, state, disposition }) => `${processor} ${date} ${state} ${disposition}`,
  );
}

/** Every date from the first to the last, both included. */
export function datesFrom(first: string, last: string): IsoDate[] {
  const end = parseIsoDate(last);
  const dates: IsoDate[] = [];
  for (let date = parseIsoDate(first); date <= end; date = addDays(date, 1)) dates.push(date);
  return dates;
}

/** An SQL list of date literals, in brackets. */
export function sqlDates(dates: readonly string[]): string {
  return `(${dates.map((date) => `date '${date}'`).join(", ")})`;
}

/** A SELECT with a row per date of the ranges, as `game_date`; both ends of each are included. */
export function sqlCalendar(...ranges: readonly (readonly [first: string, last: string])[]): string {
  return ranges
    .map(
      ([first, last]) =>
        `select day::date as game_date from range(date '${first}', date '${last}' + 1, interval 1 day) as days (day)`,
    )
    .join(" union all ");
}
