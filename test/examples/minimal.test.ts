import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DuckDBValue } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { boundsOf, range } from "../../src/demo/damage.ts";
import { withDemoWarehouse } from "../../src/demo/open.ts";

// Goal: the smallest example does what its README says, as a reader would run it. Method: its files in a folder of their own.

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gap-reconciler-minimal-"));
  cpSync(join(root, "examples", "minimal"), folder, { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  // Twice, because it says that every run makes the file anew.
  for (let run = 1; run <= 2; run += 1)
    execFileSync(process.execPath, ["setup.mjs"], { cwd: folder, stdio: "pipe" });
});

const warehouseFile = () => join(folder, "warehouse.duckdb");

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("the minimal pipeline loads, and revenue waits for the orders of its day", async () => {
  const { pipeline, storage } = await loadConfig({
    file: join(folder, "pipeline.yaml"),
    target: null,
    env: {},
  });
  expect(storage).toMatchObject({ type: "duckdb", path: warehouseFile() });
  expect(pipeline.processors.map(({ name, edges }) => [name, edges.flatMap(({ anyOf }) => anyOf)])).toEqual([
    ["orders", []],
    ["revenue", ["orders"]],
  ]);
});

test("the minimal warehouse has the gaps that the README tells, and its SQL fills them", async () => {
  const { pipeline } = await loadConfig({ file: join(folder, "pipeline.yaml"), target: null, env: {} });
  const january = boundsOf(range("2024-01-01", "2024-01-31"));
  const missing = {
    orders: ["2024-01-09", "2024-01-10"],
    revenue: ["2024-01-09", "2024-01-10", "2024-01-20"],
  };
  await withDemoWarehouse(warehouseFile(), async (connection) => {
    const read = async (sql: string): Promise<DuckDBValue[]> =>
      (await connection.runAndReadAll(sql)).getRows().flat();
    const absent = (processor: string): Promise<DuckDBValue[]> =>
      read(
        `select day::varchar from shop.opening_days where day not in (select day from shop.${processor}) order by 1`,
      );
    expect({ orders: await absent("orders"), revenue: await absent("revenue") }).toEqual(missing);

    for (const { name, repairUnit } of pipeline.processors) {
      const action = repairUnit === null ? undefined : pipeline.repairUnits[repairUnit]?.action;
      const sql = action?.kind === "sql" ? action.sql : "";
      await connection.run(
        `insert into shop.${name} from (${sql}) where day not in (select day from shop.${name})`,
        january,
      );
    }
    expect({ orders: await absent("orders"), revenue: await absent("revenue") }).toEqual({
      orders: [],
      revenue: [],
    });
    expect(await read("select count(*)::integer from shop.orders")).toEqual([27 * 40]);
    expect(await read("select distinct amount from shop.revenue")).toEqual([580]);
  });
});
