/**
 * A parsed document that still knows where each value was written: merging, defaults and interpolation keep the place, so
 * that an error found late points at the line that a person can change.
 */
export type Tree = ScalarTree | MapTree | ListTree;

export type TreePath = readonly (string | number)[];

/** Line and column count from 1. `path` is where it was written, such as `targets.prod.warehouse`. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly path: TreePath;
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly place: Place;
  /** True where a secret went into the value: it is never shown. */
  readonly secret: boolean;
  /** True where a `${…}` in it has no value, or none yet: it cannot be judged. */
  readonly pending: boolean;
}

export interface MapTree {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Entry>;
  readonly place: Place;
}

export interface Entry {
  readonly keyPlace: Place;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly place: Place;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function childOf(tree: Tree | null, step: string | number): Tree | null {
  if (tree?.kind === "map") return tree.entries.get(String(step))?.value ?? null;
  if (tree?.kind === "list") return tree.items[Number(step)] ?? null;
  return null;
}

/** The value at a path; null where there is none. */
export function treeAt(tree: Tree, path: TreePath): Tree | null {
  let node: Tree | null = tree;
  for (const step of path) node = childOf(node, step);
  return node;
}

/** Where a path was written; for a path that was not, the nearest thing above it, with the rest of the path appended. */
export function placeOf(tree: Tree, path: TreePath): Place {
  let node = tree;
  for (const [index, step] of path.entries()) {
    const child = childOf(node, step);
    if (child === null) return { ...node.place, path: [...node.place.path, ...path.slice(index)] };
    node = child;
  }
  return node.place;
}

/** Where the key at the end of a path was written. */
export function keyPlaceOf(tree: Tree, path: TreePath): Place {
  const parent = treeAt(tree, path.slice(0, -1));
  const entry = parent?.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyPlace ?? placeOf(tree, path);
}

/** `over` over `base`: maps merge, lists and scalars replace, null unsets. */
export function mergeTrees(base: Tree, over: Tree): Tree {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    if (isNull(entry.value) && below !== undefined && !keysOfNull.has(key)) entries.delete(key);
    else if (below === undefined) entries.set(key, entry);
    else entries.set(key, { keyPlace: entry.keyPlace, value: mergeTrees(below.value, entry.value) });
  }
  return { kind: "map", entries, place: over.place };
}

/** Keys whose null is a value, and no unset key: it says "never". */
export const keysOfNull: ReadonlySet<string> = new Set(["probe"]);

export function isNull(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

export function withEntry(map: MapTree, key: string, value: Tree): MapTree {
  const entries = new Map(map.entries);
  entries.set(key, { keyPlace: map.entries.get(key)?.keyPlace ?? value.place, value });
  return { ...map, entries };
}

export function withoutEntries(map: MapTree, keys: ReadonlySet<string>): MapTree {
  return { ...map, entries: new Map([...map.entries].filter(([key]) => !keys.has(key))) };
}

export function emptyMap(place: Place): MapTree {
  return { kind: "map", entries: new Map(), place };
}

/** A plain value as a tree, every part of it placed where what stands for it was (or would have been) written. */
export function treeOfJson(value: Json, place: Place): Tree {
  const below = (step: string | number): Place => ({ ...place, path: [...place.path, step] });
  if (isJsonList(value)) {
    return { kind: "list", items: value.map((item, index) => treeOfJson(item, below(index))), place };
  }
  if (typeof value === "object" && value !== null) {
    const entries = new Map<string, Entry>();
    for (const [key, member] of Object.entries(value)) {
      entries.set(key, { keyPlace: below(key), value: treeOfJson(member, below(key)) });
    }
    return { kind: "map", entries, place };
  }
  return { kind: "scalar", value, place, secret: false, pending: false };
}

export function toJson(tree: Tree): Json {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(toJson);
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toJson(entry.value)]));
}

/** `processors.a.depends_on[2].wait` */
export function pathText(path: TreePath): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join("");
}

function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
