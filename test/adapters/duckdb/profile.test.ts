import { rename } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  createDuckDbWarehouse,
  type DuckDbWarehouseOptions,
} from "../../../src/adapters/duckdb/warehouse.ts";
import { parseIsoDate, toDay } from "../../../src/core/iso-date.ts";
import type { ProcessorObservation } from "../../../src/core/observation.ts";
import { makeTempWarehouse, type TempWarehouse } from "../../support/duckdb.ts";
import { pipelineOf, type ProcessorSketch } from "../../support/pipeline.ts";

let file: TempWarehouse;
beforeEach(async () => {
  file = await makeTempWarehouse([
    "create schema warehouse",
    "create schema stats",
    "create table stats.good as select date '2024-01-02' as game_date, 1 as v",
  ]);
});
afterEach(() => file.remove());

const range = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-31") };
const good: ProcessorSketch = { table: { parts: ["stats", "good"] } };

async function profile(
  sketches: Readonly<Record<string, ProcessorSketch>>,
  options: Partial<DuckDbWarehouseOptions> & { signal?: AbortSignal } = {},
): Promise<ReadonlyMap<string, ProcessorObservation>> {
  const { signal, ...more } = options;
  const { processors } = pipelineOf({ processors: sketches });
  const warehouse = createDuckDbWarehouse({
    path: file.path,
    timezone: "America/New_York",
    processors,
    schedules: [],
    ...more,
  });
  const request = { processors, range, ...(signal === undefined ? {} : { signal }) };
  return (await warehouse.profile(request)).processors;
}

const endless = "(select count(*) from range(1000000000000) r where md5(r.range::varchar) = '') = 0";

test("a table that takes too long fails alone, and the others are seen all the same", async () => {
  const found = await profile(
    { one: good, slow: { ...good, where: endless }, two: good },
    { queryTimeoutMs: 3_000 },
  );
  expect(found.get("slow")).toMatchObject({ kind: "failed", failure: { code: "timeout" } });
  expect([found.get("one")?.kind, found.get("two")?.kind]).toEqual(["observed", "observed"]);
});

test("a profile that is called off ends at once, though its statement does not", async () => {
  const profiling = profile({ slow: { ...good, where: endless } }, { signal: AbortSignal.timeout(100) });
  await expect(profiling).rejects.toMatchObject({ code: "interrupted" });
});

test("a view over a table that is gone fails alone as not found", async () => {
  await file.write([
    "create table stats.base as select * from stats.good",
    "create view stats.gone as select * from stats.base",
    "drop table stats.base",
  ]);
  const found = await profile({ gone: { table: { parts: ["stats", "gone"] } }, good });
  expect(found.get("gone")).toMatchObject({ kind: "failed", failure: { code: "not_found" } });
  expect(found.get("good")?.kind).toBe("observed");
});

test("a schema that has the file's own name is read all the same", async () => {
  await file.write(["create table warehouse.points as select * from stats.good"]);
  const found = await profile({ points: { table: { parts: ["warehouse", "points"] } } });
  expect(found.get("points")?.kind).toBe("observed");
});

test("names are found whatever their case, and odd ones are quoted", async () => {
  await file.write([
    `create table stats."Odd ""name" as select date '2024-01-02' as "Game Date", 1 as "select"`,
  ]);
  const found = await profile({
    odd: {
      table: { parts: ["STATS", 'odd "name'] },
      dateColumn: "game date",
      expect: { uniqueKeys: [["game date", "SELECT"]], notNull: [{ column: "Select", maxRatio: 0 }] },
    },
  });
  expect(found.get("odd")).toMatchObject({ kind: "observed", profile: { rows: Float64Array.of(1) } });
});

test("a check may use a column that has the name of one of ours, and none that only we have", async () => {
  await file.write([
    "create table stats.rows as select date '2024-01-02' as game_date, 5 as rows, 1 as gr_day",
  ]);
  const table = { parts: ["stats", "rows"] };
  const found = await profile({
    own: { table, expect: { checks: [{ name: "own", sql: "rows > 9 or gr_day > 9" }] } },
    ours: { ...good, expect: { checks: [{ name: "ours", sql: "gr_arm > 0" }] } },
  });
  expect(found.get("own")).toMatchObject({ kind: "observed", profile: { metrics: [Float64Array.of(1)] } });
  expect(found.get("ours")?.kind).toBe("failed");
});

test("no file, and a file that is no database, fail the whole profile", async () => {
  await expect(profile({ good }, { path: join(file.folder, "none.duckdb") })).rejects.toMatchObject({
    code: "warehouse_not_found",
  });
  await rename(file.path, join(file.folder, "moved.duckdb"));
  await expect(profile({ good })).rejects.toMatchObject({ code: "warehouse_not_found" });
});

/** One row of random data: few values, so that they collide and are NULL often. */
const row = fc.record({
  date: fc.option(fc.constantFrom("2023-12-31", "2024-01-01", "2024-01-02", "2024-01-31", "2024-02-01")),
  key: fc.option(fc.constantFrom("a", "b", "c")),
  team: fc.option(fc.constantFrom("x", "y")),
  score: fc.option(fc.integer({ min: -2, max: 3 })),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

/** The same numbers counted one by one. */
function reference(rows: readonly Row[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  const dates = new Set(
    rows.flatMap(({ date }) => (date !== null && date.startsWith("2024-01") ? [date] : [])),
  );
  for (const date of dates) {
    const here = rows.filter((candidate) => candidate.date === date);
    const distinct = (of: (one: Row) => unknown) => new Set(here.map((one) => JSON.stringify(of(one)))).size;
    found.set(toDay(parseIsoDate(date)), [
      here.length,
      here.length - distinct(({ key }) => key),
      here.length - distinct(({ key, team }) => [key, team]),
      here.filter(({ score }) => score === null).length,
      here.filter(({ score }) => score !== null && score < 0).length,
      here.filter(({ score }) => score !== null && score >= 1).length,
    ]);
  }
  return found;
}

test("any table is counted as one would count by hand", async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
      made += 1;
      const name = `random_${made}`;
      const text = (value: string | number | null) => (value === null ? "null" : `'${value}'`);
      const values = rows.map(
        ({ date, key, team, score }) => `(${[date, key, team, score].map(text).join(", ")})`,
      );
      await file.write([
        `create table stats.${name} (game_date date, key varchar, team varchar, score int)`,
        ...(values.length === 0 ? [] : [`insert into stats.${name} values ${values.join(", ")}`]),
      ]);
      const found = await profile({
        random: {
          table: { parts: ["stats", name] },
          expect: {
            uniqueKeys: [["key"], ["key", "game_date", "team"]],
            notNull: [{ column: "score", maxRatio: 0 }],
            checks: [{ name: "positive", sql: "score >= 0" }],
            quality: { column: "score", good: 1, ok: 1, degraded: 1, minGoodShare: 1, afterDays: 0 },
          },
        },
      });
      const seen = found.get("random");
      if (seen?.kind !== "observed") throw new Error(JSON.stringify(seen));
      const columns = [seen.profile.rows, ...seen.profile.metrics.slice(0, 5)];
      const counted = [...seen.profile.days].map((day, index): [number, (number | undefined)[]] => [
        day,
        columns.map((column) => column[index]),
      ]);
      expect(new Map(counted)).toEqual(reference(rows));
      expect([...seen.profile.days]).toEqual([...seen.profile.days].sort((one, other) => one - other));
    }),
    { numRuns: 40 },
  );
}, 180_000);
