// A pipeline over a DuckDB shop, loaded and composed in this process: its dates are those of shop.days.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type App, compose } from "../../src/compose.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";

/** What stands above the processors in the pipeline file of a shop. */
export const shopHead = `version: 1
pipeline: shop
timezone: UTC
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { table: shop.days, date_column: day }
`;

/** Writes the pipeline file of a shop beside its warehouse, with this text below its head, and loads it. */
export async function loadShop(folder: string, text: string): Promise<Config> {
  const file = join(folder, "pipeline.yaml");
  await writeFile(file, shopHead + text);
  return loadConfig({ file, target: null, env: {} });
}

/** The same, and composed as a process composes it, only that it logs nothing; the caller closes it. */
export async function composeShop(
  folder: string,
  text: string,
  options: { readonly revision?: string } = {},
): Promise<App> {
  const config = await loadShop(folder, text);
  return compose(config, { logging: { level: "silent", pretty: false }, ...options });
}
