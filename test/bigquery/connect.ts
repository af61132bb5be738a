import { BigQuery } from "@google-cloud/bigquery";
import { PassThroughClient } from "google-auth-library";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type BigQueryOptions, type BigQueryServer, startBigQuery } from "../support/bigquery/server.ts";

export interface Connected {
  bigquery: BigQueryServer;
  client: BigQuery;
  /** The reason that an error of the client carries, or its message where it has none. */
  reasonOf(work: Promise<unknown>): Promise<string>;
}

/** A server for the tests of a file with the real client on it; faults and statistics are cleared before each test. */
export function connected(options: BigQueryOptions = {}): Connected {
  const held: Partial<Connected> = {};
  beforeAll(async () => {
    held.bigquery = await startBigQuery(options);
    held.client = new BigQuery({
      apiEndpoint: held.bigquery.url,
      projectId: held.bigquery.projectId,
      authClient: new PassThroughClient(),
    });
  });
  beforeEach(() => {
    held.bigquery?.faults.clear();
    held.bigquery?.stats.clear();
  });
  afterAll(() => held.bigquery?.stop());
  const have = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the server has not started");
    return value;
  };
  return {
    get bigquery() {
      return have(held.bigquery);
    },
    get client() {
      return have(held.client);
    },
    async reasonOf(work) {
      const error: unknown = await work.then(
        () => new Error("nothing failed"),
        (thrown: unknown) => thrown,
      );
      const { errors, message } = error as { errors?: { reason?: string }[]; message: string };
      return errors?.[0]?.reason ?? message;
    },
  };
}
