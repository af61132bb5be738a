import { afterAll, beforeAll } from "vitest";
import { describeLedgerContract } from "../../contract/ledger.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { openLedger } from "./open.ts";

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
    open: () => openLedger(server, dataset),
    cleanup: () => Promise.resolve(),
  });
});
