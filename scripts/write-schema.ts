import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { withReference } from "./config-reference.ts";

/** Writes what is made of the config's schema: the JSON Schema for editors and the reference in docs/config.md. */
const root = new URL("../", import.meta.url);
const schema = new URL("schema/config.schema.json", root);
const page = new URL("docs/config.md", root);
mkdirSync(new URL("./", schema), { recursive: true });
writeFileSync(schema, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
execFileSync("npx", ["--no-install", "biome", "format", "--write", fileURLToPath(schema)], {
  stdio: "ignore",
});
writeFileSync(page, withReference(readFileSync(page, "utf8")));
