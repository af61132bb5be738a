import { type Analyzed, analyze, identity, priceOf, protectionIn, said, seenTables } from "./analysis.ts";
import { type Context, nothing, type Outcome, type Statement } from "./context.ts";
import { BigQueryError } from "./errors.ts";
import { child, children, concrete, isNode, type Node, rangeOf, text, walk } from "./syntax.ts";
import {
  newRow,
  newTable,
  numberPartitioning,
  type Partitioning,
  type PartitionUnit,
  type Table,
  withRows,
} from "./tables.ts";
import { type Column, fromTypeProto, type TypeProto } from "./types.ts";
import type { ValueProto } from "./values.ts";
import { putTable } from "./warehouse.ts";

const orReplace = 1;
const ifNotExists = 2;
// The scope of what is made.
const temporary = 3;
// Of the engine's DateTimestampPart.
const units: Partial<Record<number, PartitionUnit>> = { 1: "YEAR", 2: "MONTH", 3: "DAY", 7: "HOUR" };

/** CREATE and DROP of schemas, tables and views. @throws BigQueryError */
export async function runDdl(context: Context, statement: Statement): Promise<Outcome> {
  const { warehouse } = context;
  const analyzed = await analyze(context, statement);
  const { node } = analyzed;
  const isTemporary = Number(property(node, "createScope")) === temporary;
  if (isTemporary) return runTemporary(context, statement, analyzed);
  const [last = "", dataset = "", project] = namePathOf(node).toReversed();
  if (project !== undefined && project !== warehouse.projectId)
    throw new BigQueryError("notFound", `Not found: Project ${project}`);
  const isDrop = statement.kind === "astDropStatementNode";
  const isSchema = statement.kind === "astCreateSchemaStatementNode" || text(node, "objectType") === "SCHEMA";
  const ddl = (operation: string): Outcome => ({
    ...nothing,
    cost: isDrop ? nothing.cost : priceOf(analyzed, statement),
    statementType: `${isDrop ? "DROP" : "CREATE"}_${isSchema ? "SCHEMA" : kindOf(statement, node)}`,
    ddl: { operation, dataset: isSchema ? last : dataset, table: isSchema ? null : last },
  });
  const home = warehouse.datasets.get(isSchema ? last : dataset);
  const exists = isSchema ? home !== undefined : home?.has(last) === true;
  const name = `${warehouse.projectId}:${isSchema ? last : `${dataset}.${last}`}`;
  const what = isSchema ? "Dataset" : "Table";
  if (!isSchema && home === undefined)
    throw new BigQueryError(
      "notFound",
      `Not found: Dataset ${warehouse.projectId}:${dataset} was not found in location ${warehouse.location}`,
    );
  if (isDrop) {
    if (!exists && node["isIfExists"] === true) return ddl("SKIP");
    if (!exists) throw new BigQueryError("notFound", `Not found: ${what} ${name}`);
    if (statement.dryRun) return ddl("DROP");
    if (isSchema) warehouse.datasets.delete(last);
    else home?.delete(last);
    return ddl("DROP");
  }
  const mode = createModeOf(node);
  if (exists && mode === ifNotExists) return ddl("SKIP");
  if (exists && mode !== orReplace) throw new BigQueryError("duplicate", `Already Exists: ${what} ${name}`);
  if (statement.dryRun) return ddl("CREATE");
  if (isSchema) warehouse.datasets.set(last, new Map());
  else putTable(warehouse, await tableFrom(context, statement, analyzed, [dataset, last]));
  return ddl(exists ? "REPLACE" : "CREATE");
}

/** CREATE TEMP TABLE: the table is the session's, and ends with it. */
async function runTemporary(context: Context, statement: Statement, analyzed: Analyzed): Promise<Outcome> {
  const { node } = analyzed;
  const name = namePathOf(node).at(-1) ?? "";
  const tables = statement.session?.temporary;
  if (tables === undefined)
    throw new BigQueryError(
      "invalidQuery",
      "Use of CREATE TEMPORARY TABLE requires a script or session",
      "query",
    );
  const mode = createModeOf(node);
  const exists = tables.has(name);
  if (exists && mode !== orReplace && mode !== ifNotExists)
    throw new BigQueryError("duplicate", `Already Exists: Table _SESSION.${name}`);
  const operation = exists ? (mode === orReplace ? "REPLACE" : "SKIP") : "CREATE";
  const ddl = { operation, dataset: "_SESSION", table: name };
  const outcome = {
    ...nothing,
    statementType: `CREATE_${kindOf(statement, node)}`,
    ddl,
    cost: priceOf(analyzed, statement),
    protection: protectionIn(context, analyzed),
  };
  if (operation !== "SKIP" && !statement.dryRun)
    tables.set(name, await tableFrom(context, statement, analyzed, ["_SESSION", name]));
  return outcome;
}

function kindOf({ kind }: Statement, node: Node): string {
  if (kind === "astCreateViewStatementNode" || text(node, "objectType") === "VIEW") return "VIEW";
  return property(node, "query") === undefined ? "TABLE" : "TABLE_AS_SELECT";
}

/** A property of a CREATE statement, which the engine keeps with one of the kinds that the statement is based on. */
function property(node: Node, key: string): unknown {
  let found: unknown;
  for (let at: Node | undefined = node; at !== undefined; at = child(at, "parent"))
    found ??= at[key] ?? undefined;
  return found;
}

function namePathOf(node: Node): readonly string[] {
  const path = property(node, "namePath");
  return Array.isArray(path) ? path.map(String).flatMap((part) => part.split(".")) : [];
}

function createModeOf(node: Node): number {
  return Number(property(node, "createMode"));
}

async function tableFrom(
  context: Context,
  statement: Statement,
  analyzed: Analyzed,
  [dataset, name]: readonly [string, string],
): Promise<Table> {
  const { node, engine, resolved } = analyzed;
  const options = optionsOf(property(node, "optionList"));
  const definitions = property(node, "columnDefinitionList");
  const columns = (Array.isArray(definitions) ? definitions.filter(isNode) : []).map(columnOf);
  const table: Table = {
    ...newTable({ name: `${dataset}.${name}`, columns: {} }),
    columns,
    partitioning: partitioningOf(node, options.get("require_partition_filter")?.["boolValue"] === true),
    clustering: columnNames(children(node, "clusterByList")),
    description: text(options.get("description"), "stringValue") ?? null,
    labels: {},
    view: null,
  };
  if (property(node, "query") === undefined) return table;
  // The query as it was written: its places in the SQL are those of the syntax tree.
  const tree = concrete((await said(identity, () => engine.parse(statement.sql))) as Node);
  const query = tree === undefined ? undefined : property(tree.node, "query");
  if (!isNode(query)) throw new Error("the statement has no query");
  const { start, end } = rangeOf(query);
  const sql = Buffer.from(statement.sql).subarray(start, end).toString();
  if (statement.kind === "astCreateViewStatementNode") return { ...table, view: sql };
  const tables = seenTables(context, analyzed, statement);
  const padded = await said(resolved.restore, () => selectIn(engine, resolved.sql));
  const result = await said(resolved.restore, () =>
    engine.evaluate({ sql: padded, params: statement.params, tables }),
  );
  table.content = withRows(
    table,
    result.rows.map((cells) => newRow(table, cells)),
  );
  return table;
}

/** The query of a CREATE … AS, the rest of the statement blank, so that places in messages stay. */
async function selectIn(engine: Awaited<ReturnType<Context["engine"]>>, sql: string): Promise<string> {
  const tree = concrete((await engine.parse(sql)) as Node);
  const query = tree === undefined ? undefined : property(tree.node, "query");
  if (!isNode(query)) throw new Error("the statement has no query");
  const { start, end } = rangeOf(query);
  const bytes = Buffer.from(sql);
  return bytes.subarray(0, start).toString().replace(/[^\n]/g, " ") + bytes.subarray(start, end).toString();
}

function optionsOf(list: unknown): ReadonlyMap<string, Node> {
  const options = Array.isArray(list) ? list.filter(isNode) : [];
  return new Map(
    options.map((option) => {
      const value = concrete(child(option, "value"))?.node;
      return [text(option, "name") ?? "", child(child(value, "value"), "value") ?? {}];
    }),
  );
}

function columnOf(definition: Node): Column {
  const annotations = child(definition, "annotations");
  const description = text(optionsOf(annotations?.["optionList"]).get("description"), "stringValue");
  return {
    name: text(definition, "name") ?? "",
    type: fromTypeProto(child(definition, "type") as unknown as TypeProto),
    ...(annotations?.["notNull"] === true ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
  };
}

function columnNames(expressions: readonly Node[]): readonly string[] {
  const names: string[] = [];
  walk(expressions, (node, kind) => {
    if (kind === "resolvedColumnRefNode") names.push(text(child(node, "column"), "name") ?? "");
  });
  return names;
}

function partitioningOf(node: Node, requireFilter: boolean): Partitioning | null {
  const by = children(node, "partitionByList");
  const [column] = columnNames(by);
  if (column === undefined) return null;
  const numbers = numbersOf(by);
  if (numbers.length > 1) return { ...numberPartitioning(column, ...numbers), requireFilter };
  let unit: PartitionUnit = "DAY";
  walk(by, (inner) => {
    if (typeof inner["enumValue"] === "number") unit = units[inner["enumValue"]] ?? unit;
  });
  return { unit, column: column.startsWith("_partition") ? null : column, requireFilter };
}

/** The literals of `range_bucket(column, generate_array(start, end, interval))`. */
function numbersOf(by: readonly Node[]): readonly number[] {
  const numbers: number[] = [];
  walk(by, (node, kind) => {
    if (kind !== "resolvedLiteralNode") return;
    const literal = child(child(node, "value"), "value") as ValueProto | undefined;
    if (literal?.int64Value !== undefined) numbers.push(Number(literal.int64Value.toString()));
  });
  return numbers;
}
