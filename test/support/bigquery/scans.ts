import type { Parameter } from "./engine.ts";
import { child, children, concrete, inherited, isNode, type Node, text, walk } from "./syntax.ts";
import { secondsOf } from "./tables.ts";
import type { ValueProto } from "./values.ts";

/** The instants that a partition may hold, in seconds since 1970, both included; null for those without one. */
export type Span = { readonly first: number; readonly last: number } | null;

/** Whether rows of such a partition may meet a condition. */
export type Restriction = (span: Span) => boolean;

/** One reading of one table. */
export interface Scan {
  /** As the engine names it. */
  readonly table: string;
  readonly columns: readonly string[];
  /** What its rows must meet in order to count, by the column that it is about, in lower case. */
  readonly restrictions: Restrictions;
  /** Those of a filter that stands right on it: a row that does not meet them is never seen by anything else. */
  readonly filters: Restrictions;
}

type Restrictions = ReadonlyMap<string, readonly Restriction[]>;

/**
 * Every reading of a table in a resolved statement, with the columns that it uses and the bare comparisons of its columns with
 * literals and parameters: nothing else lets BigQuery leave out partitions.
 */
export function scansOf(statement: unknown, params: readonly Parameter[]): readonly Scan[] {
  const conditions: Condition[] = [];
  const found: { table: string; columns: readonly Node[]; filters: readonly Condition[] }[] = [];
  const targets = new Set<unknown>();
  const filtersOf = new Map<unknown, readonly Condition[]>();
  walk(statement, (node, kind) => {
    // What an INSERT adds to is not read.
    if (kind === "resolvedInsertStmtNode") targets.add(node["tableScan"]);
    if (targets.has(node)) return;
    for (const key of ["filterExpr", "whereExpr"]) {
      const condition = child(node, key);
      if (condition === undefined) continue;
      const parts = conjuncts(condition, params);
      conditions.push(...parts);
      filtersOf.set(concrete(child(node, "inputScan"))?.node, parts);
    }
    const table = child(node, "table");
    if (table?.["serializationId"] === undefined || child(node, "parent") === undefined) return;
    found.push({
      table: text(table, "name") ?? "",
      columns: columnsOf(node),
      filters: filtersOf.get(node) ?? [],
    });
  });
  return found.map(({ table, columns, filters }) => ({
    table,
    columns: columns.map((column) => text(column, "name") ?? ""),
    restrictions: restrictionsOf(columns, conditions),
    filters: restrictionsOf(columns, filters),
  }));
}

function restrictionsOf(columns: readonly Node[], conditions: readonly Condition[]): Restrictions {
  const restrictions = new Map<string, readonly Restriction[]>();
  for (const column of columns) {
    const own = conditions.filter(({ columnId }) => columnId === String(column["columnId"]));
    const name = (text(column, "name") ?? "").toLowerCase();
    if (own.length > 0)
      restrictions.set(
        name,
        own.map(({ restriction }) => restriction),
      );
  }
  return restrictions;
}

interface Condition {
  /** Columns of different scans have different ids, those of one keep theirs on the way up. */
  readonly columnId: string;
  readonly restriction: Restriction;
}

function columnsOf(scan: Node): readonly Node[] {
  const columns = inherited(scan, "columnList");
  return Array.isArray(columns) ? columns.filter(isNode) : [];
}

interface Call {
  readonly name: string;
  readonly args: readonly Node[];
}

function callOf(expression: Node): Call | undefined {
  const found = concrete(expression);
  if (found?.kind !== "resolvedFunctionCallNode") return undefined;
  const base = child(found.node, "parent");
  const name = text(child(base, "function"), "name") ?? "";
  return { name: name.slice(name.indexOf(":") + 1), args: children(base, "argumentList") };
}

function conjuncts(expression: Node, params: readonly Parameter[]): readonly Condition[] {
  const call = callOf(expression);
  if (call?.name === "$and") return call.args.flatMap((argument) => conjuncts(argument, params));
  const condition = conditionOf(expression, params);
  return condition === undefined ? [] : [condition];
}

function conditionOf(expression: Node, params: readonly Parameter[]): Condition | undefined {
  const call = callOf(expression);
  if (call === undefined) return undefined;
  if (call.name === "$or" || call.name === "$and") {
    const parts = call.args.flatMap((argument) => conditionOf(argument, params) ?? []);
    const [first] = parts;
    if (first === undefined || parts.some(({ columnId }) => columnId !== first.columnId)) return undefined;
    const restrictions = parts.map(({ restriction }) => restriction);
    if (call.name === "$and")
      return { columnId: first.columnId, restriction: (span) => restrictions.every((may) => may(span)) };
    // One arm that is about something else lets every partition through.
    if (parts.length < call.args.length) return undefined;
    return { columnId: first.columnId, restriction: (span) => restrictions.some((may) => may(span)) };
  }
  return comparisonOf(call, params);
}

const mirrored: Partial<Record<string, string>> = {
  $less: "$greater",
  $less_or_equal: "$greater_or_equal",
  $greater: "$less",
  $greater_or_equal: "$less_or_equal",
};

function comparisonOf({ name, args }: Call, params: readonly Parameter[]): Condition | undefined {
  const [left, ...others] = args;
  if (left === undefined) return undefined;
  const columnId = columnIdOf(left);
  if (columnId === undefined) {
    const [right] = others;
    const turned = mirrored[name] ?? (name === "$equal" ? name : undefined);
    if (turned === undefined || right === undefined || columnIdOf(right) === undefined) return undefined;
    return comparisonOf({ name: turned, args: [right, left] }, params);
  }
  if (name === "$is_null") return { columnId, restriction: (span) => span === null };
  const values = others.map((argument) => constantOf(argument, params));
  if (values.length === 0 || values.includes(undefined)) return undefined;
  const list = values.flatMap((value) => (value === undefined ? [] : (value.arrayValue?.element ?? [value])));
  const restriction = restrictionOf(name, list.map(secondsOf));
  return restriction === undefined ? undefined : { columnId, restriction };
}

/** A comparison with NULL is met by nothing. */
function restrictionOf(name: string, bounds: readonly (number | null)[]): Restriction | undefined {
  const [a = null, b = null] = bounds;
  const of = (met: (first: number, last: number) => boolean): Restriction => {
    return (span) => span !== null && met(span.first, span.last);
  };
  switch (name) {
    case "$equal":
      return of((first, last) => a !== null && first <= a && a <= last);
    case "$less":
      return of((first) => a !== null && first < a);
    case "$less_or_equal":
      return of((first) => a !== null && first <= a);
    case "$greater":
      return of((_, last) => a !== null && last > a);
    case "$greater_or_equal":
      return of((_, last) => a !== null && last >= a);
    case "$between":
      return of((first, last) => a !== null && b !== null && last >= a && first <= b);
    case "$in":
    case "$in_array":
      return of((first, last) => bounds.some((bound) => bound !== null && first <= bound && bound <= last));
    default:
      return undefined;
  }
}

function columnIdOf(expression: Node): string | undefined {
  const found = concrete(expression);
  if (found?.kind !== "resolvedColumnRefNode") return undefined;
  return String(child(found.node, "column")?.["columnId"]);
}

function constantOf(expression: Node, params: readonly Parameter[]): ValueProto | undefined {
  const found = concrete(expression);
  if (found?.kind === "resolvedLiteralNode") return child(child(found.node, "value"), "value") ?? {};
  if (found?.kind !== "resolvedParameterNode") return undefined;
  const name = text(found.node, "name")?.toLowerCase();
  // The value of an undeclared parameter is not known; it is taken for NULL, which reads nothing.
  return params.find((param) => param.name.toLowerCase() === name)?.value ?? {};
}
