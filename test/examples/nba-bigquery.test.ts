// Goal: the example's repairs in GoogleSQL say what those in DuckDB's SQL say. Method: the same four weeks of a season in DuckDB and in
// the local BigQuery; the end of each table is computed on both, and the product's own check holds the SELECT against its table.
import { fileURLToPath } from "node:url";
import { BigQuery } from "@google-cloud/bigquery";
import { beforeAll, describe, expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { boundsOf, range } from "../../src/demo/damage.ts";
import { demoTables, exampleDirectory, readRepair } from "../../src/demo/tables.ts";
import { openWarehouse } from "../adapters/bigquery/open.ts";
import { connected } from "../bigquery/connect.ts";
import { readTables, withNbaWarehouse } from "../support/bigquery/nba.ts";

const dates = range("2024-10-22", "2024-11-16");
/** With days before them that windows reach into, and past the bootstrap of every table at their end. */
const repaired = range("2024-11-06", dates.end);
const processors = demoTables.map(({ processor }) => processor);
const expected = new Map<string, readonly string[]>();
const local = connected({ projectId: "nba-offline" });
let config: Config;

beforeAll(async () => {
  const file = fileURLToPath(new URL("pipeline.yaml", exampleDirectory));
  config = await loadConfig({ file, target: "offline", env: {} });
  await withNbaWarehouse(dates, async (connection) => {
    local.bigquery.define(...(await readTables(connection)));
    for (const processor of processors) {
      const repair = `select * exclude (processed_at) from (${await readRepair(processor)})`;
      const reader = await connection.runAndReadAll(repair, boundsOf(repaired));
      expected.set(processor, reader.getRowObjectsJson().map(textOf).toSorted());
    }
  });
});

test("the offline target is the local server's project, and every repair is GoogleSQL of its own", () => {
  expect(config.storage).toMatchObject({
    type: "bigquery",
    project: "nba-offline",
    apiEndpoint: "http://127.0.0.1:9050",
  });
  const files = config.pipeline.repairUnits.map(({ action }) => (action.kind === "sql" ? action.file : ""));
  expect(files.map((file) => file.replace(/.*\/examples\/nba\//, "")).toSorted()).toEqual(
    processors.map((processor) => `repairs/bigquery/${processor}.sql`).toSorted(),
  );
});

describe.each(processors)("%s", (name) => {
  test("fits its table, and is the same in both dialects", async () => {
    const { pipeline } = config;
    const processor = pipeline.processors.find((candidate) => candidate.name === name);
    const action = pipeline.repairUnits[processor?.repairUnit ?? -1]?.action;
    if (processor === undefined || action?.kind !== "sql") throw new Error(`${name} has no SQL repair`);
    const warehouse = openWarehouse(local.bigquery, pipeline);
    expect(await warehouse.checkRepair({ ...action, processor })).toBeNull();
    await warehouse.close();

    const [rows] = await local.client.query({
      query: `select * except (processed_at) from (${action.sql}\n)`,
      params: { start_date: BigQuery.date(repaired.start), end_date: BigQuery.date(repaired.end) },
    });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map(textOf).toSorted()).toEqual(expected.get(name));
  });
});

/** A row as text that is the same however a client hands over dates and whole numbers. */
function textOf(row: Readonly<Record<string, unknown>>): string {
  const values = Object.entries(row).map(([column, value]) => {
    const isDate = typeof value === "object" && value !== null && "value" in value;
    return `${column}: ${String(isDate ? value.value : value)}`;
  });
  return values.join(", ");
}
