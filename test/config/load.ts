import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { ReconcilerError } from "../../src/errors.ts";

export interface LoadInput {
  readonly yaml: string | Uint8Array;
  /** Other files, by path relative to the config's folder. */
  readonly files?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-config-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the files into a folder of their own and loads `pipeline.yaml` there. */
export async function load(input: LoadInput): Promise<{ config: Config; folder: string }> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries(input.files ?? {})) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const file = join(folder, "pipeline.yaml");
  await writeFile(file, input.yaml);
  const config = await loadConfig({ file, target: input.target ?? null, env: input.env ?? {} });
  return { config, folder };
}

/** The error of a load that must fail, its paths relative to the config's folder. */
export async function loadError(input: LoadInput): Promise<ReconcilerError> {
  return failure(() => load(input));
}

export async function failure(work: () => Promise<unknown>): Promise<ReconcilerError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ReconcilerError) return error;
    throw error;
  }
  throw new Error("expected loading to fail, but it succeeded");
}

/** What is wrong, as it is told: one entry per fault, the folder left out, white space made single. */
export function faults(error: ReconcilerError): readonly string[] {
  return error.message
    .split("\n\n")
    .slice(1)
    .map((fault) =>
      fault
        .replace(/\S*\/(?=pipeline\.yaml)/, "")
        .replace(/\s+/g, " ")
        .trim(),
    );
}

/** A valid document whose processors are given; without them there is one, `a`. */
export function pipelineYaml(processors = "  a: { table: raw.a, date_column: game_date }", top = ""): string {
  return `version: 1
pipeline: nba-props
timezone: America/New_York
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { every: day, start_date: 2024-01-01 }
processors:
${processors}
${top}`;
}
