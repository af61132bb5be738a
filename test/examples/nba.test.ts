import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DuckDBResult } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse, stringify } from "yaml";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { type Processor, tableText } from "../../src/core/pipeline.ts";
import { buildDemoWarehouse, demoRange } from "../../src/demo/build.ts";
import { boundsOf } from "../../src/demo/damage.ts";
import { withDemoWarehouse } from "../../src/demo/open.ts";
import { demoTables, exampleDirectory } from "../../src/demo/tables.ts";
import { messageOf } from "../../src/errors.ts";

// Four seasons are built and read: many seconds of work, and more where others work too.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

// Goal: what examples/nba says is true of the warehouse that the demo makes for it.

const file = fileURLToPath(new URL("pipeline.yaml", exampleDirectory));
let folder = "";
let warehouse = "";
let config: Config;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gap-reconciler-nba-"));
  warehouse = join(folder, "nba.duckdb");
  await buildDemoWarehouse(warehouse);
  config = await loadConfig({ file, target: null, env: {} });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the example's pipeline", () => {
  test("takes the local target unless told otherwise", () => {
    expect(config.target).toBe("local");
    expect(config.storage).toMatchObject({ type: "duckdb", path: expect.stringMatching(/nba\.duckdb$/) });
  });

  test("has the processors of the platform, each in its phase", () => {
    const ofPhase = (phase: string): string[] =>
      config.pipeline.processors
        .filter((processor) => processor.phase === phase)
        .map(({ name }) => name)
        .sort();
    const names = Object.fromEntries(["2", "3", "4", "5", "5B"].map((phase) => [phase, ofPhase(phase)]));
    expect(Object.values(names).flat()).toHaveLength(config.pipeline.processors.length);
    expect(names).toEqual({
      "2": [
        "bdl_player_boxscores",
        "nbac_gamebook_player_stats",
        "nbac_team_boxscore",
        "odds_api_game_lines",
        "odds_api_player_points_props",
      ],
      "3": [
        "player_game_summary",
        "team_defense_game_summary",
        "team_offense_game_summary",
        "upcoming_player_game_context",
        "upcoming_team_game_context",
      ],
      "4": [
        "ml_feature_store_v2",
        "player_composite_factors",
        "player_daily_cache",
        "player_shot_zone_analysis",
        "team_defense_zone_analysis",
      ],
      "5": ["player_prop_predictions"],
      "5B": ["prediction_accuracy"],
    });
  });

  test("fills the tables that the demo builds, by the same date columns", () => {
    const byName = (a: readonly string[], b: readonly string[]): number =>
      String(a[0]).localeCompare(String(b[0]));
    const configured = config.pipeline.processors.map(({ name, table, dateColumn }) => [
      name,
      tableText(table),
      dateColumn,
    ]);
    const built = demoTables.map(({ processor, dataset, dateColumn }) => [
      processor,
      `${dataset}.${processor}`,
      dateColumn,
    ]);
    expect(configured.sort(byName)).toEqual(built.sort(byName));
  });

  test("is built by the demo in an order in which every table comes after those that it waits for", () => {
    const place = new Map(demoTables.map(({ processor }, index) => [processor, index]));
    const tooLate = config.pipeline.processors.flatMap(({ name, edges }) =>
      edges
        .flatMap(({ anyOf }) => anyOf)
        .filter((upstream) => (place.get(upstream) ?? Infinity) >= (place.get(name) ?? -1))
        .map((upstream) => `${name} is built before ${upstream}`),
    );
    expect(tooLate).toEqual([]);
  });

  test("repairs every processor by an SQL file of its own that replaces what is there", () => {
    const repairs = config.pipeline.repairUnits.map(({ action, replaces, processors }) => {
      const name = config.pipeline.processors[processors[0] ?? -1]?.name;
      return [
        name,
        processors.length,
        replaces,
        action.kind === "sql" && action.file.endsWith(`repairs/${name}.sql`),
      ];
    });
    expect(repairs).toEqual(config.pipeline.processors.map(({ name }) => [name, 1, true, true]));
  });

  test("never expects a date of a processor before what it needs is out of its own bootstrap, unless it is exempt with it", () => {
    const bootstrap = new Map(
      config.pipeline.processors.map(({ name, bootstrapDays }) => [name, bootstrapDays]),
    );
    const earlier = config.pipeline.processors.flatMap(({ name, edges, bootstrapDays }) =>
      edges
        .filter(({ mode, window }) => mode === "hard" && window.kind === "same_date")
        .flatMap(({ anyOf }) => anyOf)
        .filter((upstream) => (bootstrap.get(upstream) ?? 0) > bootstrapDays)
        .map((upstream) => `${name} before ${upstream}`),
    );
    expect(earlier).toEqual([
      "player_composite_factors before team_defense_zone_analysis",
      "player_composite_factors before player_shot_zone_analysis",
    ]);
  });

  test("reads the run history by the columns that it has", async () => {
    const { runHistory } = config.pipeline;
    if (runHistory === null) throw new Error("expected a run history");
    expect(tableText(runHistory.table)).toBe("nba_reference.processor_run_history");
    await withDemoWarehouse(warehouse, async (connection) => {
      const found = columnsOf(await connection.run(`select * from ${tableText(runHistory.table)} limit 0`));
      expect(found.map(([column]) => column)).toEqual(
        expect.arrayContaining([
          runHistory.dateColumn,
          runHistory.processorColumn,
          runHistory.statusColumn,
          runHistory.startedAtColumn,
          runHistory.endedAtColumn,
          runHistory.errorColumn,
          runHistory.runIdColumn,
        ]),
      );
    });
  });

  test("waives what was never scraped, with an owner, a reason and an end", () => {
    expect(config.pipeline.waivers).toMatchObject([
      {
        processors: ["odds_api_player_points_props", "upcoming_player_game_context"],
        start: "2021-10-19",
        end: "2021-12-31",
        owner: "data-team",
        expires: "2099-12-31",
        downstream: "exempt",
      },
    ]);
  });

  test("believes any hole of the local schedule, which ends with a season, so that it never goes off by itself", () => {
    expect(config.pipeline.schedules.map(({ maxGapDays }) => maxGapDays)).toEqual([null]);
  });
});

describe("the example's SQL", () => {
  test("returns the columns of its table, with their types and in their order", async () => {
    await withDemoWarehouse(warehouse, async (connection) => {
      const returned: Record<string, string[][]> = {};
      const kept: Record<string, string[][]> = {};
      for (const { repairUnit, name, table } of config.pipeline.processors) {
        const action = repairUnit === null ? undefined : config.pipeline.repairUnits[repairUnit]?.action;
        const sql = action?.kind === "sql" ? action.sql : "";
        returned[name] = columnsOf(
          await connection.run(`select * from (${sql}) limit 0`, boundsOf(demoRange)),
        );
        kept[name] = columnsOf(await connection.run(`select * from ${tableText(table)} limit 0`));
      }
      expect(returned).toEqual(kept);
    });
  });

  test("names only columns that its tables have, and conditions that run", async () => {
    await withDemoWarehouse(warehouse, async (connection) => {
      const statements = config.pipeline.processors.flatMap((processor) => statementsOf(config, processor));
      const refused: string[] = [];
      for (const statement of statements) {
        await connection
          .run(statement)
          .catch((error: unknown) => refused.push(`${statement}: ${messageOf(error)}`));
      }
      expect(statements.length).toBeGreaterThan(config.pipeline.processors.length);
      expect(refused).toEqual([]);
    });
  });

  test("counts no violation of a check in the demo's warehouse", async () => {
    await withDemoWarehouse(warehouse, async (connection) => {
      const violated: string[] = [];
      for (const { name, table, expect: expectation } of config.pipeline.processors) {
        for (const check of expectation.checks) {
          const rows = await connection.runAndReadAll(
            `from ${tableText(table)} where not (${check.sql}) limit 1`,
          );
          if (rows.currentRowCount > 0) violated.push(`${name}: ${check.name}`);
        }
      }
      expect(violated).toEqual([]);
    });
  });

  test("holds enough good rows on every date whose quality is judged", async () => {
    await withDemoWarehouse(warehouse, async (connection) => {
      const judged = config.pipeline.processors.filter(
        ({ expect: expectation }) => expectation.quality !== null,
      );
      expect(judged.map(({ name }) => name)).toEqual([
        "team_defense_zone_analysis",
        "player_shot_zone_analysis",
        "player_daily_cache",
      ]);
      const poor: string[] = [];
      for (const { name, table, dateColumn, expect: expectation } of judged) {
        const quality = expectation.quality;
        const below = await connection.runAndReadAll(
          `select ${dateColumn}::varchar
          from ${tableText(table)} as t
          where ${dateColumn} - (
            select min(game_date) from nba_raw.nbac_schedule as s where s.season = t.season
          ) >= ${quality?.afterDays}
          group by ${dateColumn}
          having count(*) filter (${quality?.column} >= ${quality?.good}) < ${quality?.minGoodShare} * count(*)`,
        );
        poor.push(...below.getRows().map(([date]) => `${name} on ${String(date)}`));
      }
      expect(poor).toEqual([]);
    });
  });
});

describe("the production target", () => {
  test("names its secrets by file, and says which one is missing", async () => {
    const env = { GCP_PROJECT: "p", REDIS_URL: "redis://localhost" };
    await expect(loadConfig({ file, target: "prod", env })).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(/http\.token_file\n +expected {2}a file with a secret/),
    });
  });

  test("starts the backfill job of every processor by its command, on any warehouse", async () => {
    const production = await onAnyWarehouse(folder);
    const jobs = production.pipeline.processors.map(({ name, repairUnit }) => {
      const unit = repairUnit === null ? undefined : production.pipeline.repairUnits[repairUnit];
      return [name, unit?.action.kind === "command" ? unit.action.argv : null, unit?.replaces];
    });
    const range = ["--start-date", "{{start_date}}", "--end-date", "{{end_date}}"];
    expect(jobs).toEqual(
      production.pipeline.processors.map(({ name, phase }) => {
        const script = `backfill_jobs/${jobFolders.get(phase ?? "")}/{{processor}}/{{processor}}_backfill.py`;
        return [name, ["python", script, ...range], true];
      }),
    );
    expect(
      production.pipeline.repairUnits.map(({ action }) => action.kind === "command" && action.env),
    ).toEqual(production.pipeline.processors.map(() => ({ GOOGLE_CLOUD_PROJECT: "analytics-project" })));
    expect(production.pipeline.schedules.map(({ maxGapDays }) => maxGapDays)).toEqual([200]);
  });
});

const jobFolders: ReadonlyMap<string, string> = new Map([
  ["2", "raw"],
  ["3", "analytics"],
  ["4", "precompute"],
  ["5", "predictions"],
  ["5B", "grading"],
]);

/** The production target with an embedded warehouse in place of the one that needs a cloud. */
async function onAnyWarehouse(parent: string): Promise<Config> {
  const copy = join(parent, "production");
  await cp(fileURLToPath(exampleDirectory), copy, { recursive: true });
  const document: { targets: { prod: Record<string, unknown> } } = parse(await readFile(file, "utf8"));
  const { prod } = document.targets;
  prod["warehouse"] = { type: "duckdb", path: "./nba.duckdb" };
  for (const key of ["ledger", "redis", "http"]) delete prod[key];
  const target = join(copy, "pipeline.yaml");
  await writeFile(target, stringify(document, { aliasDuplicateObjects: false }));
  return loadConfig({ file: target, target: "prod", env: { GCP_PROJECT: "analytics-project" } });
}

function columnsOf(result: DuckDBResult): string[][] {
  return result.columnNames().map((column, index) => [column, String(result.columnType(index))]);
}

/** A query for everything that a processor's expectation names. */
function statementsOf({ pipeline }: Config, processor: Processor): string[] {
  const { expect: expectation, writtenAtColumn, dateColumn, table } = processor;
  const { coverage, uniqueKeys, notNull, checks, quality, rows } = expectation;
  const columns = [dateColumn, ...uniqueKeys.flat(), ...notNull.map(({ column }) => column)];
  if (writtenAtColumn !== null) columns.push(writtenAtColumn);
  if (quality !== null) columns.push(quality.column);
  if (coverage !== null) columns.push(coverage.key);
  const statements = [`select ${columns.join(", ")} from ${tableText(table)} limit 1`];
  for (const { sql } of checks) statements.push(`select count(*) from ${tableText(table)} where ${sql}`);
  const other = (name: string, key: string): void => {
    const found = pipeline.processors.find((candidate) => candidate.name === name);
    statements.push(`select ${key} from ${found === undefined ? name : tableText(found.table)} limit 1`);
  };
  if (coverage?.of.kind === "processor") other(coverage.of.name, coverage.ofKey);
  if (rows.perEntity !== null) other(rows.perEntity.of, rows.perEntity.key ?? "*");
  const excuse = coverage?.excusedBy ?? null;
  if (excuse !== null) {
    statements.push(
      `select ${excuse.dateColumn}, ${excuse.key} from ${tableText(excuse.table)} where ${excuse.where ?? "true"} limit 1`,
    );
  }
  return statements;
}
