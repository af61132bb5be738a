/**
 * The engine's trees as plain JSON. Nodes nest under keys that name their kind; what they share with their base kind is
 * under `parent`.
 */
export interface Node {
  readonly [key: string]: unknown;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A child node. */
export function child(node: Node | undefined, key: string): Node | undefined {
  const found = node?.[key];
  return isNode(found) ? found : undefined;
}

export function children(node: Node | undefined, key: string): readonly Node[] {
  const found = node?.[key];
  return Array.isArray(found) ? found.filter(isNode) : [];
}

export function text(node: Node | undefined, key: string): string | undefined {
  const found = node?.[key];
  return typeof found === "string" ? found : undefined;
}

/** Every node below a value with the kind that it is nested under, outer ones first. */
export function walk(value: unknown, visit: (node: Node, kind: string) => void, kind = ""): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit, kind);
  if (!isNode(value)) return;
  visit(value, kind);
  // Most of a tree is empty places: they are passed over here, as there are hundreds of thousands of them.
  for (const key of Object.keys(value)) {
    const inner = value[key];
    if (typeof inner === "object" && inner !== null) walk(inner, visit, key);
  }
}

/** A property of the node or of a kind that it is based on. */
export function inherited(node: Node | undefined, key: string): unknown {
  for (let at = node; at !== undefined; at = child(at, "parent"))
    if (at[key] !== undefined && at[key] !== null) return at[key];
  return undefined;
}

/** Where a node of a syntax tree stands, in bytes; the end is excluded. */
export function rangeOf(node: Node): { readonly start: number; readonly end: number } {
  const range = inherited(node, "parseLocationRange");
  if (!isNode(range)) throw new Error("a node of the syntax tree has no place");
  return { start: Number(range["start"]), end: Number(range["end"]) };
}

/** The one node that stands for an abstract one: `{ node: "astPathExpressionNode", astPathExpressionNode: {…} }`. */
export function concrete(node: Node | undefined): { readonly kind: string; readonly node: Node } | undefined {
  let at = node;
  let kind = "";
  for (;;) {
    const next = text(at, "node") ?? text(at, "result");
    const inner = next === undefined ? undefined : child(at, next);
    if (next === undefined || inner === undefined) return at === undefined ? undefined : { kind, node: at };
    kind = next;
    at = inner;
  }
}
