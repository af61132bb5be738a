import { type BigQueryLedgerOptions, createBigQueryLedger } from "../../../src/adapters/bigquery/ledger.ts";
import {
  type BigQueryWarehouseOptions,
  createBigQueryWarehouse,
} from "../../../src/adapters/bigquery/warehouse.ts";
import type { Warehouse } from "../../../src/reconcile/ports.ts";
import type { BigQueryServer } from "../../support/bigquery/server.ts";

/** A warehouse of the adapter on a local server, with tries that follow each other quickly. */
export function openWarehouse(
  server: BigQueryServer,
  options: Pick<BigQueryWarehouseOptions, "processors" | "schedules"> & Partial<BigQueryWarehouseOptions>,
): Warehouse {
  return createBigQueryWarehouse({
    project: server.projectId,
    location: server.location,
    pipeline: "tests",
    target: "local",
    timezone: "America/New_York",
    maximumBytesBilled: null,
    apiEndpoint: server.url,
    retryFromMs: 20,
    ...options,
  });
}

/** A ledger of the adapter in a dataset of a local server; each one that is opened is a process of its own to it. */
export function openLedger(
  server: BigQueryServer,
  dataset: string,
  options: Partial<BigQueryLedgerOptions> = {},
): ReturnType<typeof createBigQueryLedger> {
  return createBigQueryLedger({
    project: server.projectId,
    dataset,
    location: server.location,
    pipeline: "tests",
    target: "local",
    apiEndpoint: server.url,
    retryFromMs: 10,
    gatherMs: 5,
    ...options,
  });
}

/** The rows of a query, every value as text. */
export async function readRows(server: BigQueryServer, query: string): Promise<(string | null)[][]> {
  const response = await fetch(`${server.url}/bigquery/v2/projects/${server.projectId}/queries`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, useLegacySql: false }),
  });
  const answer = (await response.json()) as {
    rows?: { f: { v: string | null }[] }[];
    error?: { message: string };
  };
  if (answer.error !== undefined) throw new Error(answer.error.message);
  return (answer.rows ?? []).map(({ f }) => f.map(({ v }) => v));
}
