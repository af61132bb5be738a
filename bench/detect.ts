/**
 * What detecting costs beside the least that any detector must do.
 *
 * Baseline: open the file, one UNION ALL of counts per date over the same tables, fetched in columns, close. Measured:
 * what `reconcile status` does for the same tables: the schedule, the profiles, the assessment. `detect` asks the same
 * question as the baseline (rows per date); `detect_checks` also asks for write times, a key and a check.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { compose } from "../src/compose.ts";
import { loadConfig } from "../src/config/load-config.ts";
import { type Benchmark, compare } from "./measure.ts";

const tables = 15;
const dates = 1200;
const rowsPerDate = 450;
const rounds = 7;

export async function detectBenchmarks(): Promise<readonly Benchmark[]> {
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-bench-"));
  try {
    const warehouse = join(folder, "warehouse.duckdb");
    await makeWarehouse(warehouse);
    const counts = () => countsPerDate(warehouse);
    return [
      await compare("detect", "ms", rounds, await detector(folder, "plain", ""), counts),
      await compare("detect_checks", "ms", rounds, await detector(folder, "checks", checked), counts),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const checked = `
    written_at_column: processed_at
    expect:
      rows: { min: ${rowsPerDate} }
      not_null: [player]
      checks: { score_in_range: score between 0 and 100 }`;

/** Observe and assess, as the command does; it must find everything complete, or it measured something else. */
async function detector(folder: string, name: string, processor: string): Promise<() => Promise<void>> {
  const file = join(folder, `${name}.yaml`);
  const processors = numbers(tables).map(
    (table) =>
      `  t${table}:\n    table: w.t${table}\n    date_column: d${processor || `\n    expect: { rows: { min: ${rowsPerDate} } }`}`,
  );
  await writeFile(
    file,
    `version: 1
pipeline: bench
timezone: UTC
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { table: w.days, date_column: d }
processors:
${processors.join("\n")}
`,
  );
  const app = await compose(await loadConfig({ file, target: null, env: {} }), {
    logging: { level: "error", pretty: false },
  });
  return async () => {
    const { assessment } = await app.look({
      selection: { processors: null, startDate: null, endDate: null },
      asOf: Date.UTC(2024, 0, 1),
    });
    const complete = assessment.grid.states.reduce((sum, state) => sum + (state === 2 ? 1 : 0), 0);
    if (complete !== tables * dates)
      throw new Error(`expected ${tables * dates} complete cells, found ${complete}`);
  };
}

async function countsPerDate(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const arms = numbers(tables).map(
    (table) => `select ${table} as t, d, count(*) as n from w.t${table} group by d`,
  );
  const result = await connection.runAndReadAll(arms.join(" union all "));
  const counted = result.getColumns()[2]?.length ?? 0;
  connection.closeSync();
  instance.closeSync();
  if (counted !== tables * dates) throw new Error(`expected ${tables * dates} counts, found ${counted}`);
}

async function makeWarehouse(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run("create schema w");
  await connection.run(
    `create table w.days as select date '2020-01-01' + i::integer as d from range(${dates}) as r(i)`,
  );
  for (const table of numbers(tables)) {
    await connection.run(
      `create table w.t${table} as
       select d, 'player-' || p as player, (hash(d, p, ${table}) % 100)::double as score,
         (d + 1)::timestamp + to_seconds(p) as processed_at
       from w.days, range(${rowsPerDate}) as r(p) order by d`,
    );
  }
  connection.closeSync();
  instance.closeSync();
}

function numbers(count: number): readonly number[] {
  return [...Array(count).keys()];
}
