/**
 * A local BigQuery for tests: an HTTP server that speaks the REST calls which `@google-cloud/bigquery` makes and runs their SQL
 * with Google's own implementation of GoogleSQL. What it holds is defined from TypeScript:
 *
 *     const bigquery = await startBigQuery();
 *     bigquery.define({
 *       name: "stats.scores",
 *       columns: { game_date: "DATE", player: "STRING not null", tags: "ARRAY<STRING>" },
 *       partition: { column: "game_date", requireFilter: true },
 *       rows: [["2024-01-02", "ann", ["a"]]],
 *     });
 *     const client = new BigQuery({ apiEndpoint: bigquery.url, projectId: bigquery.projectId, authClient: new PassThroughClient() });
 *     await client.query({ query: "select * from stats.scores where game_date = @d", params: { d: BigQuery.date("2024-01-02") } });
 *     await bigquery.stop();
 *
 * Dates, times and exact numbers are given as text. `insert(name, rows)` adds rows as a load job does.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { randomUUID } from "node:crypto";
import { sharedEngine } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { type QueryParameter, readParameters, runSelect } from "./statements.ts";
import { makeRows, newTable, type Table, type TableDefinition, withRows } from "./tables.ts";
import { toSchemaField } from "./types.ts";
import { type InputValue, toWire } from "./values.ts";
import { tableOf, type Warehouse } from "./warehouse.ts";

export interface BigQueryServer {
  /** `http://127.0.0.1:PORT`, for the client's `apiEndpoint`. */
  readonly url: string;
  readonly projectId: string;
  readonly location: string;
  /** Makes a table, in place of one with its name; its dataset too. */
  define(...tables: readonly TableDefinition[]): void;
  /** Adds rows as a load job does. */
  insert(name: string, rows: readonly (readonly InputValue[])[]): void;
  stop(): Promise<void>;
}

export async function startBigQuery(): Promise<BigQueryServer> {
  const warehouse: Warehouse = { projectId: "test-project", location: "US", datasets: new Map() };
  await sharedEngine();
  const server = createServer((request, response) => {
    void answer(warehouse, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    projectId: warehouse.projectId,
    location: warehouse.location,
    define(...tables) {
      for (const definition of tables) {
        const table = newTable(definition);
        const dataset = warehouse.datasets.get(table.dataset) ?? new Map<string, Table>();
        warehouse.datasets.set(table.dataset, dataset.set(table.name, table));
      }
    },
    insert(name, rows) {
      const [dataset = "", table = ""] = name.split(".");
      const found = tableOf(warehouse, dataset, table);
      found.content = withRows(found, makeRows(found, rows));
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  warehouse: Warehouse,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = (status: number, body: unknown) => {
    response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
    response.end(JSON.stringify(body));
  };
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text === "" ? {} : JSON.parse(text);
    reply(200, await route(warehouse, request, body));
  } catch (error) {
    const known = error instanceof BigQueryError ? error : new BigQueryError("notImplemented", String(error));
    reply(known.status, known.toBody());
  }
}

async function route(warehouse: Warehouse, request: IncomingMessage, body: unknown): Promise<unknown> {
  const path = new URL(request.url ?? "", "http://localhost").pathname;
  if (request.method === "POST" && path.endsWith("/queries")) {
    const { query, queryParameters = [] } = body as { query: string; queryParameters?: QueryParameter[] };
    const params = readParameters(queryParameters);
    const result = await runSelect(await sharedEngine(), warehouse, {
      sql: query,
      params,
      defaultDataset: undefined,
    });
    return {
      kind: "bigquery#queryResponse",
      schema: { fields: result.columns.map(toSchemaField) },
      jobReference: {
        projectId: warehouse.projectId,
        jobId: `job_${randomUUID()}`,
        location: warehouse.location,
      },
      totalRows: String(result.rows.length),
      rows: result.rows.map((row) => ({
        f: row.map((cell, index) => ({ v: toWire(result.columns[index]!.type, cell, true) })),
      })),
      totalBytesProcessed: "0",
      jobComplete: true,
      cacheHit: false,
    };
  }
  const [, dataset, name] = /\/datasets\/([^/]+)\/tables\/([^/]+)$/.exec(path) ?? [];
  if (request.method === "GET" && dataset !== undefined && name !== undefined) {
    const table = tableOf(warehouse, dataset, name);
    return {
      kind: "bigquery#table",
      tableReference: { projectId: warehouse.projectId, datasetId: dataset, tableId: name },
      type: "TABLE",
      schema: { fields: table.columns.map(toSchemaField) },
      numRows: String(table.content.rows.length),
      creationTime: String(table.createdMs),
      lastModifiedTime: String(table.content.modifiedMs),
      location: warehouse.location,
    };
  }
  throw new BigQueryError("notFound", `this server has no ${request.method} ${path}`);
}
