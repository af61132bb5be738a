import { type TableName, tableText } from "../../core/pipeline.ts";
import { failureCodeOf, QueryError } from "../sql/query-error.ts";
import { type Column, nearestName, type Source, Unobservable } from "../sql/source.ts";
import { datasetsAnswer, type TableAnswer, tableAnswer, tablesAnswer, typeName } from "./answers.ts";
import type { Api } from "./api.ts";
import { eachOf } from "../sql/each-of.ts";
import { ApiFailure, productError } from "./failures.ts";
import type { Limits } from "./limits.ts";
import { quoteIdentifier } from "./sql-text.ts";
import { type TableState, tableState } from "./table-state.ts";

/** A table's place. */
export interface TablePath {
  readonly project: string;
  readonly dataset: string;
  readonly table: string;
}

const callsAtOnce = 8;
/** Names of one dataset that are compared with one that is missing. */
const suggestionsMax = 1_000;

/** What BigQuery calls a table whose rows no statement can change. */
const kindsWithoutRows: ReadonlyMap<string, string> = new Map([
  ["VIEW", "a view"],
  ["MATERIALIZED_VIEW", "a materialized view"],
  ["EXTERNAL", "an external table"],
  ["SNAPSHOT", "a snapshot"],
]);

interface Found {
  readonly source: Source;
  readonly state: TableState | null;
}

/** What is known of some tables at one moment. */
export class Catalog {
  readonly #found: ReadonlyMap<string, Found | Unobservable>;
  readonly #project: string;

  constructor(project: string, found: ReadonlyMap<string, Found | Unobservable>) {
    this.#project = project;
    this.#found = found;
  }

  /** @throws Unobservable `not_found` with the nearest name, or `permission` */
  table(name: TableName): Source {
    return this.#of(name).source;
  }

  /** Null where no metadata tells of changes. @throws as `table` does */
  state(name: TableName): TableState | null {
    return this.#of(name).state;
  }

  #of(name: TableName): Found {
    const found = this.#found.get(keyOf(name, this.#project));
    if (found === undefined) throw new Unobservable("not_found", `${tableText(name)} was not looked for`);
    if (found instanceof Unobservable) throw found;
    return found;
  }
}

/**
 * Asks for each table once, which is free: for its columns, and for what tells that it changed. What is missing or forbidden is known as such.
 * @throws ReconcilerError `warehouse_*` where BigQuery itself is away
 */
export async function loadCatalog(api: Api, tables: readonly TableName[], limits: Limits): Promise<Catalog> {
  const wanted = new Map(tables.map((name) => [keyOf(name, api.project), name]));
  const found = new Map<string, Found | Unobservable>();
  await eachOf([...wanted], callsAtOnce, async ([key, name]) => {
    found.set(key, await find(api, name, limits));
  });
  return new Catalog(api.project, found);
}

/** @throws Unobservable where it has not two or three parts */
export function pathOf(name: TableName, project: string): TablePath {
  const [table, dataset, owner = project, ...rest] = name.parts.toReversed();
  if (table === undefined || dataset === undefined || rest.length > 0) {
    throw new Unobservable(
      "not_found",
      `expected a table as dataset.table or project.dataset.table, found ${tableText(name)}`,
    );
  }
  return { project: owner, dataset, table };
}

export function pathSql({ project, dataset, table }: TablePath): string {
  return [project, dataset, table].map(quoteIdentifier).join(".");
}

async function find(api: Api, name: TableName, limits: Limits): Promise<Found | Unobservable> {
  try {
    const path = pathOf(name, api.project);
    const answer = await api.call(tableCall(path), tableAnswer, limits);
    // Without a name of ours, a column that is called like its table would mean the whole row.
    const readOnly = kindsWithoutRows.get(answer.type ?? "");
    const source = {
      sql: `${pathSql(path)} as gr_table`,
      label: tableText(name),
      columns: columnsOf(answer),
      ...(readOnly === undefined ? {} : { readOnly }),
    };
    return { source, state: tableState(answer) };
  } catch (error) {
    if (error instanceof Unobservable) return error;
    if (!(error instanceof ApiFailure)) throw error;
    return problemOf(api, name, error, limits);
  }
}

function columnsOf({ schema, timePartitioning }: TableAnswer): ReadonlyMap<string, Column> {
  const columns = (schema?.fields ?? []).map(
    (field): Column => ({
      name: field.name,
      type: typeName(field),
      ...(field.defaultValueExpression === undefined ? {} : { fallback: field.defaultValueExpression }),
    }),
  );
  // Partitions by the time of arrival have columns of their own, which no schema names.
  if (timePartitioning !== undefined && timePartitioning.field === undefined) {
    const cutTo = timePartitioning.type;
    columns.push({ name: "_PARTITIONTIME", type: "TIMESTAMP", cutTo });
    if (cutTo === "DAY") columns.push({ name: "_PARTITIONDATE", type: "DATE" });
  }
  return new Map(columns.map((column) => [column.name.toLowerCase(), column]));
}

/** Whether there is such a table. @throws ApiFailure for anything but that it is not there */
export async function exists(api: Api, path: TablePath, limits: Limits): Promise<boolean> {
  try {
    await api.call(tableCall(path), tableAnswer, limits);
    return true;
  } catch (error) {
    if (error instanceof ApiFailure && error.reason === "notFound") return false;
    throw error;
  }
}

/** The call that asks for a table; everything of it has a path that begins so. */
export function tableCall({ project, dataset, table }: TablePath) {
  return {
    method: "GET",
    project,
    path: `/datasets/${encodeURIComponent(dataset)}/tables/${encodeURIComponent(table)}`,
  } as const;
}

async function problemOf(
  api: Api,
  name: TableName,
  failure: ApiFailure,
  limits: Limits,
): Promise<Unobservable> {
  const problem = productError(failure, "read", api.project);
  if (failure.reason === "accessDenied") {
    return new Unobservable("permission", `${problem.message}; ${problem.hint}`);
  }
  if (failure.reason !== "notFound") {
    // It speaks of this table, or of its project: others may well be there.
    if (problem instanceof QueryError) return new Unobservable(failureCodeOf(problem), problem.message);
    throw problem;
  }
  const nearest = await nearestTable(api, pathOf(name, api.project), limits);
  return new Unobservable("not_found", `there is no table ${tableText(name)}`, nearest);
}

/** As `dataset.table`; null where no name is near, or none can be listed. */
async function nearestTable(api: Api, path: TablePath, limits: Limits): Promise<string | null> {
  const { project, dataset, table } = path;
  const query = { maxResults: suggestionsMax };
  try {
    const { datasets = [] } = await api.call(
      { method: "GET", project, path: "/datasets", query },
      datasetsAnswer,
      limits,
    );
    const names = datasets.map(({ datasetReference }) => datasetReference.datasetId);
    const near = names.includes(dataset) ? dataset : nearestName(dataset, names);
    if (near === null) return null;
    const call = {
      method: "GET",
      project,
      path: `/datasets/${encodeURIComponent(near)}/tables`,
      query,
    } as const;
    const { tables = [] } = await api.call(call, tablesAnswer, limits);
    const ids = tables.map(({ tableReference }) => tableReference.tableId);
    const nearest = ids.includes(table) ? table : nearestName(table, ids);
    return nearest === null ? null : `${near}.${nearest}`;
  } catch (error) {
    // A suggestion is not worth a failure: whoever may not list simply gets none.
    if (error instanceof ApiFailure) return null;
    throw error;
  }
}

function keyOf(name: TableName, project: string): string {
  const [table = "", dataset = "", owner = project] = name.parts.toReversed();
  return `${owner}.${dataset}.${table}`;
}
