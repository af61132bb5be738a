// Goal: a verdict does not depend on where the data is. Method: the same random tables, few values each so that they collide and
// are NULL often, in DuckDB and in Google's own engine; what the adapters profile and schedule has to be the same, to the bit.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quoteIdentifier, quoteText } from "../../src/adapters/duckdb/sql-text.ts";
import { createDuckDbWarehouse } from "../../src/adapters/duckdb/warehouse.ts";
import type { ScheduleSpec } from "../../src/core/pipeline.ts";
import type { Warehouse } from "../../src/reconcile/ports.ts";
import { january, table } from "../contract/warehouse-fixture.ts";
import { type BigQueryServer, startBigQuery } from "../support/bigquery/server.ts";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";
import { pipelineOf } from "../support/pipeline.ts";
import { openWarehouse } from "./bigquery/open.ts";

const columns = {
  game_date: { bigquery: "DATE", duckdb: "date" },
  local_time: { bigquery: "DATETIME", duckdb: "timestamp" },
  instant: { bigquery: "TIMESTAMP", duckdb: "timestamptz" },
  key: { bigquery: "STRING", duckdb: "varchar" },
  score: { bigquery: "INT64", duckdb: "bigint" },
  share: { bigquery: "FLOAT64", duckdb: "double" },
} as const;
const names = Object.keys(columns);

const day = fc.constantFrom("2023-12-31", "2024-01-01", "2024-01-02", "2024-01-31", "2024-02-01");
/** Both sides of midnight, in UTC and in New York. */
const time = fc.constantFrom(
  "2024-01-01 04:59:59",
  "2024-01-01 05:00:00",
  "2024-01-02 00:00:00",
  "2024-01-31 23:59:59",
  "2024-02-01 04:59:59.123456",
  "2024-02-01 05:00:00",
);
const row = fc.tuple(
  fc.option(day),
  fc.option(time),
  fc.option(time.map((text) => `${text}+00`)),
  fc.option(fc.constantFrom("a", "b", "A", "é", "")),
  fc.option(fc.integer({ min: -2, max: 3 })),
  fc.option(fc.constantFrom("0.5", "1", "90", "NaN", "-0.0", "1e300", "inf")),
);
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;
const rows = fc.array(row, { maxLength: 25 });

const scene = fc.record({
  tables: fc.record({ main: rows, other: rows, third: rows }),
  dateColumn: fc.constantFrom("game_date", "local_time", "instant"),
  timezone: fc.constantFrom("America/New_York", "Asia/Beirut", "UTC"),
});

let server: BigQueryServer;
let file: TempWarehouse;
beforeAll(async () => {
  server = await startBigQuery();
  file = await makeTempWarehouse(["create schema stats"]);
});
afterAll(async () => {
  await server.stop();
  await file.remove();
});

async function fill(tables: Readonly<Record<string, readonly Row[]>>): Promise<void> {
  const statements: string[] = [];
  for (const [name, data] of Object.entries(tables)) {
    const types = Object.entries(columns).map(([column, { bigquery }]) => [column, bigquery]);
    server.define({ name: `stats.${name}`, columns: Object.fromEntries(types), rows: data });
    const definitions = Object.entries(columns).map(
      ([column, { duckdb }]) => `${quoteIdentifier(column)} ${duckdb}`,
    );
    const values = data.map(
      (cells) => `(${cells.map((cell) => (cell === null ? "null" : quoteText(String(cell)))).join(", ")})`,
    );
    statements.push(`create or replace table stats.${name} (${definitions.join(", ")})`);
    if (values.length > 0) {
      const list = names.map(quoteIdentifier).join(", ");
      statements.push(`insert into stats.${name} (${list}) values ${values.join(", ")}`);
    }
  }
  await file.write(statements);
}

/** Processors whose expectations hold every metric that there is, and a schedule. */
function pipelineOn(dateColumn: string) {
  const coverage = {
    of: { kind: "processor", name: "other" },
    key: "key",
    ofKey: "key",
    min: 1,
    excusedBy: null,
  } as const;
  const schedule: ScheduleSpec = {
    name: "default",
    source: {
      kind: "table",
      table: table("stats.other"),
      dateColumn,
      unitColumn: "key",
      seasonColumn: "score",
      where: "share is not null",
    },
    startDate: null,
    maxGapDays: null,
  };
  return pipelineOf({
    schedules: [schedule],
    processors: {
      main: {
        table: table("stats.main"),
        dateColumn,
        writtenAtColumn: "instant",
        where: "score is null or score > -2",
        expect: {
          rows: {
            perEntity: { of: "other", key: "key", min: 1 },
            completionLog: { table: table("stats.third"), dateColumn: "game_date", where: "score > 0" },
          },
          coverage: {
            ...coverage,
            excusedBy: { table: table("stats.third"), dateColumn: "instant", key: "key", where: null },
          },
          uniqueKeys: [["key"], ["game_date", "key", "score"], ["game_date"], ["score"]],
          notNull: [{ column: "share", maxRatio: 0 }],
          checks: [{ name: "not negative", sql: "score >= 0" }],
          measures: [
            { name: "mean", sql: "avg(score)", min: null, max: null },
            { name: "keys", sql: "count(distinct key)", min: null, max: null },
          ],
          quality: { column: "share", good: 90, ok: 1, degraded: 0.5, minGoodShare: 1, afterDays: 0 },
        },
      },
      other: { table: table("stats.other"), dateColumn, writtenAtColumn: "local_time" },
      third: {
        table: table("stats.third"),
        writtenAtColumn: "game_date",
        expect: { coverage: { ...coverage, of: { kind: "schedule" } } },
      },
    },
  });
}

test("DuckDB and BigQuery see the same in any tables", async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ tables, dateColumn, timezone }) => {
      await fill(tables);
      const { processors, schedules } = pipelineOn(dateColumn);
      const pipeline = { processors, schedules, timezone };
      const look = async (warehouse: Warehouse) => {
        const scheduled = await warehouse.readSchedules(schedules, january);
        const profiled = await warehouse.profile({ processors, range: january });
        await warehouse.close();
        return { schedule: scheduled.get("default"), profiles: profiled.processors };
      };
      const local = await look(createDuckDbWarehouse({ path: file.path, ...pipeline }));
      expect([...local.profiles.values()].map(({ kind }) => kind)).toEqual([
        "observed",
        "observed",
        "observed",
      ]);
      expect(await look(openWarehouse(server, pipeline))).toEqual(local);
    }),
    { numRuns: 100 },
  );
}, 180_000);
