import { hashOf } from "../core/hash.ts";
import type { RepairUnit } from "../core/pipeline.ts";
import type { RepairAction, SqlAction } from "../core/repair-action.ts";
import { assertNever } from "../errors.ts";
import { checkName, type Loaded } from "./loaded.ts";
import { maskText, sortSecrets } from "./mask-secrets.ts";
import { resolveAction } from "./resolve-actions.ts";
import type { ProcessorInput } from "./schema/processor.ts";
import { actionKeys, type RepairInput } from "./schema/repair.ts";
import type { TreePath } from "./tree.ts";

/**
 * Each repair once, in the order in which processors name it. `processorNames` are those that resolved, in file order: the
 * units refer to them by index.
 */
export function resolveRepairs(loaded: Loaded, processorNames: readonly string[]): readonly RepairUnit[] {
  const shared = sharedActions(loaded);
  const units = new Map<string, RepairUnit>();
  for (const [index, name] of processorNames.entries()) {
    const repair = loaded.document.processors[name]?.repair;
    const unit = repair === undefined ? null : unitOf(loaded, name, repair, shared);
    if (unit === null) continue;
    const joined = units.get(unit.name);
    units.set(unit.name, { ...(joined ?? unit), processors: [...(joined?.processors ?? []), index] });
  }
  for (const unit of units.values()) checkShared(loaded, unit);
  return [...units.values()];
}

function unitOf(
  loaded: Loaded,
  processor: string,
  repair: ProcessorInput["repair"],
  shared: ReadonlyMap<string, RepairAction>,
): RepairUnit | null {
  const path = ["processors", processor, "repair"];
  if ("use" in repair) {
    if (!checkName(loaded, [...path, "use"], repair.use, "repair")) return null;
    const input = loaded.document.repairs[repair.use];
    const action = shared.get(repair.use);
    return input === undefined || action === undefined ? null : unit(loaded, repair.use, input, action);
  }
  if (repair.pool !== undefined) checkName(loaded, [...path, "pool"], repair.pool, "pool");
  const action = resolveAction(loaded, path, repair);
  if (action === null) return null;
  if (shared.has(processor)) {
    loaded.issues.addAtKey(loaded.tree, ["repairs", processor], {
      expected: "a name that no processor with a repair of its own has",
      found: processor,
      hint: "rename the shared repair: the ledger knows repairs by name",
    });
  }
  return unit(loaded, processor, repair, action);
}

/** All of them are checked, also those that nobody uses yet. */
function sharedActions(loaded: Loaded): ReadonlyMap<string, RepairAction> {
  const actions = new Map<string, RepairAction>();
  for (const [name, input] of Object.entries(loaded.document.repairs)) {
    const path: TreePath = ["repairs", name];
    if (input.pool !== undefined) checkName(loaded, [...path, "pool"], input.pool, "pool");
    const before = loaded.issues.all.length;
    const action = resolveAction(loaded, path, input);
    if (action !== null) actions.set(name, action);
    else if (loaded.issues.all.length === before) {
      loaded.issues.addAt(loaded.tree, path, {
        expected: `an action: ${actionKeys.join(", ")}`,
        found: "none",
        hint: "`defaults.repair` gives a shared repair its settings, not its action",
      });
    }
  }
  return actions;
}

function checkShared(loaded: Loaded, { name, processors, action }: RepairUnit): void {
  if (action.kind !== "sql" || processors.length < 2) return;
  loaded.issues.addAt(loaded.tree, ["repairs", name, "sql_file"], {
    expected: "one processor that uses it: a SELECT fills one table",
    found: `${processors.length} processors`,
    hint: "give each processor a sql_file of its own, or share another action",
  });
}

function unit(loaded: Loaded, name: string, input: RepairInput, action: RepairAction): RepairUnit {
  return {
    name,
    processors: [],
    action,
    replaces: input.replaces ?? true,
    saysReplaces: input.replaces !== undefined,
    batch: input.batch,
    maxAttempts: input.max_attempts,
    backoffMs: input.backoff,
    probe: input.probe === null ? null : { afterMs: input.probe.after, max: input.probe.max },
    timeoutMs: input.timeout,
    timeoutPerDateMs: input.timeout_per_date,
    maxDatesPerJob: input.max_dates_per_job,
    concurrency: input.concurrency,
    pool: input.pool ?? null,
    windows: input.windows,
    preconditions: input.preconditions,
    hash: actionHash(loaded, input, action),
  };
}

/**
 * Of what the action does: not of where the files happen to lie, so that two machines agree, and not of secrets, so that the
 * ledger holds nothing made of them.
 */
function actionHash(loaded: Loaded, input: RepairInput, action: RepairAction): string {
  const told = withoutPlaces(input, action);
  return hashOf(maskText(JSON.stringify(told), sortSecrets(loaded.secrets)));
}

function withoutPlaces(input: RepairInput, action: RepairAction): object {
  switch (action.kind) {
    case "sql":
      return sqlHashed(action);
    case "command":
      return { ...action, cwd: input.cwd };
    case "kubernetes_job":
      return { ...action, cluster: action.cluster?.apiServer ?? null };
    case "http":
    case "cloud_run_job":
    case "pubsub":
      return action;
    default:
      return assertNever(action, "kind of repair");
  }
}

/** What was not configured is left out, so that a hash of before these keys stays what it was. */
function sqlHashed({ sql, publish, leaveNull }: SqlAction): object {
  return {
    kind: "sql",
    sql,
    ...(publish === "if_better" ? {} : { publish }),
    ...(leaveNull.length === 0 ? {} : { leaveNull }),
  };
}
