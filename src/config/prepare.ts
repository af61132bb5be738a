import { z } from "zod";
import {
  addSecret,
  hasPlaceholder,
  interpolate,
  passwordsOf,
  type InterpolationSource,
} from "./interpolate.ts";
import type { IssueList } from "./issues.ts";
import {
  childSchema,
  defaultOf,
  isObject,
  isRequired,
  schemaFor,
  unwrap,
  type Schema,
} from "./schema-walk.ts";
import {
  isNull,
  keysOfNull,
  treeOfJson,
  type Entry,
  type MapTree,
  type ScalarTree,
  type Tree,
} from "./tree.ts";

export interface Preparation {
  /** Null leaves `${…}` as it is. */
  readonly source: InterpolationSource | null;
  /** Filled with what must not be shown. */
  readonly secrets: Set<string>;
  readonly issues: IssueList;
}

/**
 * The tree with `${…}` filled in, defaults added in the schema's order, and keys without a value left out. Text that came
 * from `${…}` alone becomes a number or a flag where one is expected: an environment knows only text.
 */
export function prepare(tree: Tree, schema: Schema | null, preparation: Preparation): Tree {
  const chosen = schema === null ? null : schemaFor(schema, tree);
  if (tree.kind === "scalar") return prepareScalar(tree, chosen, preparation);
  if (tree.kind === "list") {
    const element = chosen instanceof z.ZodArray ? chosen.def.element : null;
    return { ...tree, items: tree.items.map((item) => prepare(item, element, preparation)) };
  }
  return isObject(chosen)
    ? prepareObject(tree, chosen, preparation)
    : prepareEntries(tree, (key) => (chosen === null ? null : childSchema(chosen, key)), preparation);
}

function prepareObject(tree: MapTree, schema: z.ZodObject<z.core.$ZodShape>, preparation: Preparation): Tree {
  const entries = new Map<string, Entry>();
  for (const [key, child] of Object.entries(schema.shape)) {
    const written = tree.entries.get(key);
    if (written !== undefined && (!isNull(written.value) || isRequired(child) || keysOfNull.has(key))) {
      entries.set(key, { ...written, value: prepare(written.value, child, preparation) });
      continue;
    }
    const value = defaultOf(child);
    if (value === undefined) continue;
    const place = { ...(written?.value.place ?? tree.place), path: [...tree.place.path, key] };
    entries.set(key, { keyPlace: place, value: prepare(treeOfJson(value, place), child, preparation) });
  }
  for (const [key, entry] of tree.entries) {
    const known = entries.has(key) || Object.hasOwn(schema.shape, key);
    if (!known) entries.set(key, { ...entry, value: prepare(entry.value, null, preparation) });
  }
  return { ...tree, entries };
}

function prepareEntries(
  tree: MapTree,
  schemaOf: (key: string) => Schema | null,
  preparation: Preparation,
): Tree {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of tree.entries) {
    entries.set(key, { ...entry, value: prepare(entry.value, schemaOf(key), preparation) });
  }
  return { ...tree, entries };
}

function prepareScalar(scalar: ScalarTree, schema: Schema | null, preparation: Preparation): Tree {
  const { source, secrets, issues } = preparation;
  if (typeof scalar.value !== "string") return scalar;
  if (source === null) return { ...scalar, pending: hasPlaceholder(scalar.value) };
  const filled = scalar.value.includes("$") ? interpolate(scalar, source, secrets, issues) : scalar;
  // What has no value was reported; the text itself stands in, so that the rest can be checked.
  if (filled === null) return { ...scalar, pending: true };
  const found = literalSecrets(filled);
  for (const text of found) addSecret(secrets, text);
  const secret = filled.secret || found.length > 0;
  const value = hasPlaceholder(scalar.value) ? coerce(filled.value, schema) : filled.value;
  return { ...filled, value, secret };
}

/** Secrets that stand in the file itself, by the names that such things have. */
function literalSecrets(scalar: ScalarTree): readonly string[] {
  const key = String(scalar.place.path.at(-1) ?? "");
  const parent = scalar.place.path.at(-2);
  const { value } = scalar;
  if (typeof value !== "string") return [];
  const passwords = passwordsOf(value);
  if (value === "" || value.includes("{{")) return passwords;
  const inMap = parent === "headers" || parent === "env";
  const isSecret = inMap
    ? /pass(word|wd)?|secret|token|api[-_]?key|authorization|cookie|credential/i.test(key) &&
      !/_file$/i.test(key)
    : /^(password|token|secret)$/.test(key);
  if (!isSecret) return passwords;
  const credentials = /^(?:Bearer|Basic|Token) +(\S.*)$/i.exec(value)?.[1];
  return [credentials ?? value, ...passwords];
}

function coerce(value: ScalarTree["value"], schema: Schema | null): ScalarTree["value"] {
  if (typeof value !== "string" || schema === null) return value;
  const leaf = unwrap(schema);
  if (leaf instanceof z.ZodNumber && /^[-+]?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (leaf instanceof z.ZodBoolean && (value === "true" || value === "false")) return value === "true";
  return value;
}
