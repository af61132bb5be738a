import { isAbsolute, resolve } from "node:path";
import { quoteText, type IssueList } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import type { TextFile } from "./read-text-file.ts";
import type { DocumentInput } from "./schema/document.ts";
import { childOf, type Tree, type TreePath } from "./tree.ts";

/** A document that fits its schema, with all that resolving it needs; nothing here is read from disk any more. */
export interface Loaded {
  readonly document: DocumentInput;
  /** What `document` was made of: it tells places. */
  readonly tree: Tree;
  readonly issues: IssueList;
  /** The folder of the config file, absolute. */
  readonly folder: string;
  /** The SQL files that the document names, by absolute path. */
  readonly sqlFiles: ReadonlyMap<string, TextFile>;
  readonly secrets: ReadonlySet<string>;
  readonly names: KnownNames;
}

/** Every name that is written, also of what is not valid itself: one error must not make others of all who refer to it. */
export interface KnownNames {
  readonly processors: readonly string[];
  readonly schedules: readonly string[];
  readonly repairs: readonly string[];
  readonly pools: readonly string[];
}

export function knownNames(tree: Tree): KnownNames {
  const single = childOf(tree, "schedule") === null ? [] : ["default"];
  return {
    processors: keysAt(tree, "processors"),
    schedules: [...single, ...keysAt(tree, "schedules")],
    repairs: keysAt(tree, "repairs"),
    pools: keysAt(tree, "pools"),
  };
}

export function absolutePath(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path);
}

/** Whether a name is one of those that there are; reports it, with the nearest, where it is not. */
export function checkName(
  loaded: Loaded,
  path: TreePath,
  name: string,
  kind: "processor" | "schedule" | "repair" | "pool",
): boolean {
  const known = loaded.names[`${kind}s`];
  if (known.includes(name)) return true;
  const listed = known.length > 12 ? `${known.slice(0, 12).join(", ")}, …` : known.join(", ");
  const hint =
    didYouMean(name, known) ?? (known.length === 0 ? `there are no ${kind}s` : `there are: ${listed}`);
  loaded.issues.addAt(loaded.tree, path, {
    expected: `the name of a ${kind}`,
    found: `the unknown ${kind} ${quoteText(name)}`,
    hint,
  });
  return false;
}

/** The text of an SQL file; null where there is none to use, which is reported. */
export function sqlText(loaded: Loaded, path: TreePath, file: string): string | null {
  const absolute = absolutePath(loaded.folder, file);
  const read = loaded.sqlFiles.get(absolute);
  const expected = `a file with SQL at ${absolute}`;
  const hint = isAbsolute(file) ? null : `paths are relative to the config file's folder, ${loaded.folder}`;
  if (read === undefined || read.kind === "failed") {
    loaded.issues.addAt(loaded.tree, path, { expected, found: read?.found ?? "no such file", hint });
    return null;
  }
  const text = read.text.trim();
  if (/\S/.test(withoutComments(text))) return text;
  loaded.issues.addAt(loaded.tree, path, { expected, found: "a file without a statement", hint: null });
  return null;
}

/** SQL without its comments, to look for what stands in the code; a comment sign within a string counts as one. */
export function withoutComments(sql: string): string {
  return sql.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/--.*$/gm, " ");
}

function keysAt(tree: Tree, section: string): readonly string[] {
  const map = childOf(tree, section);
  return map?.kind === "map" ? [...map.entries.keys()] : [];
}
