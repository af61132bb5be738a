/**
 * A local BigQuery for tests: an HTTP server that speaks the REST calls which `@google-cloud/bigquery` makes and runs their SQL
 * with Google's own implementation of GoogleSQL. What it holds is defined from TypeScript, or by SQL:
 *
 *     const bigquery = await startBigQuery();
 *     bigquery.define({
 *       name: "stats.scores",
 *       columns: { game_date: "DATE", player: "STRING not null", tags: "ARRAY<STRING>" },
 *       partition: { column: "game_date", requireFilter: true },
 *       rows: [["2024-01-02", "ann", ["a"]]],
 *     });
 *     await bigquery.run("create view stats.recent as select * from stats.scores where game_date > '2024-01-01'");
 *     const client = new BigQuery({ apiEndpoint: bigquery.url, projectId: bigquery.projectId, authClient: new PassThroughClient() });
 *     await client.query({ query: "select * from stats.scores where game_date = @d", params: { d: BigQuery.date("2024-01-02") } });
 *     bigquery.faults.add({ call: "jobs.query", sql: /scores/, times: 2, fault: { kind: "error", reason: "backendError" } });
 *     bigquery.stats.queries.map(({ sql, labels, bytesBilled }) => …);
 *     await bigquery.stop();
 *
 * Dates, times and exact numbers are given as text. What BigQuery has and this server has not: MERGE, TRUNCATE, ALTER, variables
 * and control flow in scripts, legacy SQL, load jobs, `insertAll`. APPROX_COUNT_DISTINCT passes a dry run and cannot be run.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context } from "./context.ts";
import { sharedEngine } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { type Fault, type FaultBook, type Faults, newFaults } from "./faults.ts";
import { newJobs, type QueryBody, type QueryStat, unexpected } from "./jobs.ts";
import { type Route, routesOf } from "./routes.ts";
import { changed, makeRows, newRow, newTable, type Row, type TableDefinition } from "./tables.ts";
import { Claims } from "./transactions.ts";
import { type InputValue, toWire, type WireValue } from "./values.ts";
import { type Protection, putTable, tableOf, type Warehouse } from "./warehouse.ts";

export interface BigQueryServer {
  /** `http://127.0.0.1:PORT`, for the client's `apiEndpoint`. */
  readonly url: string;
  readonly projectId: string;
  readonly location: string;
  /** Makes tables, in place of those with their names; their datasets too. */
  define(...tables: readonly TableDefinition[]): void;
  /** Adds rows as a load job does. @param partition for a table partitioned by ingestion, when; now unless given */
  insert(name: string, rows: readonly (readonly InputValue[])[], partition?: string): void;
  /** Adds rows to the streaming buffer: queries see them, counts, partitions and DML do not. */
  stream(name: string, rows: readonly (readonly InputValue[])[]): void;
  /** Moves what is in the streaming buffer to its partitions. */
  flush(name: string): void;
  /** Removes a table. */
  drop(name: string): void;
  /** Takes away the right to read a table, or gives it back. */
  deny(name: string, denied?: boolean): void;
  /** Hides some of a table by a row access policy or by masking, or all of it again in the open. */
  protect(name: string, protection: Protection | null): void;
  /** Runs a statement or a script, and gives its rows as text; in no statistics and met by no fault. */
  run(sql: string): Promise<readonly (readonly WireValue[])[]>;
  readonly faults: Faults;
  readonly stats: Stats;
  stop(): Promise<void>;
}

export interface Stats {
  /** Every statement that was sent, in the order in which they ended. */
  readonly queries: readonly QueryStat[];
  /** Every call, as `jobs.query` or `tables.get`, in the order in which they came. */
  readonly calls: readonly string[];
  clear(): void;
}

export interface BigQueryOptions {
  readonly projectId?: string;
  readonly location?: string;
  /** Any free one unless given. */
  readonly port?: number;
}

/** @throws the error of the socket, such as EADDRINUSE, where nothing can listen on the port */
export async function startBigQuery({
  projectId = "test-project",
  location = "US",
  port = 0,
}: BigQueryOptions = {}): Promise<BigQueryServer> {
  const warehouse: Warehouse = {
    projectId,
    location,
    datasets: new Map(),
    denied: new Set(),
    protections: new Map(),
  };
  const context: Context = {
    engine: sharedEngine,
    warehouse,
    claims: new Claims(projectId),
    cache: new Map(),
  };
  const jobs = newJobs(context);
  const faults = newFaults();
  const calls: string[] = [];
  const routes = routesOf(context, jobs);
  await sharedEngine();
  const server = createServer((request, response) => {
    void answer(request, response, { projectId, routes, faults, calls });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    projectId,
    location,
    ...contents(warehouse),
    async run(sql) {
      const quiet = newJobs(context);
      const job = quiet.start({ query: sql, useLegacySql: false }, undefined, undefined);
      await job.over;
      if (job.error !== null) throw job.error;
      const { columns, rows } = job.outcome;
      return rows.map((row) => columns.map(({ type }, index) => toWire(type, row[index] ?? {}, true)));
    },
    faults,
    stats: {
      queries: jobs.stats,
      calls,
      clear() {
        jobs.stats.length = 0;
        calls.length = 0;
      },
    },
    stop: () => close(server),
  };
}

function contents(
  warehouse: Warehouse,
): Pick<BigQueryServer, "define" | "insert" | "stream" | "flush" | "drop" | "deny" | "protect"> {
  const named = (name: string) => {
    const [dataset = "", table = ""] = name.split(".");
    return tableOf(warehouse, dataset, table);
  };
  const add = (name: string, made: (table: ReturnType<typeof named>) => readonly Row[]) => {
    const table = named(name);
    const added = made(table);
    table.content = changed(table, table.content, [...table.content.rows, ...added], added);
  };
  return {
    define(...tables) {
      for (const definition of tables) putTable(warehouse, newTable(definition));
    },
    insert(name, rows, partition) {
      add(name, (table) => makeRows(table, rows, partition === undefined ? {} : { partition }));
    },
    stream(name, rows) {
      add(name, (table) => makeRows(table, rows, { buffered: true }));
    },
    flush(name) {
      const table = named(name);
      const kept = table.content.rows.filter((row) => !row.buffered);
      const stored = table.content.rows
        .filter((row) => row.buffered)
        .map(({ cells }) => newRow(table, cells));
      table.content = changed(table, table.content, [...kept, ...stored], stored);
    },
    drop(name) {
      const { dataset, name: table } = named(name);
      warehouse.datasets.get(dataset)?.delete(table);
    },
    deny(name, denied = true) {
      if (denied) warehouse.denied.add(name);
      else warehouse.denied.delete(name);
    },
    protect(name, protection) {
      if (protection === null) warehouse.protections.delete(name);
      else warehouse.protections.set(name, protection);
    },
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Desk {
  readonly projectId: string;
  readonly routes: readonly Route[];
  readonly faults: FaultBook;
  readonly calls: string[];
}

async function answer(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  let fault: Fault | undefined;
  try {
    const body = await bodyOf(request);
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const base = `/bigquery/v2/projects/${desk.projectId}/`;
    const rest = pathname.startsWith(base) ? pathname.slice(base.length) : "";
    const route = desk.routes.find(({ method, pattern }) => method === request.method && pattern.test(rest));
    if (route === undefined)
      throw new BigQueryError("notFound", `this server has no ${request.method} ${pathname}`);
    desk.calls.push(route.name);
    fault = desk.faults.take(route.name, sqlOf(body));
    if (fault?.kind === "hang") return;
    if (fault?.kind === "cut") return void response.destroy();
    if (fault?.kind === "error") throw new BigQueryError(fault.reason, fault.message ?? fault.reason);
    const path = (route.pattern.exec(rest) ?? []).slice(1).map(decodeURIComponent);
    reply(response, 200, await route.handle({ path, search: searchParams, body, fault }), fault);
  } catch (error) {
    const known = error instanceof BigQueryError ? error : unexpected(error);
    reply(response, known.status, known.toBody(), fault);
  }
}

function reply(response: ServerResponse, status: number, body: object, fault: Fault | undefined): void {
  if (fault?.kind === "lost_answer") return void response.destroy();
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(fault?.kind === "truncate" ? text.slice(0, text.length / 2) : text);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : JSON.parse(text);
}

function sqlOf(body: unknown): string | undefined {
  const { query, configuration } = body as QueryBody & {
    readonly configuration?: { readonly query?: QueryBody };
  };
  return configuration?.query?.query ?? query;
}
