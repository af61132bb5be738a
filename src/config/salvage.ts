import { documentSchema, type DocumentInput } from "./schema/document.ts";
import {
  childOf,
  treeOfJson,
  withEntry,
  withoutEntries,
  type Json,
  type MapTree,
  toJson,
  type Tree,
  type TreePath,
} from "./tree.ts";
import { failedPaths } from "./validate.ts";

const entrySections = new Set(["processors", "schedules", "repairs", "pools"]);

/** What stands in for a required section that is wrong, in a document that is only checked further and never used. */
const standIns = new Map<string, Json>([
  ["pipeline", "x"],
  ["timezone", "UTC"],
  ["warehouse", { type: "duckdb", path: "x" }],
  ["processors", {}],
]);

/**
 * The parts of a document that fit its schema, so that they can be checked against each other although the rest does not:
 * a person with two faults should see both. Null where too little is left.
 */
export function salvage(tree: Tree): DocumentInput | null {
  if (tree.kind !== "map") return null;
  let rest = tree;
  for (const path of failedPaths(documentSchema, tree)) rest = withoutPart(rest, path);
  const result = documentSchema.safeParse(toJson(rest));
  return result.success ? result.data : null;
}

/** One entry of a section that is a map of entries, such as one processor; of any other, the whole section. */
function withoutPart(document: MapTree, path: TreePath): MapTree {
  const [section, name] = path.map(String);
  if (section === undefined) return document;
  const map = childOf(document, section);
  if (entrySections.has(section) && name !== undefined && map?.kind === "map") {
    return withEntry(document, section, withoutEntries(map, new Set([name])));
  }
  const standIn = standIns.get(section);
  if (standIn === undefined) return withoutEntries(document, new Set([section]));
  return withEntry(document, section, treeOfJson(standIn, document.place));
}
