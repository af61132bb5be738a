import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Scene, type SceneSketch, sqlCalendar } from "./scene.ts";

export const plainSchedule = "schedule: { table: games, date_column: day }\n";
export const plainPoints =
  "  points: { table: points, date_column: day, repair: { sql_file: points.sql } }\n";

/** A pipeline with gaps to repair, so that a run which goes on where it should not would show. */
export const gappy: SceneSketch = {
  pipeline: `${plainSchedule}processors:\n${plainPoints}`,
  files: { "points.sql": "select day, 1 as number from games where day between $start_date and $end_date" },
  warehouse: [
    `create table games as select game_date as day from (${sqlCalendar(["2024-01-01", "2024-01-05"])})`,
    "create table points (day date, number integer)",
  ],
};

export interface Refusal {
  readonly code: string;
  /** What the message says: what was expected and found, and where. */
  readonly message: RegExp;
}

/** Every file of the folder with the hash of what it holds. */
function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ name }) => {
      const path = join(folder, name);
      return [name, createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

export const lockFile = "warehouse.ledger.duckdb.lock";

/** What the command does when it refuses, for a person and for a program, and which files it changed. */
export async function refusalOf(scene: Scene, args: readonly string[]) {
  const before = contentsOf(scene.folder);
  const text = await scene.run(...args);
  const json = await scene.run(...args, "--format", "json");
  const after = contentsOf(scene.folder);
  const changed = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
  return {
    codes: [text.code, json.code],
    stdout: text.stdout,
    errors: text.stderr.match(/^error: /gm)?.length ?? 0,
    stderr: text.stderr.replaceAll(/\s+/g, " "),
    hasStackTrace: /\n\s+at \S|node:internal|Node\.js v/.test(text.stderr + json.stderr),
    jsonStderr: json.stderr,
    document: json.json(),
    changed,
  };
}

/** One error with its place and its remedy, exit 1, no stack trace, and nothing written but what is named. */
export function refusal({ code, message }: Refusal, changed: readonly string[] = []) {
  return {
    codes: [1, 1],
    stdout: "",
    errors: 1,
    stderr: expect.stringMatching(/^error: .* to do \S/) as string,
    hasStackTrace: false,
    jsonStderr: expect.not.stringContaining("error: ") as string,
    document: {
      error: {
        code,
        message: expect.stringMatching(message) as string,
        hint: expect.stringMatching(/\S/) as string,
        path: expect.toSatisfy((path: unknown) => path === null || typeof path === "string") as unknown,
      },
    },
    changed,
  };
}
