import type { ExitCodes } from "../core/repair-action.ts";
import { checkTemplates } from "./check-templates.ts";
import type { Loaded } from "./loaded.ts";
import type { RepairInput } from "./schema/repair.ts";
import type { TreePath } from "./tree.ts";

/** What a repair says of its program, whatever starts it: its environment, and what its exit codes mean. */
export function programOf(
  loaded: Loaded,
  path: TreePath,
  input: RepairInput,
): { readonly env: Readonly<Record<string, string>>; readonly exitCodes: ExitCodes } {
  checkTemplates(loaded, [...path, "env"], false);
  for (const name of Object.keys(input.env)) {
    if (!name.startsWith("GAP_RECONCILER_")) continue;
    loaded.issues.addAtKey(loaded.tree, [...path, "env", name], {
      expected: "a name that does not begin with GAP_RECONCILER_",
      found: name,
      hint: "the product sets those itself",
    });
  }
  const { retryable, permanent } = input.exit_codes;
  const both = retryable.filter((code) => permanent.includes(code));
  if (both.length > 0) {
    const expected = "each exit code in one list";
    loaded.issues.addAt(loaded.tree, [...path, "exit_codes"], {
      expected,
      found: `${both.join(", ")} in both`,
    });
  }
  return { env: input.env, exitCodes: { retryable, permanent } };
}
