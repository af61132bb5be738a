import { templateProblems, templateVariables } from "../core/template.ts";
import type { Loaded } from "./loaded.ts";
import { nearest } from "./nearest.ts";
import { treeAt, type Tree, type TreePath } from "./tree.ts";

/** Templates in the texts of a value, however deep; keys are no templates. */
export function checkTemplates(loaded: Loaded, path: TreePath, allowResponse: boolean): void {
  const tree = treeAt(loaded.tree, path);
  if (tree !== null) checkTemplateTree(loaded, path, tree, allowResponse);
}

function checkTemplateTree(loaded: Loaded, path: TreePath, tree: Tree, allowResponse: boolean): void {
  if (tree.kind === "map") {
    for (const [key, { value }] of tree.entries)
      checkTemplateTree(loaded, [...path, key], value, allowResponse);
  } else if (tree.kind === "list") {
    for (const [index, item] of tree.items.entries())
      checkTemplateTree(loaded, [...path, index], item, allowResponse);
  } else if (typeof tree.value === "string") {
    checkTemplate(loaded, path, tree.value, allowResponse);
  }
}

function checkTemplate(loaded: Loaded, path: TreePath, text: string, allowResponse: boolean): void {
  for (const { name, kind } of templateProblems(text, allowResponse)) {
    if (kind === "unclosed") {
      loaded.issues.addAt(loaded.tree, path, { expected: "}} after every {{", found: `{{${name}` });
      continue;
    }
    const near = nearest(name, templateVariables);
    const hint = name.startsWith("response")
      ? "{{response.FIELD}} works only in http.poll.url"
      : near === null
        ? null
        : `did you mean "{{${near}}}"?`;
    const expected = `a template: ${templateVariables.map((known) => `{{${known}}}`).join(" ")}`;
    loaded.issues.addAt(loaded.tree, path, { expected, found: `the unknown {{${name}}}`, hint });
  }
}
