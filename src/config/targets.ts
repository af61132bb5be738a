import { interpolate, type InterpolationSource } from "./interpolate.ts";
import { quoteText, type IssueList } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import { sectionNames } from "./schema/document.ts";
import {
  childOf,
  emptyMap,
  keyPlaceOf,
  mergeTrees,
  treeOfJson,
  withEntry,
  withoutEntries,
  type MapTree,
  type Place,
  type Tree,
} from "./tree.ts";

/** The document without its targets: what holds for all of them. */
function baseDocument(tree: MapTree): MapTree {
  return withoutEntries(tree, new Set(["targets"]));
}

/** A target with nothing below it is one that changes nothing. */
export function withEmptyTargets(tree: MapTree): MapTree {
  const targets = childOf(tree, "targets");
  if (targets?.kind !== "map") return tree;
  let filled = targets;
  for (const [name, { value }] of targets.entries) {
    if (value.kind === "scalar" && value.value === null)
      filled = withEntry(filled, name, emptyMap(value.place));
  }
  return withEntry(tree, "targets", filled);
}

export function targetNames(tree: MapTree): readonly string[] {
  const targets = childOf(tree, "targets");
  return targets?.kind === "map" ? [...targets.entries.keys()] : [];
}

/** A target's sections merged over the document; the document itself where the target is null or has nothing. */
export function mergeTarget(tree: MapTree, target: string | null): MapTree {
  const base = baseDocument(tree);
  const over = target === null ? null : childOf(childOf(tree, "targets"), target);
  if (over?.kind !== "map") return base;
  // A key that no target can have was reported as such; merged it would be reported again as another.
  const others = [...over.entries.keys()].filter((key) => !sectionNames.includes(key));
  const merged = mergeTrees(base, withoutEntries(over, new Set(others)));
  // An error in a key that is missing altogether belongs to the top of the file.
  if (merged.kind !== "map") return base;
  return withWarehouse({ ...merged, place: base.place }, over.place);
}

/** The warehouse is what targets are for: where neither has one, it is missing in the target. */
function withWarehouse(merged: MapTree, target: Place): MapTree {
  if (childOf(merged, "warehouse") !== null) return merged;
  const place = { ...target, path: [...target.path, "warehouse"] };
  return withEntry(merged, "warehouse", treeOfJson(null, place));
}

/**
 * The target that is in force: the one asked for, that of the environment, or the document's `default_target`. Null where
 * the document has no targets, or can do without; undefined where it cannot be told, which is reported.
 */
export function chooseTarget(
  tree: MapTree,
  asked: string | null,
  source: InterpolationSource,
  issues: IssueList,
): string | null | undefined {
  const names = targetNames(tree);
  const fromEnv = source.env["GAP_RECONCILER_TARGET"];
  if (asked !== null) return known(tree, asked, "--target", names, issues);
  if (fromEnv !== undefined && fromEnv !== "")
    return known(tree, fromEnv, "GAP_RECONCILER_TARGET", names, issues);
  const written = childOf(tree, "default_target");
  if (written?.kind === "scalar" && written.value !== null) {
    const filled = interpolate(written, source, new Set(), issues);
    return filled === null ? undefined : known(tree, String(filled.value), "default_target", names, issues);
  }
  if (names.length === 0 || childOf(tree, "warehouse") !== null) return null;
  issues.add({
    place: keyPlaceOf(tree, ["targets"]),
    expected: `one of the targets ${names.join(", ")}`,
    found: "none chosen",
    hint: "use --target, set GAP_RECONCILER_TARGET, or write default_target",
  });
  return undefined;
}

function known(
  tree: Tree,
  target: string,
  origin: string,
  names: readonly string[],
  issues: IssueList,
): string | undefined {
  if (names.includes(target)) return target;
  const place = origin === "default_target" ? keyPlaceOf(tree, ["default_target"]) : null;
  issues.add({
    place,
    expected:
      names.length === 0 ? "no target: the file has no `targets`" : `one of the targets ${names.join(", ")}`,
    found: `${quoteText(target)} from ${origin}`,
    hint: didYouMean(target, names),
  });
  return undefined;
}
