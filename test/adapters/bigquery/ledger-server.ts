import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { openLedger } from "./open.ts";

export interface LedgerServer {
  readonly server: BigQueryServer;
  /** Of the ledger that was made for this test. */
  readonly dataset: string;
  readonly ledger: ReturnType<typeof openLedger>;
  /** The name of a dataset that is not there. */
  newDataset(): string;
  /** How often the call was made in this test. */
  callsOf(name: string): number;
  inserts(): BigQueryServer["stats"]["queries"];
  rowsIn(table: string): Promise<number>;
  /** What the REST interface says of a path in the project. */
  resource(path: string, method?: string, body?: object): Promise<unknown>;
}

/** A local server for the tests of a file, with a new ledger for each of them. */
export function ledgerServer(): LedgerServer {
  let server: BigQueryServer;
  let dataset: string;
  let ledger: ReturnType<typeof openLedger>;
  let datasets = 0;
  const newDataset = () => {
    datasets += 1;
    return `ledger_${datasets}`;
  };
  beforeAll(async () => {
    server = await startBigQuery();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    dataset = newDataset();
    ledger = openLedger(server, dataset);
    await ledger.create();
    server.stats.clear();
  });
  afterEach(() => server.faults.clear());
  return {
    get server() {
      return server;
    },
    get dataset() {
      return dataset;
    },
    get ledger() {
      return ledger;
    },
    newDataset,
    callsOf: (name) => server.stats.calls.filter((call) => call === name).length,
    inserts: () => server.stats.queries.filter(({ statementType }) => statementType === "INSERT"),
    rowsIn: async (table) => Number((await server.run(`select count(*) from ${dataset}.${table}`))[0]?.[0]),
    async resource(path, method = "GET", body?: object) {
      const url = `${server.url}/bigquery/v2/projects/${server.projectId}/${path}`;
      const answer = await fetch(url, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return answer.json();
    },
  };
}
