import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyPrefix } from "../src/adapters/redis/server.ts";
import { addDays, type IsoDate, parseIsoDate } from "../src/core/iso-date.ts";
import { startBigQuery } from "../test/support/bigquery/server.ts";
import { makeTempWarehouse } from "../test/support/duckdb.ts";
import { asIfUsedBefore, startRedis } from "../test/support/redis.ts";

/** A pipeline of two tables, one made of the other, both of them empty on every date. */
export interface BrokenPipeline {
  /** The pipeline file. */
  readonly file: string;
  readonly dates: readonly IsoDate[];
  remove(): Promise<void>;
}

const firstDate = parseIsoDate("2024-01-01");

/** In one process: DuckDB, and nothing that several processes share. */
export async function embeddedPipeline(dateCount: number): Promise<BrokenPipeline> {
  const dates = datesOf(dateCount);
  const warehouse = await makeTempWarehouse([
    "create schema bench",
    "create table bench.days (day date)",
    `insert into bench.days values ${dates.map((date) => `('${date}')`).join(", ")}`,
    "create table bench.upstream (day date)",
    "create table bench.downstream (day date)",
  ]);
  const storage = "warehouse: { type: duckdb, path: ./warehouse.duckdb }";
  return {
    file: await writePipeline(warehouse.folder, storage),
    dates,
    remove: () => warehouse.remove(),
  };
}

/** The local BigQuery in this process, its SQL engine and Redis in others. */
export async function distributedPipeline(dateCount: number): Promise<BrokenPipeline> {
  const dates = datesOf(dateCount);
  const [redis, server] = await Promise.all([startRedis(), startBigQuery()]);
  await asIfUsedBefore([redis], `${keyPrefix("bench")}locks:`);
  const column = { columns: { day: "DATE" }, partition: { column: "day" } };
  server.define(
    { name: "bench.days", ...column, rows: dates.map((date) => [date]) },
    { name: "bench.upstream", ...column },
    { name: "bench.downstream", ...column },
  );
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-bench-"));
  const { projectId, location, url } = server;
  const file = await writePipeline(
    folder,
    `warehouse: { type: bigquery, project: ${projectId}, location: ${location}, api_endpoint: "${url}" }
ledger: { dataset: reconciler }
redis: { url: "${redis.url}" }`,
  );
  return {
    file,
    dates,
    async remove() {
      await Promise.all([redis.stop(), server.stop(), rm(folder, { recursive: true, force: true })]);
    },
  };
}

function datesOf(count: number): readonly IsoDate[] {
  return Array.from({ length: count }, (_, day) => addDays(firstDate, day));
}

/** One date for each repair. Slots are there for all that is downstream, so that none of it waits for another's. */
async function writePipeline(folder: string, storage: string): Promise<string> {
  await writeFile(
    join(folder, "fill.sql"),
    "select day from bench.days where day between $start_date and $end_date",
  );
  const file = join(folder, "pipeline.yaml");
  await writeFile(
    file,
    `version: 1
pipeline: bench
timezone: UTC
${storage}
limits: { jobs_max: 200 }
safety: { circuit_breaker: { failures: 1000 } }
schedule: { table: bench.days, date_column: day }
defaults: { date_column: day, repair: { sql_file: fill.sql, max_dates_per_job: 1 } }
processors:
  upstream: { table: bench.upstream, repair: { concurrency: 2 } }
  downstream: { table: bench.downstream, depends_on: [upstream], repair: { concurrency: 200 } }
`,
  );
  return file;
}
