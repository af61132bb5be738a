import { type TableName, tableText } from "../../core/pipeline.ts";
import { refuseParameters } from "../sql/schedules.ts";
import { type Column, nearestName, type Source, Unobservable } from "../sql/source.ts";
import { encloseQuery, quoteIdentifier } from "./sql-text.ts";
import { loadSql } from "./sql-files.ts";
import type { Session } from "./session.ts";

/** The tables and columns of one database at one moment. Names are compared without regard to case, as DuckDB does. */
export class Catalog {
  readonly #database: string;
  readonly #tables: ReadonlyMap<string, Source>;

  constructor(database: string, tables: ReadonlyMap<string, Source>) {
    this.#database = database;
    this.#tables = tables;
  }

  /** @throws Unobservable `not_found`, with the nearest name. */
  table(name: TableName): Source {
    const source = this.find(name);
    if (source !== null) return source;
    throw new Unobservable("not_found", `there is no table ${tableText(name)}`, this.nearest(name));
  }

  find(name: TableName): Source | null {
    return this.#tables.get(this.#keyOf(name)) ?? null;
  }

  /** The existing table whose name is most like the one given; null where none is near. */
  nearest(name: TableName): string | null {
    const key = nearestName(this.#keyOf(name), [...this.#tables.keys()]);
    return key === null ? null : (this.#tables.get(key)?.label ?? null);
  }

  /** A table without a schema is in `main`; one of another database is not here. */
  #keyOf({ parts }: TableName): string {
    const [table, schema = "main", database = this.#database] = parts.toReversed();
    return database.toLowerCase() === this.#database.toLowerCase() ? `${schema}.${table}`.toLowerCase() : "";
  }
}

export async function readCatalog(session: Session, signal?: AbortSignal): Promise<Catalog> {
  const result = await session.run(loadSql("read-catalog"), {}, signal === undefined ? {} : { signal });
  const [databases, schemas, tables, names, types, fallbacks] = [0, 1, 2, 3, 4, 5].map((index) =>
    result.strings(index),
  );
  const isView = result.values(6);
  const sources = new Map<string, Source & { readonly columns: Map<string, Column> }>();
  for (let row = 0; row < result.rowCount; row += 1) {
    const [database, schema, table] = [databases?.[row] ?? "", schemas?.[row] ?? "", tables?.[row] ?? ""];
    const key = `${schema}.${table}`.toLowerCase();
    // With the database's name: where it is also a schema's, `schema.table` alone is ambiguous.
    const sql = [database, schema, table].map(quoteIdentifier).join(".");
    const label = schema === "main" ? table : `${schema}.${table}`;
    const source = sources.get(key) ?? {
      sql,
      label,
      columns: new Map<string, Column>(),
      ...(isView[row] === true ? { readOnly: "a view" } : {}),
    };
    const name = names?.[row] ?? "";
    const fallback = fallbacks?.[row] ?? null;
    const column = { name, type: types?.[row] ?? "", ...(fallback === null ? {} : { fallback }) };
    source.columns.set(name.toLowerCase(), column);
    sources.set(key, source);
  }
  return new Catalog(databases?.[0] ?? "", sources);
}

/**
 * A user's SELECT as something to select from.
 * @throws StatementError where it cannot be bound; Unobservable where it takes parameters.
 */
export async function querySource(session: Session, sql: string, label: string): Promise<Source> {
  const enclosed = encloseQuery(sql);
  const shape = await session.describe(`select * from ${enclosed} as gr_query`);
  refuseParameters(shape.parameters, label);
  const columns = new Map(shape.columns.map((column) => [column.name.toLowerCase(), column]));
  return { sql: `${enclosed} as gr_query`, label, columns };
}
