// Goal: whatever is wrong with what the product is given, it says so in one error with its place and what to do, exits with 1,
// and has written nothing. Method: the shipped command line as a process, once for a person and once for a program, on a
// pipeline that has gaps to repair, so that a run that went on would show.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import {
  gappy as sketch,
  plainPoints,
  plainSchedule as schedule,
  type Refusal,
  refusal,
  refusalOf,
} from "./refusal.ts";
import { withScene } from "./scene.ts";

const timeoutMs = 120_000;
// What they wait for, others use.
vi.setConfig({ maxConcurrency: 3 });
const good = `${schedule}processors:\n${plainPoints}`;

function invalid(place: string, expected: string): Refusal {
  const escape = (text: string) => text.replaceAll(/[.[\]$(){}*+?|^]/g, String.raw`\$&`);
  return {
    code: "config_invalid",
    message: new RegExp(`${escape(place)}[\\s\\S]*expected +${escape(expected)}`),
  };
}

const plain = "table: points, date_column: day";
const waiver = (more: string) => `waivers:\n  - { processors: [points], reason: none, owner: me, ${more} }\n`;

describe.concurrent("a pipeline file with a fault in it", () => {
  const processors = (...lines: readonly string[]) => `${schedule}processors:\n${lines.join("\n")}\n`;
  it.each<[fault: string, pipeline: string, expected: Refusal]>([
    ["an unknown key", `${good}waiver: []\n`, invalid("pipeline.yaml:8:1", "a key of the top: version,")],
    [
      "a wrong type",
      processors(`  points: { ${plain}, priority: high }`),
      invalid("processors.points.priority", "a whole number"),
    ],
    [
      "a date that does not exist",
      processors(`  points: { ${plain}, available: { from: 2024-02-30 } }`),
      invalid("processors.points.available.from", "a date that exists"),
    ],
    [
      "an end before its start",
      good + waiver("start_date: 2024-02-01, end_date: 2024-01-31"),
      invalid("waivers[0].end_date", "a date that is not before start_date"),
    ],
    [
      "an unknown processor",
      processors(`  points: { ${plain}, depends_on: [games] }`),
      invalid("processors.points.depends_on[0]", "the name of a processor"),
    ],
    [
      "dependencies in a loop",
      processors(
        `  points: { ${plain}, depends_on: [totals] }`,
        `  totals: { ${plain}, depends_on: [points] }`,
      ),
      invalid("processors.points.depends_on", "dependencies without a loop"),
    ],
    ["a name given twice", good + plainPoints, invalid("pipeline.yaml:8:3", "each key once")],
    [
      "a look-back of no days",
      processors(
        `  points: { ${plain} }`,
        `  totals: { ${plain}, depends_on: [{ processor: points, lookback: { days: 0 } }] }`,
      ),
      invalid("lookback.days", "a whole number from 1"),
    ],
    [
      "a time of day that there is not",
      processors(`  points: { ${plain}, repair: { sql_file: points.sql, windows: [25:00-26:00] } }`),
      invalid("processors.points.repair.windows[0]", "two different times of day"),
    ],
    [
      "an identifier with a quote",
      processors("  points: { table: 'points\"; drop table games; --', date_column: day }"),
      invalid("processors.points.table", "a table as dataset.table"),
    ],
    [
      "a negative number",
      processors(`  points: { ${plain}, expect: { rows: { min: -1 } } }`),
      invalid("processors.points.expect.rows.min", "a whole number, 0 or more"),
    ],
    [
      "an unset variable",
      processors(`  points: { ${plain}, owner: "\${NOBODY_SET_THIS}" }`),
      invalid("processors.points.owner", "the environment variable NOBODY_SET_THIS"),
    ],
    [
      "a broken variable",
      processors(`  points: { ${plain}, owner: "\${NOBODY" }`),
      invalid("processors.points.owner", "${NAME}, ${NAME:-default}"),
    ],
    [
      "a template variable that does not exist",
      processors(`  points: { ${plain}, repair: { command: [load, "{{begin_date}}"] } }`),
      invalid("processors.points.repair.command[1]", "a template: {{start_date}}"),
    ],
    [
      "an SQL file that is not there",
      processors(`  points: { ${plain}, repair: { sql_file: pionts.sql } }`),
      invalid("processors.points.repair.sql_file", "a file with SQL at"),
    ],
  ])(
    "is refused: %s",
    (_fault, pipeline, expected) =>
      withScene({ ...sketch, pipeline }, async (scene) => {
        expect(await refusalOf(scene, ["--once"])).toEqual(refusal(expected));
      }),
    timeoutMs,
  );

  it(
    "is refused: an unknown time zone",
    () =>
      withScene(sketch, async (scene) => {
        const text = readFileSync(join(scene.folder, "pipeline.yaml"), "utf8");
        await scene.write("pipeline.yaml", text.replace("America/New_York", "America/New_Yrok"));
        expect(await refusalOf(scene, ["--once"])).toEqual(refusal(invalid("timezone", "an IANA time zone")));
      }),
    timeoutMs,
  );
});

describe.concurrent("a pipeline file that is none", () => {
  const bomb = [
    "a: &a0 [x, x]",
    ...Array.from({ length: 30 }, (_, n) => `b${n}: &a${n + 1} [*a${n}, *a${n}]`),
  ].join("\n");
  it.each<[what: string, content: string | Buffer, expected: Refusal]>([
    ["an empty file", "", { code: "config_invalid", message: /pipeline\.yaml/ }],
    [
      "a binary file",
      Buffer.from([0, 159, 146, 150, 0, 1, 2]),
      { code: "config_unreadable", message: /pipeline\.yaml/ },
    ],
    [
      "a file of 10 MB",
      `# ${"x".repeat(10_000_000)}\n`,
      { code: "config_unreadable", message: /pipeline\.yaml/ },
    ],
    ["aliases that would grow without end", bomb, { code: "config_invalid", message: /pipeline\.yaml/ }],
    [
      "a text that is no YAML",
      "version: [1\n",
      { code: "config_invalid", message: /pipeline\.yaml:\d+:\d+/ },
    ],
  ])(
    "is refused: %s",
    (_what, content, expected) =>
      withScene(sketch, async (scene) => {
        writeFileSync(join(scene.folder, "pipeline.yaml"), content);
        expect(await refusalOf(scene, ["--once"])).toEqual(refusal(expected));
      }),
    timeoutMs,
  );

  it.each<[what: string, path: string, code: string]>([
    ["no file at all", "none.yaml", "config_not_found"],
    ["a folder", "folder", "config_unreadable"],
    ["a path through a file", "pipeline.yaml/pipeline.yaml", "config_not_found"],
  ])(
    "is refused: %s",
    (_what, path, code) =>
      withScene(sketch, async (scene) => {
        mkdirSync(join(scene.folder, "folder"));
        const message = new RegExp(path.replace(".", String.raw`\.`));
        expect(await refusalOf(scene, ["--once", "--config", path])).toEqual(refusal({ code, message }));
      }),
    timeoutMs,
  );
});

describe.concurrent("a flag or command with a fault in it", () => {
  it.each<[args: string, message: RegExp]>([
    ["--onec", /unknown option '--onec'/],
    ["reconsile", /there is no command "reconsile"/],
    ["now --once", /there is no command "now"/],
    ["--once status", /--once does not go with the command status/],
    ["--dry-run daemon", /--dry-run does not go with the command daemon/],
    ["--start-date 2024-01-02 daemon", /--start-date does not go with the command daemon/],
    ["--dry-run retry --all --yes", /--dry-run does not go with the command retry/],
    ["run --as-of 2024-01-03T00:00:00Z", /--as-of goes with plan, status, explain and report/],
    ["statu", /there is no command "statu"/],
    ["run now", /too many arguments for 'run'/],
    ["explain points", /missing required argument 'date'/],
    ["explain points 2024-02-30", /'2024-02-30'.*Expected a date that exists, as YYYY-MM-DD/],
    ["explain pionts 2024-01-01", /there is no processor "pionts"/],
    ["explain points 2023-01-01", /2023-01-01 is before the first scheduled date, 2024-01-01/],
    ["--once --start-date 2024-13-01", /--start-date.*'2024-13-01'.*Expected a date that exists/],
    [
      "--once --start-date 2024-01-05 --end-date 2024-01-01",
      /--end-date 2024-01-01 is before --start-date 2024-01-05/,
    ],
    ["--once --processor pionts", /--processor: there is no processor "pionts"/],
    ["--once --phase 4", /--phase: there is no phase "4"/],
    ["--once --max-wait 10", /--max-wait.*'10'.*Expected a duration such as 30s/],
    ["--once --gaps-exit-code 256", /--gaps-exit-code.*'256'.*from 0 to 255/],
    ["--once --as-of 2024-01-03T00:00:00Z", /--as-of goes with plan, status, explain and report/],
    ["plan --as-of yesterday", /--as-of.*'yesterday'.*Expected an instant with its zone/],
    ["plan --as-of 2024-02-30T00:00:00Z", /Expected an instant with its zone/],
    ["status --since tomorrow", /--since.*'tomorrow'.*Expected a duration/],
    ["status --log-level loud", /--log-level.*'loud'.*Allowed choices are silent/],
  ])(
    "is refused: %s",
    (args, message) =>
      withScene(sketch, async (scene) => {
        expect(await refusalOf(scene, args.split(" "))).toEqual(refusal({ code: "usage", message }));
      }),
    timeoutMs,
  );

  it(
    "is refused: a format that there is not",
    () =>
      withScene(sketch, async (scene) => {
        const refused = await scene.run("--once", "--format", "xml");
        expect(refused).toMatchObject({ code: 1, stdout: "" });
        expect(refused.stderr).toMatch(/^error: option '--format <format>' argument 'xml' is invalid/);
      }),
    timeoutMs,
  );

  it(
    "is refused: a target that the file does not have",
    () =>
      withScene(sketch, async (scene) => {
        const expected = {
          code: "config_invalid",
          message: /no target: the file has no `targets`[\s\S]*"prod" from --target/,
        };
        expect(await refusalOf(scene, ["--once", "--target", "prod"])).toEqual(refusal(expected));
      }),
    timeoutMs,
  );
});
