import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { referenceEnd, referenceStart, withReference } from "../../scripts/config-reference.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import type { Json } from "../../src/config/tree.ts";
import { exampleYaml } from "./example-yaml.ts";

const schemaFile = new URL("../../schema/config.schema.json", import.meta.url);
const page = new URL("../../docs/config.md", import.meta.url);

async function schemaOnDisk(): Promise<z.ZodType> {
  const schema: Parameters<typeof z.fromJSONSchema>[0] = JSON.parse(await readFile(schemaFile, "utf8"));
  return z.fromJSONSchema(schema);
}

/** The names of all properties, however deep. */
function keysOf(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const own =
      key === "properties" && typeof member === "object" && member !== null ? Object.keys(member) : [];
    return [...own, ...keysOf(member)];
  });
}

test("the JSON Schema in the repository is that of the schema as it is: `npm run schema` writes it", async () => {
  expect(JSON.parse(await readFile(schemaFile, "utf8"))).toEqual(configJsonSchema());
});

test("the reference in docs/config.md is that of the schema as it is: `npm run schema` writes it", async () => {
  const text = await readFile(page, "utf8");
  expect(text).toBe(withReference(text));
});

test("every key of the JSON Schema is described in docs/config.md", async () => {
  const text = await readFile(page, "utf8");
  const reference = text.slice(text.indexOf(referenceStart), text.indexOf(referenceEnd));
  const keys = new Set(keysOf(configJsonSchema()));
  expect(keys.size).toBeGreaterThan(100);
  expect([...keys].filter((key) => !reference.includes(`| \`${key}\``))).toEqual([]);
});

test("the JSON Schema takes the example, templates, placeholders, nulls and parts in targets", async () => {
  const schema = await schemaOnDisk();
  expect(schema.safeParse(parse(exampleYaml)).error).toBeUndefined();
  const overlay = {
    targets: {
      x: { processors: { a: { where: null, priority: "${P}" }, b: null }, warehouse: { path: "${W}" } },
      y: null,
    },
  };
  expect(schema.safeParse(overlay).error).toBeUndefined();
});

test("the JSON Schema refuses unknown keys, wrong types and bare numbers, in targets as well", async () => {
  const schema = await schemaOnDisk();
  for (const wrong of [
    { pipelin: "x" },
    { pipeline: "Bad Name" },
    { limits: { jobs_max: "many" } },
    { daemon: { cycle_timeout: 30 } },
    { processors: { a: { depend_on: [] } } },
    { processors: { a: { table: 'raw."a"' } } },
    { targets: { x: { limits: { jobs: 1 } } } },
    { targets: { x: { version: 1 } } },
  ]) {
    expect({ wrong, success: schema.safeParse(wrong).success }).toEqual({ wrong, success: false });
  }
});
