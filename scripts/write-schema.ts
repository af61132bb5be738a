import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { withReference } from "./config-reference.ts";
import { withMetrics } from "./metrics-reference.ts";
import { resultJsonSchema } from "./result-schema.ts";

/** Writes what is made of the source: the schemas of the config and of the results, and the tables of two pages. */
const root = new URL("../", import.meta.url);
mkdirSync(new URL("schema/", root), { recursive: true });
for (const [name, schema] of [
  ["config", configJsonSchema()],
  ["result", resultJsonSchema()],
] as const) {
  const file = new URL(`schema/${name}.schema.json`, root);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  execFileSync("npx", ["--no-install", "biome", "format", "--write", fileURLToPath(file)], {
    stdio: "ignore",
  });
}
for (const [name, rewrite] of [
  ["config", withReference],
  ["metrics", withMetrics],
] as const) {
  const page = new URL(`docs/${name}.md`, root);
  writeFileSync(page, rewrite(readFileSync(page, "utf8")));
}
