import { ReconcilerError } from "../errors.ts";
import { unavailableActions } from "./schema/repair.ts";
import { childOf, pathText, treeAt, type Place, type Tree } from "./tree.ts";

/**
 * What is in force in a merged document and has no adapter in this version. Accepting it would promise what does not happen.
 * @throws ReconcilerError `not_available` that names each with its place.
 */
export function refuseUnavailable(file: string, document: Tree): void {
  const found = new Map<string, Place>();
  for (const place of unavailableIn(document)) found.set(JSON.stringify(place), place);
  if (found.size === 0) return;
  const lines = [...found.values()].map(
    ({ line, column, path }) =>
      `${file}:${line}:${column}: ${pathText(path)} is not available in this version`,
  );
  throw new ReconcilerError("not_available", lines.join("\n"), {
    hint: "available are repairs by sql_file, command and http; choose another target with --target",
    path: file,
  });
}

function unavailableIn(document: Tree): readonly Place[] {
  return [...repairsIn(document, "processors", ["repair"]), ...repairsIn(document, "repairs", [])];
}

function repairsIn(document: Tree, section: string, below: readonly string[]): readonly Place[] {
  const map = childOf(document, section);
  const names = map?.kind === "map" ? [...map.entries.keys()] : [];
  return names.flatMap((name) =>
    unavailableActions.flatMap((action) => unavailableAt(document, [section, name, ...below, action])),
  );
}

function unavailableAt(document: Tree, path: readonly string[]): readonly Place[] {
  const node = treeAt(document, path);
  if (node === null || (node.kind === "scalar" && node.value === null)) return [];
  return [node.place];
}
