import { z } from "zod";
import { quoteText, type IssueList } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import { childSchema, keysOf, optionIndex, schemaFor, unwrap, type Schema } from "./schema-walk.ts";
import { childOf, pathText, toJson, treeAt, type Tree, type TreePath } from "./tree.ts";

const keysShownMax = 12;

/** The tree as its schema reads it; null where it does not fit, with every reason in `issues`. */
export function validate<S extends z.ZodType>(schema: S, tree: Tree, issues: IssueList): z.output<S> | null {
  const result = schema.safeParse(toJson(tree), { error: expectation });
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(schema, tree, [], issue, issues);
  return null;
}

/** The paths of a tree at which it does not fit its schema. */
export function failedPaths(schema: z.ZodType, tree: Tree): readonly TreePath[] {
  const result = schema.safeParse(toJson(tree));
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    const path = toPath(issue.path);
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
  });
}

function report(
  schema: Schema,
  tree: Tree,
  above: TreePath,
  issue: z.core.$ZodIssue,
  issues: IssueList,
): void {
  const path = [...above, ...toPath(issue.path)];
  const node = treeAt(tree, path);
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) reportUnknownKey(schema, tree, [...path, key], issues);
  } else if (issue.code === "invalid_key") {
    const found = quoteText(String(path.at(-1)));
    issues.addAtKey(tree, path, { ...textOf(issue.issues[0]?.message ?? "another name"), found });
  } else if (issue.code === "invalid_union") {
    const union = unionAt(schema, tree, path);
    const index = union === null ? null : optionIndex(union, node);
    const chosen = index === null ? [] : (issue.errors[index] ?? []);
    for (const inner of chosen) report(schema, tree, path, inner, issues);
    if (chosen.length === 0) issues.addAt(tree, path, textOf(issue.message));
  } else {
    const { expected, hint } = textOf(issue.message);
    issues.addAt(tree, path, { expected, hint: hintFor(issue, node, path) ?? hint });
  }
}

function reportUnknownKey(schema: Schema, tree: Tree, path: TreePath, issues: IssueList): void {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const keys = keysOf(schema, tree, parent) ?? [];
  const listed = keys.slice(0, keysShownMax).join(", ") + (keys.length > keysShownMax ? ", …" : "");
  const where = parent.length === 0 ? "the top" : pathText(parent);
  const expected = `a key of ${where}: ${listed}`;
  issues.addAtKey(tree, path, {
    expected,
    found: `the unknown key ${quoteText(key)}`,
    hint: didYouMean(key, keys),
  });
}

function unionAt(schema: Schema, tree: Tree, path: TreePath): z.ZodUnion | null {
  let current: Schema | null = schema;
  let node: Tree | null = tree;
  for (const step of path) {
    const chosen: Schema | null = current === null ? null : schemaFor(current, node);
    current = chosen === null ? null : childSchema(chosen, step);
    node = childOf(node, step);
  }
  const inner = current === null ? null : unwrap(current);
  return inner instanceof z.ZodUnion ? inner : null;
}

function hintFor(issue: z.core.$ZodIssue, node: Tree | null, path: TreePath): string | null {
  if (node === null) return `add "${String(path.at(-1))}"`;
  if (issue.code !== "invalid_value" || node.kind !== "scalar" || typeof node.value !== "string") return null;
  return didYouMean(node.value, issue.values.map(String));
}

/** What a schema without words of its own expects. */
const expectation: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === "invalid_type") return nouns.get(issue.expected) ?? issue.expected;
  if (issue.code === "invalid_value") return `one of ${issue.values.map(String).join(", ")}`;
  return "another value";
};

const nouns = new Map([
  ["object", "a map"],
  ["record", "a map"],
  ["array", "a list"],
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
]);

/** A message's first line is what was expected, its second one what to do. */
function textOf(message: string): { expected: string; hint: string | null } {
  const [expected = "", hint] = message.split("\n");
  return { expected, hint: hint ?? null };
}

function toPath(path: readonly PropertyKey[]): TreePath {
  return path.map((step) => (typeof step === "number" ? step : String(step)));
}
