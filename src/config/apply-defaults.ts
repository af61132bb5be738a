import type { IssueList } from "./issues.ts";
import { actionKeys, keysOfPrograms } from "./schema/repair.ts";
import {
  childOf,
  emptyMap,
  keyPlaceOf,
  mergeTrees,
  pathText,
  treeOfJson,
  withEntry,
  withoutEntries,
  type Entry,
  type MapTree,
  type Tree,
  type TreePath,
} from "./tree.ts";

/**
 * `defaults` merged under every processor, and `defaults.repair` under every shared repair, whose settings it gives but
 * whose action it does not. An action of the processor's own replaces that of the defaults.
 */
export function applyDefaults(document: MapTree, issues: IssueList): MapTree {
  const written = childOf(document, "defaults");
  const defaults = withWholeTimeout(written?.kind === "map" ? written : emptyMap(document.place));
  const settings = withoutEntries(mapAt(defaults, "repair"), new Set(actionKeys));
  const processors = eachEntry(document, "processors", (processor, path) =>
    mergeTrees(
      processorDefaults(defaults, settings, processor),
      withWholeTimeout(checkRepair(document, processor, path, issues)),
    ),
  );
  return eachEntry(processors, "repairs", (repair, path) => {
    checkProgramKeys(document, repair, path, issues);
    return mergeTrees(settings, wholeTimeout(repair));
  });
}

/**
 * Who sets a `timeout` and says nothing of single dates means the whole run: the time per date of the defaults must not be
 * added to it.
 */
function wholeTimeout(repair: MapTree): MapTree {
  const timeout = childOf(repair, "timeout");
  if (timeout === null || !isGiven(repair, "timeout") || childOf(repair, "timeout_per_date") !== null)
    return repair;
  return withEntry(repair, "timeout_per_date", treeOfJson("0s", timeout.place));
}

function withWholeTimeout(holder: MapTree): MapTree {
  const repair = childOf(holder, "repair");
  return repair?.kind === "map" ? withEntry(holder, "repair", wholeTimeout(repair)) : holder;
}

function processorDefaults(defaults: MapTree, settings: MapTree, processor: MapTree): MapTree {
  const own = childOf(processor, "repair");
  if (own === null) return defaults;
  const isNone = own.kind === "scalar" && own.value === null;
  if (isNone || isGiven(own, "use")) return withoutEntries(defaults, new Set(["repair"]));
  return actionKeys.some((key) => isGiven(own, key)) ? withEntry(defaults, "repair", settings) : defaults;
}

/** The processor, of whose repair only `use` is left where it has that: the settings stand at the shared repair. */
function checkRepair(document: MapTree, processor: MapTree, path: TreePath, issues: IssueList): MapTree {
  const own = childOf(processor, "repair");
  if (own?.kind !== "map") return processor;
  const repairPath = [...path, "repair"];
  checkProgramKeys(document, own, repairPath, issues);
  if (!isGiven(own, "use")) return processor;
  const beside = new Set([...own.entries.keys()].filter((key) => key !== "use"));
  for (const key of beside) {
    issues.addAtKey(document, [...repairPath, key], {
      expected: "nothing beside `use`",
      found: `${pathText([key])} in ${pathText(repairPath)}`,
      hint: "settings of a shared repair stand under `repairs`",
    });
  }
  return withEntry(processor, "repair", withoutEntries(own, beside));
}

function checkProgramKeys(document: MapTree, repair: MapTree, path: TreePath, issues: IssueList): void {
  const action = actionKeys.find((key) => isGiven(repair, key));
  if (action === undefined) return;
  for (const [key, actions] of Object.entries(keysOfPrograms)) {
    if (!isGiven(repair, key) || actions.some((known) => known === action)) continue;
    const place = keyPlaceOf(document, [...path, key]);
    issues.add({
      place,
      expected: `no ${key}, which belongs to ${actions.join(", ")}`,
      found: `${key} beside ${action}`,
      hint: `remove ${key}`,
    });
  }
}

function eachEntry(
  document: MapTree,
  section: string,
  change: (entry: MapTree, path: TreePath) => Tree,
): MapTree {
  const map = childOf(document, section);
  if (map?.kind !== "map") return document;
  const entries = new Map<string, Entry>();
  for (const [name, entry] of map.entries) {
    const { value } = entry;
    entries.set(name, value.kind === "map" ? { ...entry, value: change(value, [section, name]) } : entry);
  }
  return withEntry(document, section, { ...map, entries });
}

function mapAt(map: MapTree, key: string): MapTree {
  const value = childOf(map, key);
  return value?.kind === "map" ? value : emptyMap(map.place);
}

function isGiven(map: Tree, key: string): boolean {
  const value = childOf(map, key);
  return value !== null && !(value.kind === "scalar" && value.value === null);
}
