import { afterAll, beforeAll } from "vitest";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { describeLedgerContract } from "../../contract/ledger.ts";
import { createBigQueryLedger } from "../../../src/adapters/bigquery/ledger.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());

let datasets = 0;
describeLedgerContract("a BigQuery dataset", () => {
  datasets += 1;
  const dataset = `ledger_${datasets}`;
  return Promise.resolve({
    open: () =>
      createBigQueryLedger({
        project: server.projectId,
        dataset,
        location: server.location,
        pipeline: "tests",
        target: "local",
        apiEndpoint: server.url,
        retryFromMs: 20,
        gatherMs: 5,
      }),
    cleanup: () => Promise.resolve(),
  });
});
