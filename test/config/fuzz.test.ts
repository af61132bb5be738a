import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ReconcilerError } from "../../src/errors.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { exampleYaml } from "./example-yaml.ts";

/*
 * Goal: whatever a file holds, loading it gives a config or an error that was meant for a person. Method: the example, damaged
 * at random: a piece cut out, doubled, or replaced by something nasty; a line or a value exchanged for another.
 */
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gap-reconciler-fuzz-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const nasty = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ": ",
  "- ",
  "&a ",
  "*a",
  "!!set ",
  "? ",
  "|",
  ">",
  "'",
  '"',
  "\t",
  "\n",
  "${",
  "${A}",
  "{{",
  "{{x}}",
  "null",
  "-1",
  "1e999",
  ".nan",
  "0x10",
  "~",
  "<<: ",
  "__proto__: ",
  "\u0000",
  "\ud83d",
  "%YAML 1.1\n---\n",
  "--- \n",
];

const damage = fc.record({
  at: fc.integer({ min: 0, max: exampleYaml.length }),
  length: fc.integer({ min: 0, max: 60 }),
  piece: fc.oneof(fc.constantFrom(...nasty), fc.string({ maxLength: 12 }), fc.constant("")),
});

function damaged(damages: readonly { at: number; length: number; piece: string }[]): string {
  return damages.reduce(
    (text, { at, length, piece }) => text.slice(0, at) + piece + text.slice(at + length),
    exampleYaml,
  );
}

const values = [
  "null",
  "3",
  "-0.5",
  "true",
  "[]",
  "{}",
  "text",
  "2024-13-01",
  "[[[]]]",
  "{a: {b: []}}",
  '"${X}"',
  '""',
  '"{{nope}}"',
];

const exchanged = fc
  .array(fc.record({ line: fc.nat({ max: 200 }), value: fc.constantFrom(...values) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((changes) => {
    const lines = exampleYaml.split("\n");
    for (const { line, value } of changes) {
      const at = line % lines.length;
      lines[at] = (lines[at] ?? "").replace(/: .*$/, `: ${value}`);
    }
    return lines.join("\n");
  });

/** What loading ends in; what is no error for people is thrown on. */
async function outcomeOf(yaml: string, target: string | null): Promise<string> {
  const file = join(folder, "pipeline.yaml");
  await writeFile(file, yaml);
  try {
    const config = await loadConfig({ file, target, env: { A: "1" } });
    return config.pipeline.processors.length > 0 ? "loaded" : "loaded without processors";
  } catch (error) {
    if (!(error instanceof ReconcilerError)) throw error;
    return error.message.includes(file) ? error.code : `${error.code} without the file's name`;
  }
}

test("a damaged file gives a config or an error for people, never another one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.array(damage, { minLength: 1, maxLength: 4 }).map(damaged), exchanged),
      fc.constantFrom(null, "local", "prod"),
      async (yaml, target) => {
        const known = ["loaded", "config_invalid", "config_unreadable"];
        expect(known).toContain(await outcomeOf(yaml, target));
      },
    ),
    { numRuns: 60, seed: 20_240_131 },
  );
});
