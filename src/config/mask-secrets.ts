import type { Json, Tree } from "./tree.ts";

/** Longest first, so that a secret which contains another is masked whole. */
export function sortSecrets(secrets: Iterable<string>): readonly string[] {
  return [...secrets].sort((left, right) => right.length - left.length || (left < right ? -1 : 1));
}

/** The text with every secret replaced by `***`. */
export function maskText(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

/** The tree as JSON, secrets masked by value, and whole values where a secret that is too short for that went in. */
export function maskedJson(tree: Tree, secrets: readonly string[]): Json {
  if (tree.kind === "list") return tree.items.map((item) => maskedJson(item, secrets));
  if (tree.kind === "map") {
    return Object.fromEntries(
      [...tree.entries].map(([key, entry]) => [key, maskedJson(entry.value, secrets)]),
    );
  }
  if (typeof tree.value !== "string") return tree.secret ? "***" : tree.value;
  const masked = maskText(tree.value, secrets);
  return tree.secret && masked === tree.value ? "***" : masked;
}
