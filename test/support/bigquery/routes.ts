import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "./context.ts";
import { BigQueryError } from "./errors.ts";
import type { CallName, Fault } from "./faults.ts";
import { jobResource, type Page, resultResource } from "./job-resource.ts";
import type { Job, Jobs, QueryBody } from "./jobs.ts";
import { tableData } from "./table-data.ts";
import { patchTable, type TableBody, tableFromBody, tableResource, tableSummary } from "./table-resource.ts";
import { datasetOf, putTable, tableOf, type Warehouse } from "./warehouse.ts";

export interface Call {
  /** The parts of the path that the route names. */
  readonly path: readonly string[];
  readonly search: URLSearchParams;
  readonly body: unknown;
  readonly fault: Fault | undefined;
}

export interface Route {
  readonly name: CallName;
  readonly method: string;
  readonly pattern: RegExp;
  handle(call: Call): Promise<object> | object;
}

/** The calls to a project, in the order in which their patterns are tried. */
export function routesOf(context: Context, jobs: Jobs): readonly Route[] {
  return [
    ...queryRoutes(context, jobs),
    ...jobRoutes(context, jobs),
    ...tableRoutes(context),
    ...dataRoutes(context),
    ...datasetRoutes(context),
  ];
}

interface QueryCallBody extends QueryBody {
  readonly requestId?: string;
  readonly timeoutMs?: number;
  readonly maxResults?: number;
  readonly formatOptions?: { readonly useInt64Timestamp?: boolean };
}

interface JobBody {
  readonly jobReference?: { readonly jobId?: string; readonly location?: string };
  readonly configuration: {
    readonly query: QueryBody;
    readonly dryRun?: boolean;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

const defaultTimeoutMs = 10_000;

/** Waits for the end of a job, at most as long as the caller would; not at all for one that has not started. */
async function waitFor(job: Job, timeoutMs: number): Promise<void> {
  if (!job.poll()) return;
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([job.over, late]);
  timer.abort();
}

/** @throws BigQueryError `notFound` at another location than the one that is asked for */
function findJob({ projectId, location }: Warehouse, jobs: Jobs, { path: [id = ""], search }: Call): Job {
  const asked = search.get("location")?.toLowerCase();
  // Without a location, BigQuery looks in its multi-regions only.
  const there = asked === undefined ? ["US", "EU"].includes(location) : asked === location.toLowerCase();
  if (!there) throw new BigQueryError("notFound", `Not found: Job ${projectId}:${id}`);
  return jobs.get(id);
}

function queryRoutes({ warehouse }: Context, jobs: Jobs): readonly Route[] {
  const requests = new Map<string, string>();
  const answer = (kind: string, job: Job, page: Page) => {
    if (job.error !== null) throw job.error;
    return resultResource(kind, warehouse, job, page);
  };
  return [
    {
      name: "jobs.query",
      method: "POST",
      pattern: /^queries$/,
      async handle({ body, fault }) {
        const { requestId, timeoutMs, maxResults, formatOptions, ...query } = body as QueryCallBody;
        // A request that is sent again, with its id, runs once.
        const before = requestId === undefined ? undefined : requests.get(requestId);
        const job = before === undefined ? jobs.start(query, undefined, fault) : jobs.get(before);
        if (requestId !== undefined && query.dryRun !== true) requests.set(requestId, job.id);
        await waitFor(job, timeoutMs ?? defaultTimeoutMs);
        const int64Timestamps = formatOptions?.useInt64Timestamp === true;
        return answer("bigquery#queryResponse", job, { maxResults, pageToken: 0, int64Timestamps });
      },
    },
    {
      name: "jobs.getQueryResults",
      method: "GET",
      pattern: /^queries\/([^/]+)$/,
      async handle(call) {
        const job = findJob(warehouse, jobs, call);
        const { search } = call;
        await waitFor(job, Number(search.get("timeoutMs") ?? defaultTimeoutMs));
        const maxResults = search.get("maxResults");
        return answer("bigquery#getQueryResultsResponse", job, {
          maxResults: maxResults === null ? undefined : Number(maxResults),
          pageToken: Number(search.get("pageToken") ?? search.get("startIndex") ?? 0),
          int64Timestamps: search.get("formatOptions.useInt64Timestamp") === "true",
        });
      },
    },
  ];
}

function jobRoutes({ warehouse }: Context, jobs: Jobs): readonly Route[] {
  return [
    {
      name: "jobs.insert",
      method: "POST",
      pattern: /^jobs$/,
      async handle({ body, fault }) {
        const { jobReference, configuration } = body as JobBody;
        const { dryRun, labels, query } = configuration;
        const job = jobs.start(
          {
            ...query,
            ...(dryRun === undefined ? {} : { dryRun }),
            ...(labels === undefined ? {} : { labels }),
            ...(jobReference?.location === undefined ? {} : { location: jobReference.location }),
          },
          jobReference?.jobId,
          fault,
        );
        if (dryRun === true) {
          await job.over;
          if (job.error !== null) throw job.error;
        }
        return jobResource(warehouse, job);
      },
    },
    {
      name: "jobs.cancel",
      method: "POST",
      pattern: /^jobs\/([^/]+)\/cancel$/,
      async handle(call) {
        const job = findJob(warehouse, jobs, call);
        job.cancel();
        await waitFor(job, defaultTimeoutMs);
        return { kind: "bigquery#jobCancelResponse", job: jobResource(warehouse, job) };
      },
    },
    {
      name: "jobs.get",
      method: "GET",
      pattern: /^jobs\/([^/]+)$/,
      async handle(call) {
        const job = findJob(warehouse, jobs, call);
        // BigQuery does not wait here; a moment keeps pollers from spinning.
        await waitFor(job, 50);
        return jobResource(warehouse, job);
      },
    },
  ];
}

function tableRoutes({ warehouse }: Context): readonly Route[] {
  const one = /^datasets\/([^/]+)\/tables\/([^/]+)$/;
  const all = /^datasets\/([^/]+)\/tables$/;
  return [
    {
      name: "tables.get",
      method: "GET",
      pattern: one,
      handle: ({ path: [dataset = "", name = ""] }) =>
        tableResource(warehouse, tableOf(warehouse, dataset, name)),
    },
    {
      name: "tables.list",
      method: "GET",
      pattern: all,
      handle({ path: [dataset = ""], search }) {
        const tables = [...datasetOf(warehouse, dataset).values()];
        const start = Number(search.get("pageToken") ?? 0);
        const end = start + Number(search.get("maxResults") ?? tables.length);
        return {
          kind: "bigquery#tableList",
          tables: tables.slice(start, end).map((table) => tableSummary(warehouse, table)),
          totalItems: tables.length,
          ...(end < tables.length ? { nextPageToken: String(end) } : {}),
        };
      },
    },
    {
      name: "tables.insert",
      method: "POST",
      pattern: all,
      handle({ path: [dataset = ""], body }) {
        const name = (body as TableBody).tableReference?.tableId ?? "";
        if (datasetOf(warehouse, dataset).has(name))
          throw new BigQueryError(
            "duplicate",
            `Already Exists: Table ${warehouse.projectId}:${dataset}.${name}`,
          );
        const table = tableFromBody(dataset, name, body as TableBody);
        putTable(warehouse, table);
        return tableResource(warehouse, table);
      },
    },
    {
      name: "tables.patch",
      method: "PATCH",
      pattern: one,
      handle({ path: [dataset = "", name = ""], body }) {
        const table = patchTable(tableOf(warehouse, dataset, name), body as TableBody);
        putTable(warehouse, table);
        return tableResource(warehouse, table);
      },
    },
    {
      name: "tables.delete",
      method: "DELETE",
      pattern: one,
      handle({ path: [dataset = "", name = ""] }) {
        tableOf(warehouse, dataset, name);
        datasetOf(warehouse, dataset).delete(name);
        return {};
      },
    },
  ];
}

function dataRoutes({ warehouse }: Context): readonly Route[] {
  return [
    {
      name: "tabledata.list",
      method: "GET",
      pattern: /^datasets\/([^/]+)\/tables\/([^/]+)\/data$/,
      handle: ({ path: [dataset = "", table = ""], search }) =>
        tableData(warehouse, dataset, table, {
          maxResults: search.has("maxResults") ? Number(search.get("maxResults")) : undefined,
          pageToken: Number(search.get("pageToken") ?? search.get("startIndex") ?? 0),
          int64Timestamps: search.get("formatOptions.useInt64Timestamp") === "true",
        }),
    },
  ];
}

function datasetRoutes({ warehouse }: Context): readonly Route[] {
  const { projectId, location, datasets } = warehouse;
  const resource = (dataset: string) => ({
    kind: "bigquery#dataset",
    id: `${projectId}:${dataset}`,
    datasetReference: { projectId, datasetId: dataset },
    location,
  });
  const one = /^datasets\/([^/]+)$/;
  return [
    {
      name: "datasets.get",
      method: "GET",
      pattern: one,
      handle({ path: [dataset = ""] }) {
        datasetOf(warehouse, dataset);
        return resource(dataset);
      },
    },
    {
      name: "datasets.list",
      method: "GET",
      pattern: /^datasets$/,
      handle: () => ({ kind: "bigquery#datasetList", datasets: [...datasets.keys()].map(resource) }),
    },
    {
      name: "datasets.insert",
      method: "POST",
      pattern: /^datasets$/,
      handle({ body }) {
        const name = (body as { datasetReference: { datasetId: string } }).datasetReference.datasetId;
        if (datasets.has(name))
          throw new BigQueryError("duplicate", `Already Exists: Dataset ${projectId}:${name}`);
        datasets.set(name, new Map());
        return resource(name);
      },
    },
    {
      name: "datasets.delete",
      method: "DELETE",
      pattern: one,
      handle({ path: [dataset = ""], search }) {
        if (datasetOf(warehouse, dataset).size > 0 && search.get("deleteContents") !== "true")
          throw new BigQueryError("invalid", `Dataset ${projectId}:${dataset} is still in use`);
        datasets.delete(dataset);
        return {};
      },
    },
  ];
}
