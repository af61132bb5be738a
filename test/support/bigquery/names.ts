import type { Engine } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { child, children, type Node, rangeOf, text, walk } from "./syntax.ts";
import type { Table } from "./tables.ts";

/** What a path in SQL may stand for. */
export interface Names {
  readonly projectId: string;
  readonly location: string;
  readonly defaultDataset: string | undefined;
  temporary(name: string): Table | undefined;
  hasDataset(dataset: string): boolean;
  /** A table, a view, or a view of INFORMATION_SCHEMA made for this look. */
  table(dataset: string, name: string): Table | undefined;
  metadata(dataset: string, view: string): Table | undefined;
}

/** SQL that names every table by one identifier, as the engine evaluates it. */
export interface Resolved {
  readonly sql: string;
  /** By their identifier in `sql`. */
  readonly tables: ReadonlyMap<string, Table>;
  /** A message about `sql` with its places in the SQL that was given. */
  readonly restore: (message: string) => string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const deepestView = 16;

/**
 * Puts one identifier in place of every table's path, and its SQL in place of every view.
 * @throws EngineError for SQL that cannot be parsed; BigQueryError `notFound`
 */
export async function resolveNames(engine: Engine, sql: string, names: Names, depth = 0): Promise<Resolved> {
  if (depth > deepestView) throw new BigQueryError("invalidQuery", "Views are nested too deeply", "query");
  const tree = await engine.parse(sql);
  const tables = new Map<string, Table>();
  const edits = typeAliases(tree);
  for (const { path, alias, inFrom } of tablePaths(tree)) {
    const table = find(path.parts, names);
    if (table === undefined) continue;
    const { start, end } = path;
    const identifier = `${names.projectId}.${table.dataset}.${table.name}`;
    // The last part of a path is its alias where it has no other; of one identifier that would be the whole.
    const as = alias ? "" : ` as \`${path.parts.at(-1)}\``;
    if (table.view === null) {
      tables.set(identifier, table);
      edits.push({ start, end, text: `\`${identifier}\`${inFrom ? as : ""}` });
    } else {
      const inner = await resolveNames(
        engine,
        table.view,
        { ...names, defaultDataset: undefined },
        depth + 1,
      );
      for (const [name, used] of inner.tables) tables.set(name, used);
      edits.push({ start, end, text: `(${inner.sql})${as}` });
    }
  }
  edits.sort((a, b) => a.start - b.start);
  return { sql: apply(sql, edits), tables, restore: (message) => restore(message, sql, edits) };
}

const integerAliases = new Set(["INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"]);

/** BigQuery's other names of INT64, which the engine has not. */
function typeAliases(tree: unknown): Edit[] {
  const edits: Edit[] = [];
  walk(tree, (node, kind) => {
    if (kind !== "typeName" || !integerAliases.has(partsOf(node).join(".").toUpperCase())) return;
    edits.push({ ...rangeOf(node), text: "INT64" });
  });
  return edits;
}

interface TablePath {
  readonly path: { readonly parts: readonly string[]; readonly start: number; readonly end: number };
  readonly alias: boolean;
  readonly inFrom: boolean;
}

function tablePaths(tree: unknown): readonly TablePath[] {
  const found: TablePath[] = [];
  const common = new Set<string>();
  walk(tree, (node, kind) => {
    if (kind === "withClause")
      for (const entry of children(node, "with")) common.add(text(child(entry, "alias"), "idString") ?? "");
    const target = child(child(node, "targetPath"), "astPathExpressionNode");
    const source = kind === "astTablePathExpressionNode" ? child(node, "pathExpr") : target;
    if (source === undefined) return;
    const path = { parts: partsOf(source), ...rangeOf(source) };
    if (kind !== "astInsertStatementNode" && path.parts.length === 1 && common.has(path.parts[0] ?? ""))
      return;
    found.push({
      path,
      alias: child(node, "alias") !== undefined,
      inFrom: kind !== "astInsertStatementNode",
    });
  });
  return found;
}

function partsOf(path: Node): readonly string[] {
  return children(path, "names").flatMap((name) => (text(name, "idString") ?? "").split("."));
}

/** The table that a path names; undefined where the engine has to say what is wrong, or knows the name itself. */
function find(parts: readonly string[], names: Names): Table | undefined {
  const schema = parts.findIndex((part) => part.toUpperCase() === "INFORMATION_SCHEMA");
  if (schema > 0) {
    const [dataset = "", view = ""] = [parts[schema - 1], parts[schema + 1]];
    const found = names.metadata(dataset, view);
    if (found === undefined || !isProject(parts.slice(0, schema - 1), names))
      throw notFound(dataset, `INFORMATION_SCHEMA.${view}`, names);
    return found;
  }
  const [name = "", dataset = names.defaultDataset, ...project] = parts.toReversed();
  const own = parts.length === 1 || dataset?.toLowerCase() === "_session" ? names.temporary(name) : undefined;
  if (own !== undefined || dataset === undefined) return own;
  const found = isProject(project, names) ? names.table(dataset, name) : undefined;
  // `t.items` is a table, or an array of the table `t` of the same FROM.
  if (found === undefined && parts.length > 1 && (names.hasDataset(dataset) || project.length > 0))
    throw notFound(dataset, name, names);
  return found;
}

function isProject(parts: readonly string[], { projectId }: Names): boolean {
  return parts.length === 0 || parts.join(".") === projectId;
}

/** What BigQuery says of a table that is not there. */
function notFound(dataset: string, name: string, names: Names): BigQueryError {
  const what = names.hasDataset(dataset)
    ? `Table ${names.projectId}:${dataset}.${name}`
    : `Dataset ${names.projectId}:${dataset}`;
  return new BigQueryError("notFound", `Not found: ${what} was not found in location ${names.location}`);
}

function apply(sql: string, edits: readonly Edit[]): string {
  const bytes = Buffer.from(sql);
  let at = 0;
  const parts = edits.flatMap(({ start, end, text: replacement }) => {
    const before = bytes.subarray(at, start).toString();
    at = end;
    return [before, replacement];
  });
  return [...parts, bytes.subarray(at).toString()].join("");
}

function restore(message: string, sql: string, edits: readonly Edit[]): string {
  const edited = apply(sql, edits).split("\n");
  return message.replace(/\[at (\d+):(\d+)\]/g, (_, line: string, column: string) => {
    const lines = edited.slice(0, Number(line));
    const before = [...lines.slice(0, -1), (lines.at(-1) ?? "").slice(0, Number(column) - 1)].join("\n");
    const offset = originalOffset(Buffer.byteLength(before), edits);
    const original = Buffer.from(sql).subarray(0, offset).toString().split("\n");
    return `[at ${original.length}:${(original.at(-1) ?? "").length + 1}]`;
  });
}

/** A place inside of what was put in is that of the path. */
function originalOffset(offset: number, edits: readonly Edit[]): number {
  let shift = 0;
  for (const { start, end, text: replacement } of edits) {
    const length = Buffer.byteLength(replacement);
    if (offset < start + shift) break;
    if (offset < start + shift + length) return start;
    shift += length - (end - start);
  }
  return offset - shift;
}
