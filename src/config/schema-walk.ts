import { z } from "zod";
import { childOf, type Json, type Tree, type TreePath } from "./tree.ts";

/** Made once: making a schema costs more than a thousand uses of it. */
const json = z.json();

/** What the walks over tree and schema need to know of a zod schema. */
export type Schema = z.core.$ZodType;

export function isObject(schema: Schema | null): schema is z.ZodObject<z.core.$ZodShape> {
  return schema instanceof z.ZodObject;
}

/** The schema without what makes it optional or nullable, gives it a default or transforms it. */
export function unwrap(schema: Schema): Schema {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable)
    return unwrap(schema.def.innerType);
  return schema instanceof z.ZodPipe ? unwrap(schema.def.in) : schema;
}

/** What stands for a value that was not written; undefined where nothing does. */
export function defaultOf(schema: Schema): Json | undefined {
  return schema instanceof z.ZodPrefault ? json.parse(schema.def.defaultValue) : undefined;
}

export function isRequired(schema: Schema): boolean {
  return !(schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault);
}

/** The schema for a value: of a union, the option that it most likely means; null where none fits its kind. */
export function schemaFor(schema: Schema, value: Tree | null): Schema | null {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodUnion)) return inner;
  const index = optionIndex(inner, value);
  const option = index === null ? undefined : inner.def.options[index];
  return option === undefined ? null : schemaFor(option, value);
}

/** Which option of a union a value most likely means: by its kind, then by the keys and words that it shares. */
export function optionIndex(union: z.ZodUnion, value: Tree | null): number | null {
  let best: number | null = null;
  let bestScore = -1;
  for (const [index, option] of union.def.options.entries()) {
    const score = likeness(unwrap(option), value);
    if (score > bestScore) [best, bestScore] = [index, score];
  }
  return best;
}

/** The names that a map at this place may have; null where it may have any. */
export function keysOf(schema: Schema, tree: Tree, path: TreePath): readonly string[] | null {
  let current: Schema | null = schemaFor(schema, tree);
  let node: Tree | null = tree;
  for (const step of path) {
    node = childOf(node, step);
    const child: Schema | null = current === null ? null : childSchema(current, step);
    current = child === null ? null : schemaFor(child, node);
  }
  return isObject(current) ? Object.keys(current.shape) : null;
}

/** The schema below an already chosen and unwrapped one; null where it knows none. */
export function childSchema(schema: Schema, step: string | number): Schema | null {
  if (isObject(schema)) {
    return Object.hasOwn(schema.shape, step) ? (schema.shape[step] ?? null) : null;
  }
  if (schema instanceof z.ZodRecord) return schema.def.valueType;
  return schema instanceof z.ZodArray ? schema.def.element : null;
}

function likeness(option: Schema, value: Tree | null): number {
  if (value?.kind === "list") return option instanceof z.ZodArray ? 0 : -1;
  if (value?.kind === "map") {
    if (option instanceof z.ZodRecord) return 0;
    if (!isObject(option)) return -1;
    let score = 0;
    for (const [key, entry] of value.entries) {
      const child = Object.hasOwn(option.shape, key) ? option.shape[key] : undefined;
      if (child !== undefined) score += isWord(child, entry.value) ? 1000 : 1;
    }
    return score;
  }
  return isObject(option) || option instanceof z.ZodArray || option instanceof z.ZodRecord ? -1 : 0;
}

function isWord(schema: Schema, value: Tree): boolean {
  if (!(schema instanceof z.ZodLiteral) || value.kind !== "scalar") return false;
  return schema.def.values.some((word) => word === value.value);
}
