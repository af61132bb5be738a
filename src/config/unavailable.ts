import { ReconcilerError } from "../errors.ts";
import { unavailableActions } from "./schema/repair.ts";
import { childOf, pathText, treeAt, type Place, type Tree } from "./tree.ts";

interface Unavailable {
  readonly place: Place;
  /** The key with its value where that is what is not available. */
  readonly what: string;
}

/**
 * What is in force in a merged document and has no adapter in this version. Accepting it would promise what does not happen.
 * @throws ReconcilerError `not_available` that names each with its place.
 */
export function refuseUnavailable(file: string, document: Tree): void {
  const found = new Map<string, Unavailable>();
  for (const item of unavailableIn(document)) found.set(JSON.stringify(item.place), item);
  if (found.size === 0) return;
  const lines = [...found.values()].map(
    ({ place, what }) => `${file}:${place.line}:${place.column}: ${what} is not available in this version`,
  );
  throw new ReconcilerError("not_available", lines.join("\n"), {
    hint: "available are warehouse.type duckdb, and repairs by sql_file, command and http; choose another target with --target",
    path: file,
  });
}

function unavailableIn(document: Tree): readonly Unavailable[] {
  const type = treeAt(document, ["warehouse", "type"]);
  const isBigquery = type?.kind === "scalar" && type.value === "bigquery";
  return [
    ...(isBigquery ? [{ place: type.place, what: `${pathText(type.place.path)}: bigquery` }] : []),
    ...unavailableAt(document, ["ledger", "dataset"]),
    ...unavailableAt(document, ["redis"]),
    ...repairsIn(document, "processors", ["repair"]),
    ...repairsIn(document, "repairs", []),
  ];
}

function repairsIn(document: Tree, section: string, below: readonly string[]): readonly Unavailable[] {
  const map = childOf(document, section);
  const names = map?.kind === "map" ? [...map.entries.keys()] : [];
  return names.flatMap((name) =>
    unavailableActions.flatMap((action) => unavailableAt(document, [section, name, ...below, action])),
  );
}

function unavailableAt(document: Tree, path: readonly string[]): readonly Unavailable[] {
  const node = treeAt(document, path);
  if (node === null || (node.kind === "scalar" && node.value === null)) return [];
  return [{ place: node.place, what: pathText(node.place.path) }];
}
