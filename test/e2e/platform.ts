// The same small platform in both warehouses: two games a night for 40 nights, five players a game, three tables that are computed.
import { join } from "node:path";
import { type BigQueryServer, startBigQuery } from "../support/bigquery/server.ts";
import { reconcile } from "../support/cli.ts";
import { makeTempWarehouse } from "../support/duckdb.ts";
import { datesFrom, documentOf, type Report } from "./scene.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";

const nights = datesFrom("2024-01-01", "2024-02-09");

interface PlatformTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const games = nights.flatMap((night) => [1, 2].map((game) => [night, `G${game}-${night}`] as const));
const players = games.flatMap(([night, game]) =>
  [1, 2, 3, 4, 5].map((number) => [night, game, `${game.slice(0, 2)}P${number}`] as const),
);

/** Every table as it is when nothing is missing. */
const whole: Readonly<Record<string, PlatformTable>> = {
  games: { columns: ["game_date", "game_id", "season"], rows: games.map((row) => [...row, "2023-24"]) },
  scores: { columns: ["game_date", "game_id", "player"], rows: players },
  summary: { columns: ["game_date", "game_id", "player"], rows: players },
  factors: {
    columns: ["game_date", "player", "game_id"],
    rows: players.map(([date, id, name]) => [date, name, id]),
  },
  predictions: { columns: ["game_date", "player"], rows: players.map(([date, , name]) => [date, name]) },
};
export const tableNames: readonly string[] = Object.keys(whole);

/** The dates that a table has lost. */
export type Holes = Readonly<Record<string, readonly string[]>>;

/** A month of summaries never came, and nothing was computed from them; some nights of the others are gone as well. */
export const someHoles: Holes = {
  summary: nights.slice(3, 12),
  factors: [...nights.slice(3, 15), "2024-02-01"],
  predictions: [...nights.slice(3, 18), "2024-02-01", "2024-02-05"],
};

function rowsOf(name: string, holes: Holes): readonly (readonly string[])[] {
  const lost = new Set(holes[name] ?? []);
  return (whole[name]?.rows ?? []).filter(([date]) => !lost.has(date ?? ""));
}

const processors = `
schedule: { table: nba.games, date_column: game_date, unit_column: game_id, season_column: season }
defaults:
  date_column: game_date
  repair: { max_attempts: 3, backoff: [10ms] }
processors:
  scores: { table: nba.scores, expect: { rows: { per_unit: 5 }, coverage: { of: schedule, key: game_id, min: 1 } } }
  summary:
    table: nba.summary
    depends_on: [scores]
    expect: { coverage: { of: scores, key: player, of_key: player, min: 1 } }
    repair: { sql_file: summary.sql }
  factors:
    table: nba.factors
    depends_on: [summary, { processor: summary, lookback: { days: 5 } }]
    expect: { rows: { per_unit: 5 }, not_null: [player], unique_keys: [[game_date, player]] }
    repair: { sql_file: factors.sql }
  predictions:
    table: nba.predictions
    depends_on: [factors]
    expect: { rows: { min: 10 } }
    repair: { sql_file: predictions.sql }
`;

const repairs: Readonly<Record<string, string>> = {
  "summary.sql":
    "select game_date, game_id, player from nba.scores where game_date between $start_date and $end_date",
  "factors.sql":
    "select game_date, player, game_id from nba.summary where game_date between $start_date and $end_date",
  "predictions.sql":
    "select game_date, player from nba.factors where game_date between $start_date and $end_date",
};

export interface Platform {
  readonly folder: string;
  readonly run: (...args: readonly string[]) => ReturnType<typeof reconcile>;
  readonly report: (...args: readonly string[]) => Promise<Report>;
  /** The rows of a table, sorted. */
  rows(table: string): Promise<readonly string[]>;
  /** Writes the pipeline file anew, with more of `warehouse` and below it. */
  readonly configure: (options: { readonly warehouse?: string; readonly more?: string }) => Promise<void>;
  remove(): Promise<void>;
}

export interface BigQueryPlatform extends Platform {
  readonly server: BigQueryServer;
  /** Whether no table has lost a date any more: asked of the server, which costs less than asking the command. */
  isWhole(): Promise<boolean>;
  /** What was billed since this was asked last, dry runs and the engine's own reading aside. */
  billed(): number;
}

async function folderOf(
  folder: string,
  head: (more: string) => string,
): Promise<Omit<Platform, "rows" | "remove">> {
  const run = (...args: readonly string[]) => reconcile(args, { cwd: folder });
  const platform: Omit<Platform, "rows" | "remove"> = {
    folder,
    run,
    async report(...args) {
      const result = await run(...args, "--format", "json");
      return { ...result, document: documentOf(result) };
    },
    configure: ({ warehouse = "", more = "" }) =>
      writeFile(
        join(folder, "pipeline.yaml"),
        `version: 1\npipeline: platform\ntimezone: America/New_York\n${head(warehouse)}\n${more}${processors}`,
      ),
  };
  await platform.configure({});
  for (const [name, text] of Object.entries(repairs)) await writeFile(join(folder, name), text);
  return platform;
}

export async function duckDbPlatform(holes: Holes): Promise<Platform> {
  const statements = tableNames.flatMap((name) => {
    const { columns = [] } = whole[name] ?? {};
    const types = columns.map((column) => `${column} ${column === "game_date" ? "date" : "varchar"}`);
    const values = rowsOf(name, holes).map((row) => `(${row.map((value) => `'${value}'`).join(", ")})`);
    return [
      `create table nba.${name} (${types.join(", ")})`,
      `insert into nba.${name} values ${values.join(", ")}`,
    ];
  });
  const warehouse = await makeTempWarehouse(["create schema nba", ...statements]);
  const head = () => "warehouse: { type: duckdb, path: ./warehouse.duckdb }";
  return {
    ...(await folderOf(warehouse.folder, head)),
    rows: async (table) =>
      (await warehouse.read(`select * from nba.${table}`)).map((row) => row.join("/")).toSorted(),
    remove: () => warehouse.remove(),
  };
}

/** Every table is partitioned by day and can only be read with a filter on it. */
export async function bigQueryPlatform(holes: Holes): Promise<BigQueryPlatform> {
  const server = await startBigQuery();
  for (const name of tableNames) {
    const { columns = [] } = whole[name] ?? {};
    server.define({
      name: `nba.${name}`,
      columns: Object.fromEntries(
        columns.map((column) => [column, column === "game_date" ? "DATE" : "STRING"]),
      ),
      partition: { column: "game_date", requireFilter: true },
      rows: rowsOf(name, holes),
    });
  }
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-"));
  const head = (more: string) =>
    `warehouse: { type: bigquery, project: ${server.projectId}, location: ${server.location}, api_endpoint: "${server.url}"${more} }\nledger: { dataset: reconciler }`;
  let seen = 0;
  return {
    ...(await folderOf(folder, head)),
    server,
    async isWhole() {
      for (const name of tableNames) {
        const [[count] = []] = await server.run(
          `select count(*) from nba.${name} where game_date >= '2000-01-01'`,
        );
        if (count !== String(whole[name]?.rows.length)) return false;
      }
      return true;
    },
    billed() {
      const { queries } = server.stats;
      const sum = queries.slice(seen).reduce((bytes, { bytesBilled }) => bytes + bytesBilled, 0);
      seen = queries.length;
      return sum;
    },
    rows: async (table) =>
      (await server.run(`select * from nba.${table} where game_date >= '2000-01-01'`))
        .map((row) => row.map((value) => (typeof value === "string" ? value : "")).join("/"))
        .toSorted(),
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
