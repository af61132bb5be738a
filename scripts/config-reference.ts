import { z } from "zod";
import { defaultOf, isObject, isRequired, unwrap, type Schema } from "../src/config/schema-walk.ts";
import { documentSchema } from "../src/config/schema/document.ts";

export const referenceStart =
  "<!-- The reference is written by `npm run schema`; change src/config/schema/. -->";
export const referenceEnd = "<!-- End of the reference. -->";

interface Section {
  readonly path: string;
  readonly schema: z.ZodObject<z.core.$ZodShape>;
}

/** The page with its reference replaced by that of the schema as it is. */
export function withReference(page: string): string {
  const start = page.indexOf(referenceStart);
  const end = page.indexOf(referenceEnd);
  if (start === -1 || end < start)
    throw new Error("expected docs/config.md to hold the two lines around the reference");
  return `${page.slice(0, start)}${referenceStart}\n\n${reference()}\n${page.slice(end)}`;
}

function reference(): string {
  return sections(documentSchema, "", new Set()).map(formatSection).join("\n");
}

/** Every map of the document once, each below the first that holds it. */
function sections(schema: Schema, path: string, seen: Set<unknown>): readonly Section[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return inner.def.options.flatMap((option) => sections(option, path, seen));
  if (inner instanceof z.ZodArray) return sections(inner.def.element, `${path}[]`, seen);
  if (inner instanceof z.ZodRecord) return sections(inner.def.valueType, join(path, "NAME"), seen);
  if (!isObject(inner) || seen.has(inner) || skipped.has(path)) return [];
  seen.add(inner);
  const below = Object.entries(inner.shape).flatMap(([key, child]) => sections(child, join(path, key), seen));
  return [{ path, schema: inner }, ...below];
}

/** They have the keys of other sections. */
const skipped = new Set(["defaults", "targets.NAME"]);

function formatSection({ path, schema }: Section): string {
  const rows = Object.entries(schema.shape).map(
    ([key, child]) =>
      `| \`${key}\`${isRequired(child) ? " \\*" : ""} | ${typeName(child)} | ${defaultText(child)} | ${escapeCell(meaning(child))} |`,
  );
  const title = path === "" ? "The top" : `\`${path}\`${variant(schema)}`;
  return `### ${title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function variant(schema: z.ZodObject<z.core.$ZodShape>): string {
  const type = schema.shape["type"];
  return type instanceof z.ZodLiteral ? ` with \`type: ${String(type.def.values[0])}\`` : "";
}

function meaning(schema: Schema): string {
  const description = z.globalRegistry.get(schema)?.description;
  if (description === undefined) throw new Error("expected every key of the schema to be described");
  return description;
}

function typeName(schema: Schema): string {
  const inner = unwrap(schema);
  const title = z.globalRegistry.get(inner)?.title;
  if (isObject(inner)) return "map";
  if (title !== undefined) return title;
  if (inner instanceof z.ZodEnum)
    return Object.values(inner.def.entries)
      .map((word) => `\`${word}\``)
      .join(", ");
  if (inner instanceof z.ZodLiteral) return inner.def.values.map((word) => `\`${String(word)}\``).join(", ");
  if (inner instanceof z.ZodArray) return `list of ${typeName(inner.def.element)}`;
  if (inner instanceof z.ZodRecord) return `map of ${typeName(inner.def.valueType)} by name`;
  if (inner instanceof z.ZodUnion) return [...new Set(inner.def.options.map(typeName))].join(" or ");
  return inner instanceof z.ZodString ? "text" : "any";
}

function defaultText(schema: Schema): string {
  const value = defaultOf(schema);
  return value === undefined || JSON.stringify(value) === "{}"
    ? ""
    : `\`${JSON.stringify(value).replace(/^"(.*)"$/, "$1")}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
