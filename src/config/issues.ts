import { ReconcilerError } from "../errors.ts";
import { keyPlaceOf, pathText, placeOf, treeAt, type Place, type Tree, type TreePath } from "./tree.ts";

/** One thing that is wrong with the config. */
export interface Issue {
  /** Null where it is about the whole file. */
  readonly place: Place | null;
  readonly expected: string;
  readonly found: string;
  /** What to do about it, such as the nearest valid key. */
  readonly hint: string | null;
}

export interface IssueText {
  readonly expected: string;
  /** What the file holds; without it, the value at the place is described. */
  readonly found?: string;
  readonly hint?: string | null;
}

const issuesShownMax = 20;
const foundLengthMax = 80;

/** Collects what is wrong, so that one run tells all of it. The same thing at the same place is kept once. */
export class IssueList {
  readonly #issues = new Map<string, Issue>();

  get all(): readonly Issue[] {
    return [...this.#issues.values()];
  }

  get isEmpty(): boolean {
    return this.#issues.size === 0;
  }

  add(issue: Issue): void {
    const { place } = issue;
    const key = JSON.stringify([place?.line, place?.column, place?.path.at(-1), issue.expected, issue.found]);
    if (!this.#issues.has(key)) this.#issues.set(key, issue);
  }

  /** About the value at a path of `tree`, or about its absence; a value that is pending is not judged. */
  addAt(tree: Tree, path: TreePath, text: IssueText): void {
    const node = treeAt(tree, path);
    if (node?.kind === "scalar" && node.pending) return;
    const found = text.found ?? describeTree(node);
    this.add({ place: placeOf(tree, path), expected: text.expected, found, hint: text.hint ?? null });
  }

  /** About the key at the end of a path of `tree`. */
  addAtKey(tree: Tree, path: TreePath, text: IssueText): void {
    const found = text.found ?? describeTree(treeAt(tree, path));
    this.add({ place: keyPlaceOf(tree, path), expected: text.expected, found, hint: text.hint ?? null });
  }

  /** @throws ReconcilerError `config_invalid` that tells them all, where there are any. */
  throwIfAny(file: string): void {
    if (this.isEmpty) return;
    throw new ReconcilerError("config_invalid", formatIssues(file, this.all), {
      hint: "docs/config.md describes every key",
      path: file,
    });
  }
}

/** A value as an error shows it: on one line, bounded, and never a secret. */
function describeTree(tree: Tree | null): string {
  if (tree === null) return "nothing";
  if (tree.kind === "map") return tree.entries.size === 0 ? "an empty map" : "a map";
  if (tree.kind === "list") return tree.items.length === 0 ? "an empty list" : "a list";
  if (tree.secret) return '"***"';
  if (tree.value === null) return "nothing";
  return typeof tree.value === "string" ? quoteText(tree.value) : `the ${typeof tree.value} ${tree.value}`;
}

/** Text in quotes, control characters escaped, its end cut off where it is long. */
export function quoteText(text: string): string {
  const visible = JSON.stringify(text.length > foundLengthMax ? `${text.slice(0, foundLengthMax)}…` : text);
  return visible.replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function formatIssues(file: string, issues: readonly Issue[]): string {
  const sorted = issues.toSorted((left, right) => {
    const lines = (left.place?.line ?? 0) - (right.place?.line ?? 0);
    return lines === 0 ? (left.place?.column ?? 0) - (right.place?.column ?? 0) : lines;
  });
  const shown = sorted.slice(0, issuesShownMax).map((issue) => formatIssue(file, issue));
  const more = sorted.length - shown.length;
  const count = sorted.length === 1 ? "1 error" : `${sorted.length} errors`;
  const rest = more === 0 ? [] : [`  … and ${more} more, shown once these are solved`];
  return [`${file} is not valid: ${count}`, ...shown, ...rest].join("\n\n");
}

function formatIssue(file: string, issue: Issue): string {
  const { place } = issue;
  const where = place === null ? file : `${file}:${place.line}:${place.column}`;
  const path = place === null || place.path.length === 0 ? "" : `  ${pathText(place.path)}`;
  const lines = [`  ${where}${path}`, `    expected  ${issue.expected}`, `    found     ${issue.found}`];
  if (issue.hint !== null) lines.push(`    to do     ${issue.hint}`);
  return lines.join("\n");
}
