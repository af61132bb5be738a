import { afterEach, beforeEach, expect, test } from "vitest";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import type { RunHistoryRequest, Warehouse } from "../../../src/reconcile/ports.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import { instant } from "../../support/ledger.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { runHistoryOf } from "../../support/pipeline.ts";
import { openWarehouse, readRows } from "./open.ts";

// Goal: a run history costs nothing while nothing happens, and nothing that happens is missed for that.

let server: BigQueryServer;
let warehouse: Warehouse;
beforeEach(async () => {
  server = await startBigQuery();
  warehouse = openWarehouse(server, { processors: [], schedules: [] });
  server.define({
    name: "ops.runs",
    columns: {
      processor_name: "STRING",
      status: "STRING",
      data_date: "DATE",
      started_at: "TIMESTAMP",
      errors: "ARRAY<STRING>",
    },
    partition: { column: "data_date", requireFilter: true },
    rows: [["scores", "success", "2024-01-02", "2024-01-03T05:00:00Z", []]],
  });
});
afterEach(() => server.stop());

const request: RunHistoryRequest = {
  spec: runHistoryOf({ table: table("ops.runs"), errorColumn: "errors" }),
  names: ["scores"],
  range: { start: parseIsoDate("2023-10-01"), end: parseIsoDate("2024-01-31") },
  since: instant("2024-01-01T00:00Z"),
  withErrors: false,
};

const row = ["scores", "running", "2024-01-02", "2024-01-03T06:00:00Z", ["late"]] as const;
const insert =
  "insert into ops.runs values ('scores', 'running', date '2024-01-02', timestamp '2024-01-03 06:00:00+00', ['late'])";

/** What the runs of a reading are, and what it was billed for. */
async function read(more: Partial<RunHistoryRequest> = {}) {
  server.stats.clear();
  const reading = await warehouse.readRunHistory({ ...request, ...more });
  const runs = reading.kind === "read" ? reading.runs.map(({ status }) => status) : reading.failure.message;
  return { runs, isBilled: server.stats.queries.some(({ bytesBilled }) => bytesBilled > 0) };
}

test("the same question to a table that did not change is told from memory, for nothing", async () => {
  expect(await read()).toEqual({ runs: ["success"], isBilled: true });
  expect(await read()).toEqual({ runs: ["success"], isBilled: false });
  await readRows(server, insert);
  expect(await read()).toEqual({ runs: ["running", "success"], isBilled: true });
  expect(await read()).toEqual({ runs: ["running", "success"], isBilled: false });
});

test("another process asks once more, for what BigQuery itself has in its cache as long as the day lasts", async () => {
  await read();
  warehouse = openWarehouse(server, { processors: [], schedules: [] });
  expect(await read()).toEqual({ runs: ["success"], isBilled: false });
  expect(server.stats.queries.map(({ labels }) => labels["purpose"])).toEqual(["run_history"]);
});

test("another question is asked, and so is one for the texts of errors", async () => {
  await read();
  const later = { ...request.range, end: parseIsoDate("2024-02-01") };
  expect(await read({ range: later })).toMatchObject({ isBilled: true });
  expect(await read({ range: later, withErrors: true })).toMatchObject({ isBilled: true });
  expect(await read({ range: later })).toMatchObject({ isBilled: false });
});

test("a table with a streaming buffer is always asked", async () => {
  await read();
  server.stream("ops.runs", [row]);
  expect(await read()).toEqual({ runs: ["running", "success"], isBilled: true });
  expect(await read()).toEqual({ runs: ["running", "success"], isBilled: true });
});

test("a filter that depends on the moment is always asked, and analyzed before it first runs", async () => {
  const spec = { ...request.spec, where: "data_date <= current_date()" };
  expect(await read({ spec })).toMatchObject({ isBilled: true });
  expect(server.stats.queries.map(({ labels }) => labels["purpose"])).toEqual(["analyze", "run_history"]);
  expect(await read({ spec })).toMatchObject({ isBilled: true });
});
