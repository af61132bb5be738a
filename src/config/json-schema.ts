import { z } from "zod";
import { documentSchema, sectionNames } from "./schema/document.ts";
import type { Json } from "./tree.ts";

type JsonObject = { readonly [key: string]: Json };

/** Text with `${…}` may stand for any single value: what it becomes is known only where the environment is. */
const placeholder: JsonObject = { title: "placeholder", type: "string", pattern: "\\$\\{" };

/** Keywords that stay with a property when alternatives are put below it. */
const annotations = new Set(["description", "default", "title"]);

/**
 * The JSON Schema of a pipeline file, for editors. Nothing is required in it, since defaults and targets may give any key, and
 * null and `${…}` may stand for any value: it refuses nothing that the loader takes, and finds unknown keys and wrong types.
 */
export function configJsonSchema(): JsonObject {
  const generated = z.json().parse(z.toJSONSchema(documentSchema, { io: "input" }));
  const { $defs, ...document } = isObject(generated) ? generated : {};
  const written = objectAt(document, "properties");
  const sections = Object.fromEntries(Object.entries(written).filter(([key]) => sectionNames.includes(key)));
  const target = { type: "object", properties: sections, additionalProperties: false };
  const targets = { ...objectAt(written, "targets"), additionalProperties: { $ref: "#/$defs/target" } };
  const defs = isObject($defs) ? $defs : {};
  return {
    ...widen({ ...document, properties: { ...written, targets } }),
    title: "gap-reconciler pipeline",
    $defs: {
      placeholder,
      ...mapValues({ ...defs, target }, ({ id: _id, ...definition }) => widen(definition)),
    },
  };
}

/** The schema with what may stand for a value beside it, and without what is required. */
function widen(schema: JsonObject): JsonObject {
  const { required: _required, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => widenKeyword(key, value)));
  const { type } = schema;
  const isStrict = "enum" in schema || "const" in schema || "pattern" in schema;
  const isSingle =
    type === "number" || type === "integer" || type === "boolean" || (type === "string" && isStrict);
  return isSingle ? alternatives(inner, { $ref: "#/$defs/placeholder" }) : inner;
}

function widenKeyword(key: string, value: Json): readonly [string, Json] {
  if (isObject(value)) {
    if (key === "properties") return [key, mapValues(value, (child) => nullable(widen(child)))];
    if (key === "additionalProperties") return [key, nullable(widen(value))];
    if (key === "items") return [key, widen(value)];
  }
  // Without what they require, several of the options may fit.
  if (key === "oneOf" || key === "anyOf") return ["anyOf", isList(value) ? value.map(widenOption) : value];
  return [key, value];
}

function widenOption(option: Json): Json {
  return isObject(option) ? widen(option) : option;
}

function nullable(schema: JsonObject): JsonObject {
  const options = schema["anyOf"];
  if (isList(options) && options.some((option) => isObject(option) && option["type"] === "null"))
    return schema;
  return alternatives(schema, { type: "null" });
}

/** One more thing that a value may be; what describes the value stays in front. */
function alternatives(schema: JsonObject, other: JsonObject): JsonObject {
  const entries = Object.entries(schema);
  const front = Object.fromEntries(entries.filter(([key]) => annotations.has(key)));
  const rest = Object.fromEntries(entries.filter(([key]) => !annotations.has(key)));
  const options = rest["anyOf"];
  const isChoice = Object.keys(rest).length === 1 && isList(options);
  if (Object.keys(rest).length === 0) return front;
  return { ...front, anyOf: isChoice ? [...options, other] : [rest, other] };
}

function mapValues(value: JsonObject, change: (child: JsonObject, key: string) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, isObject(child) ? change(child, key) : child]),
  );
}

function objectAt(value: JsonObject, key: string): JsonObject {
  const member = value[key];
  return isObject(member) ? member : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
