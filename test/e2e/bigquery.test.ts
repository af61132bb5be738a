import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ResultDocument } from "../../src/core/result-document.ts";
import { gapsOf } from "./scene.ts";
import {
  type BigQueryPlatform,
  bigQueryPlatform,
  duckDbPlatform,
  type Platform,
  someHoles,
  tableNames,
} from "./platform.ts";

const timeoutMs = 120_000;

/** What must not depend on where the data is: no instants, ids or costs. */
function verdict({ counts, converged, exempt, gaps, unknown, unexpected, range, repairs }: ResultDocument) {
  const runs = repairs.flatMap(({ repair, outcome, cells }) =>
    cells.map(({ processor, date, outcome: own }) => `${repair} ${outcome} ${processor} ${date} ${own}`),
  );
  return { counts, converged, exempt, gaps, unknown, unexpected, range, runs: runs.toSorted() };
}

describe("a pipeline on BigQuery, beside the same one on DuckDB", () => {
  let bigquery: BigQueryPlatform;
  let duckdb: Platform;
  beforeAll(async () => {
    [bigquery, duckdb] = await Promise.all([bigQueryPlatform(someHoles), duckDbPlatform(someHoles)]);
  }, timeoutMs);
  afterAll(async () => {
    await Promise.all([bigquery.remove(), duckdb.remove()]);
  });

  test(
    "plans the same, tells what it would cost, and writes nothing",
    async () => {
      const [here, there] = [await bigquery.report("plan"), await duckdb.report("plan")];
      expect(here.code).toBe(2);
      const steps = ({ plan }: ResultDocument) =>
        plan.map(({ id, wave, dates, needs, reason }) => ({ id, wave, dates, needs, reason }));
      expect(steps(here.document)).toEqual(steps(there.document));
      expect(gapsOf(here.document)).toEqual(gapsOf(there.document));
      expect(
        here.document.plan.every(({ forecast_bytes }) => (forecast_bytes ?? 0) >= 2 * 10 * 2 ** 20),
      ).toBe(true);
      expect(here.document.cost?.forecast_bytes).toBeGreaterThan(0);
      expect(there.document.cost).toBeNull();
      expect(
        bigquery.server.stats.calls.filter((call) => call.endsWith(".insert") && call !== "jobs.insert"),
      ).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "makes its ledger, converges, and ends with the same report and the same rows",
    async () => {
      const created = await bigquery.run("validate", "--connect", "--create");
      expect(created).toMatchObject({ code: 0 });
      const [here, there] = [await bigquery.report("--once"), await duckdb.report("--once")];
      expect(here).toMatchObject({ code: 0, document: { converged: true } });
      expect(verdict(here.document)).toEqual(verdict(there.document));
      for (const table of tableNames) expect(await bigquery.rows(table)).toEqual(await duckdb.rows(table));
      const [report, other] = [await bigquery.run("report"), await duckdb.run("report")];
      const timeless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "T");
      expect(timeless(report.stdout)).toBe(timeless(other.stdout));
    },
    timeoutMs,
  );

  test(
    "a run that finds nothing changed is billed for nothing",
    async () => {
      bigquery.billed();
      const quiet = await bigquery.report("--once");
      expect(quiet).toMatchObject({
        code: 0,
        document: { converged: true, repairs: [], cost: { scan_bytes: 0 } },
      });
      expect(bigquery.billed()).toBe(0);
    },
    timeoutMs,
  );
});
