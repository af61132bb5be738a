import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { failure, faults, load, loadError, pipelineYaml, temporaryFolder } from "./load.ts";

/** The single fault of a document, with its place. */
async function faultOf(yaml: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const error = await loadError({ yaml, env });
  expect(error.code).toBe("config_invalid");
  const all = faults(error);
  expect(all).toEqual([expect.any(String)]);
  return all[0] ?? "";
}

const plain = "table: raw.a, date_column: d";

test("an unknown key is told with its place, the keys there are and the nearest one", async () => {
  const fault = await faultOf(pipelineYaml("  a:\n    table: raw.a\n    date_column: d\n    depend_on: [b]"));
  expect(fault).toMatch(
    /^pipeline\.yaml:10:5 processors\.a\.depend_on expected a key of processors\.a: table, where,/,
  );
  expect(fault).toMatch(/found the unknown key "depend_on" to do did you mean "depends_on"\?$/);
});

test("an unknown key at the top, and in a map that may also be text, is told as well", async () => {
  expect(await faultOf(pipelineYaml(undefined, "waiver: []"))).toMatch(
    /:8:1 waiver .*did you mean "waivers"\?$/,
  );
  const edge = `  a: { ${plain} }\n  b: { ${plain}, depends_on: [{ processor: a, mod: soft }] }`;
  expect(await faultOf(pipelineYaml(edge))).toMatch(
    /:8:\d+ processors\.b\.depends_on\[0\]\.mod .*the unknown key "mod" to do did you mean "mode"\?$/,
  );
});

test("a wrong type is told with what was expected and what was found", async () => {
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, priority: high }`))).toBe(
    'pipeline.yaml:7:48 processors.a.priority expected a whole number from -1000 to 1000 found "high"',
  );
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, tags: raw }`))).toMatch(
    /expected a list of texts found "raw"$/,
  );
  expect(await faultOf(pipelineYaml("  a:"))).toMatch(
    /:7:3 processors\.a expected a map with table and date_column found nothing$/,
  );
});

test("a key that is required and missing is told at the map that lacks it", async () => {
  expect(await faultOf(pipelineYaml("  a: { table: raw.a }"))).toBe(
    'pipeline.yaml:7:6 processors.a.date_column expected the name of a column found nothing to do add "date_column"',
  );
});

test("a word that is none of the choices is told with the nearest", async () => {
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, severity: critcal }`))).toMatch(
    /expected one of critical, warning, info found "critcal" to do did you mean "critical"\?$/,
  );
});

test("a cron whose time never comes is told where it stands, and not by the daemon when it starts", async () => {
  for (const cron of ["61 * * * *", "*/0 * * * *", "0 24 * * *", "* * * * someday", "0 0 30 2 *"]) {
    expect(await faultOf(pipelineYaml(undefined, `daemon: { cron: "${cron}" }`))).toBe(
      `pipeline.yaml:8:17 daemon.cron expected cron fields with a time that comes: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7 found "${cron}"`,
    );
  }
  for (const cron of ["*/15 * * * *", "5,35 6-23 * * mon-fri", "0 6 29 2 *"]) {
    const { config } = await load({ yaml: pipelineYaml(undefined, `daemon: { cron: "${cron}" }`) });
    expect(config.daemon.cron).toBe(cron);
  }
});

test("a port that no server can have is refused", async () => {
  for (const port of [65_536, 99_999]) {
    expect(await faultOf(pipelineYaml(undefined, `http: { listen: "127.0.0.1:${port}" }`))).toMatch(
      /http\.listen expected a host and a port, such as "127\.0\.0\.1:8080"/,
    );
  }
  const { config } = await load({ yaml: pipelineYaml(undefined, 'http: { listen: "127.0.0.1:65535" }') });
  expect(config.http?.listen).toBe("127.0.0.1:65535");
});

test("a kind of warehouse that there is not is told with those that there are", async () => {
  expect(await faultOf(pipelineYaml().replace("type: duckdb", "type: postgres"))).toMatch(
    /:4:20 warehouse\.type expected duckdb or bigquery found "postgres"$/,
  );
});

test("a URL that is none of Redis is told where it stands, and is not shown", async () => {
  const redis = `redis: { url: "http://u:s3cr3t@r", lock_urls: ["redis://a", "b:6379/s3cr3t"] }`;
  const error = await loadError({ yaml: pipelineYaml(undefined, redis) });
  const told = faults(error);
  expect(told).toEqual([
    expect.stringContaining("redis expected no redis"),
    expect.stringMatching(/redis\.url expected redis:\/\/host.* found another text, which is not shown/),
    expect.stringMatching(/redis\.lock_urls\S*1\S* expected redis:\/\/host/),
  ]);
  expect(told.join()).not.toContain("s3cr3t");
  // One that is not set is no URL of another kind.
  expect(
    faults(await loadError({ yaml: pipelineYaml(undefined, 'redis: { url: "${NOWHERE:?}" }') })),
  ).toEqual([expect.stringContaining("redis expected no redis"), expect.stringContaining("NOWHERE")]);
});

test("a ledger that does not fit its warehouse, and labels that BigQuery would refuse, are told", async () => {
  const bigquery = (more: string) =>
    pipelineYaml(undefined, more).replace(/^warehouse:.*$/m, "warehouse: { type: bigquery, project: p }");
  expect(await faultOf(bigquery(""))).toMatch(
    /ledger expected a dataset for the ledger: ledger\.dataset .*to do add ledger: \{ dataset: \w+_reconciler \}/,
  );
  expect(await faultOf(bigquery("ledger: { path: ./l.duckdb }"))).toMatch(
    /ledger\.path expected ledger\.dataset, as the warehouse is BigQuery/,
  );
  expect(await faultOf(bigquery("ledger: { dataset: a-b }"))).toMatch(
    /ledger\.dataset expected the name of a dataset/,
  );
  expect(await faultOf(pipelineYaml(undefined, "redis: { url: redis://r }"))).toMatch(
    /redis expected no redis with a warehouse that is one DuckDB file/,
  );
  expect(await faultOf(pipelineYaml(undefined, "ledger: { dataset: d }"))).toMatch(
    /ledger\.dataset expected ledger\.path, as the warehouse is a DuckDB file/,
  );
  const labelled = (labels: string) =>
    bigquery("ledger: { dataset: d }").replace("project: p", `project: p, labels: { ${labels} }`);
  expect(await faultOf(labelled("purpose: x"))).toMatch(
    /labels\.purpose expected a name other than pipeline, target/,
  );
  expect(await faultOf(labelled("Team: x"))).toMatch(/labels\.Team expected a name of at most 63 lower-case/);
  expect(await faultOf(labelled("team: Data Team"))).toMatch(/labels\.team expected at most 63 lower-case/);
});

test("a date that does not exist is refused", async () => {
  for (const date of ["2024-02-30", "2024-2-3", "2023-02-29", "20240201", "yesterday"]) {
    expect(await faultOf(pipelineYaml(`  a: { ${plain}, available: { from: ${date} } }`))).toMatch(
      /:7:\d+ processors\.a\.available\.from expected a date that exists, as YYYY-MM-DD/,
    );
  }
});

test("an end before its start is refused, for waivers and for availability", async () => {
  const waiver =
    "waivers:\n  - { processors: [a], start_date: 2024-02-01, end_date: 2024-01-31, reason: none, owner: me }";
  expect(await faultOf(pipelineYaml(undefined, waiver))).toMatch(
    /:9:\d+ waivers\[0\]\.end_date expected a date that is not before start_date, which is 2024-02-01 found "2024-01-31"$/,
  );
  expect(
    await faultOf(pipelineYaml(`  a: { ${plain}, available: { from: 2024-02-01, to: 2024-01-31 } }`)),
  ).toMatch(/processors\.a\.available\.to expected a date that is not before from, which is 2024-02-01/);
});

test("an unknown processor is told with the nearest one, wherever a processor is named", async () => {
  const two = (rest: string) => `  player_game_summary: { ${plain} }\n  b: { ${plain}, ${rest} }`;
  for (const [rest, path] of [
    ["depends_on: [player_game_sumary]", "depends_on\\[0\\]"],
    ["depends_on: [{ processor: player_game_sumary }]", "depends_on\\[0\\]\\.processor"],
    [
      "depends_on: [{ any_of: [player_game_summary, player_game_sumary] }]",
      "depends_on\\[0\\]\\.any_of\\[1\\]",
    ],
    ["expect: { coverage: { of: player_game_sumary, key: k } }", "expect\\.coverage\\.of"],
    ["expect: { rows: { per_entity: { of: player_game_sumary } } }", "expect\\.rows\\.per_entity\\.of"],
  ] as const) {
    expect(await faultOf(pipelineYaml(two(rest)))).toMatch(
      new RegExp(
        `:8:\\d+ processors\\.b\\.${path} .*"player_game_sumary" to do did you mean "player_game_summary"\\?$`,
      ),
    );
  }
  const waiver =
    "waivers: [{ processors: [aa], start_date: 2024-01-01, end_date: 2024-01-02, reason: r, owner: o }]";
  expect(await faultOf(pipelineYaml(undefined, waiver))).toMatch(
    /waivers\[0\]\.processors\[0\] .*did you mean "a"\?$/,
  );
});

test("unknown schedules, pools and shared repairs are told with those that there are", async () => {
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, schedule: game }`))).toMatch(
    /processors\.a\.schedule expected the name of a schedule found the unknown schedule "game" to do there are: default$/,
  );
  const pool = `  a: { ${plain}, repair: { command: [x], pool: heavi } }`;
  expect(await faultOf(pipelineYaml(pool, "pools: { heavy: { slots: 1 } }"))).toMatch(
    /did you mean "heavy"\?$/,
  );
  expect(await faultOf(pipelineYaml(pool))).toMatch(/there are no pools$/);
  expect(
    await faultOf(
      pipelineYaml(`  a: { ${plain}, repair: { use: backfil } }`, "repairs: { backfill: { command: [x] } }"),
    ),
  ).toMatch(/processors\.a\.repair\.use .*did you mean "backfill"\?$/);
});

test("a dependency cycle is told by its loop, through any_of and look-backs too", async () => {
  const loop = `  a: { ${plain}, depends_on: [c] }
  b: { ${plain}, depends_on: [{ any_of: [a] }] }
  c: { ${plain}, depends_on: [{ processor: b, lookback: { days: 3 } }] }`;
  expect(await faultOf(pipelineYaml(loop))).toMatch(
    /:7:\d+ processors\.a\.depends_on expected dependencies without a loop found a → c → b → a to do remove one/,
  );
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, depends_on: [a] }`))).toMatch(
    /found a → a to do `chronological: true` makes a processor wait/,
  );
});

test("a table that must be filled between two of one repair is told, as none of them ever would be", async () => {
  const chain = (edge: string) => `  a: { ${plain}, depends_on: [c], repair: { use: both } }
  b: { ${plain}, repair: { use: both } }
  c: { ${plain}, depends_on: [${edge}] }`;
  const shared = "repairs: { both: { command: [fill, '{{start_date}}'] } }";
  const error = await loadError({ yaml: pipelineYaml(chain("b"), shared) });
  expect(faults(error)).toEqual([
    expect.stringMatching(
      /processors\.a\.depends_on expected tables of one repair .* found a \+ b → c → a \+ b to do one run fills a and b: give them/,
    ),
  ]);
  for (const edge of ["{ processor: b, lookback: { days: 3 } }", "{ processor: b, mode: soft }"]) {
    await load({ yaml: pipelineYaml(chain(edge), shared) });
  }
});

test("a name that is given twice is told with the line of the first", async () => {
  expect(await faultOf(pipelineYaml(`  a: { ${plain} }\n  b: { ${plain} }\n  a: { ${plain} }`))).toBe(
    'pipeline.yaml:9:3 processors.a expected each key once found "a" again; the first one is in line 7 to do rename or remove one of them',
  );
});

test("impossible windows and shares are refused", async () => {
  const edge = (rest: string) =>
    pipelineYaml(`  a: { ${plain} }\n  b: { ${plain}, depends_on: [{ processor: a, ${rest} }] }`);
  expect(await faultOf(edge("lookback: { days: 0 }"))).toMatch(
    /lookback\.days expected a whole number from 1 to 36500/,
  );
  expect(await faultOf(edge("lookback: { days: -3 }"))).toMatch(/found the number -3$/);
  expect(await faultOf(edge("lookback: { dates: 0 }"))).toMatch(
    /lookback\.dates expected a whole number from 1/,
  );
  expect(await faultOf(edge("lookback: { dates: 1.5 }"))).toMatch(/found the number 1\.5$/);
  expect(await faultOf(edge("lookback: {}"))).toMatch(
    /lookback expected either days or dates found neither$/,
  );
  expect(await faultOf(edge("lookback: { days: 1, dates: 1 }"))).toMatch(/either days or dates found both$/);
  expect(await faultOf(edge("lookback: { days: 1 }, window: since_previous"))).toMatch(
    /one of lookback, lookahead, offset and window found lookback and window$/,
  );
  expect(await faultOf(edge("lookback: { days: 1 }, min_share: 1.1"))).toMatch(
    /min_share expected a number from 0 to 1/,
  );
  expect(await faultOf(edge("min_share: 0.5"))).toMatch(/no min_share.*use min_completeness/);
  expect(await faultOf(edge("min_completeness: -0.1"))).toMatch(
    /min_completeness expected a number from 0 to 1/,
  );
  expect(await faultOf(edge("wait: 6h"))).toMatch(/no wait.*add `mode: soft`/);
  expect(await faultOf(edge("any_of: [a]"))).toMatch(/expected either processor or any_of found both$/);
});

test("an identifier with a quote, a space or a semicolon is refused, and told to be bare", async () => {
  for (const table of ['raw."a"', "`raw.a`", "raw.a; drop table b", "raw a", "a.b.c.d", "raw..a", "1raw.a"]) {
    expect(await faultOf(pipelineYaml(`  a: { table: ${JSON.stringify(table)}, date_column: d }`))).toMatch(
      /:7:15 processors\.a\.table expected a table as dataset\.table.* to do write the bare name: the product quotes it itself/,
    );
  }
  expect(await faultOf(pipelineYaml(`  a: { table: raw.a, date_column: "d'" }`))).toMatch(
    /processors\.a\.date_column expected the name of a column, of letters, digits, _ and - found "d'" to do write the bare name/,
  );
});

test("negative and zero numbers are refused where they make no sense", async () => {
  for (const [rest, path] of [
    ["bootstrap_days: -1", "bootstrap_days"],
    ["due: { days_after: -1 }", "due\\.days_after"],
    ["expect: { rows: { min: -5 } }", "expect\\.rows\\.min"],
    ["expect: { rows: { per_unit: 0 } }", "expect\\.rows\\.per_unit"],
    ["repair: { command: [x], max_attempts: 0 }", "repair\\.max_attempts"],
    ["repair: { command: [x], concurrency: -2 }", "repair\\.concurrency"],
  ] as const) {
    expect(await faultOf(pipelineYaml(`  a: { ${plain}, ${rest} }`))).toMatch(
      new RegExp(`:7:\\d+ processors\\.a\\.${path} expected a (whole )?number.* found the number -?\\d$`),
    );
  }
});

test("an unknown time zone is told with the nearest one", async () => {
  const yaml = (zone: string) => pipelineYaml().replace("America/New_York", zone);
  expect(await faultOf(yaml("America/NewYork"))).toMatch(
    /:3:11 timezone .*did you mean "America\/New_York"\?$/,
  );
  expect(await faultOf(yaml("Europe/Berln"))).toMatch(/did you mean "Europe\/Berlin"\?$/);
  expect(await faultOf(yaml('"+02:00"'))).toMatch(/timezone expected an IANA time zone/);
});

test("a bad ${…} is told with its place, its variable and what to do", async () => {
  const yaml = (value: string) => pipelineYaml().replace("./warehouse.duckdb", value);
  expect(await faultOf(yaml('"${WAREHOUSE}"'))).toMatch(
    /:4:34 warehouse\.path expected the environment variable WAREHOUSE found it is not set to do set WAREHOUSE, or give a default: \$\{WAREHOUSE:-default\}$/,
  );
  expect(await faultOf(yaml('"${WAREHOUS}"'), { WAREHOUSE: "x" })).toMatch(/did you mean "WAREHOUSE"\?$/);
  expect(await faultOf(yaml('"${W:?tell me where}"'), { W: "" })).toMatch(
    /variable W \(tell me where\) found it is empty/,
  );
  for (const bad of ["${A-b}", "${1A}", "${}", "${A", "${A:-${B}}"]) {
    expect(await faultOf(yaml(JSON.stringify(bad)))).toMatch(
      /warehouse\.path expected \$\{NAME\}, \$\{NAME:-default\}.* to do .*write \$\$ where a dollar is meant$/,
    );
  }
});

test("numbers without a unit are refused for durations and sizes, with what to add", async () => {
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, repair: { command: [x], timeout: 30 } }`))).toMatch(
    /repair\.timeout expected a duration above zero with a unit.* found the number 30 to do add a unit: ms, s, m, h or d$/,
  );
  expect(await faultOf(pipelineYaml(undefined, "budgets: { scan_bytes_per_day: 1000 }"))).toMatch(
    /budgets\.scan_bytes_per_day expected a size with a unit.* found the number 1000 to do add a unit: B,/,
  );
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, repair: { command: [x], timeout: 0s } }`))).toMatch(
    /found "0s"/,
  );
});

test("an empty file, one of comments alone, and one that is no map are told so", async () => {
  for (const yaml of ["", "\n\n", "# only a comment\n", "---\n"]) {
    expect(await faultOf(yaml)).toBe(
      "pipeline.yaml expected a pipeline found an empty file to do examples/minimal/pipeline.yaml is one to begin with",
    );
  }
  expect(await faultOf("- a\n- b\n")).toMatch(
    /^pipeline\.yaml:1:1 expected a map with version.* found a list$/,
  );
  expect(await faultOf("hello")).toMatch(/found "hello"$/);
});

test("a second document is refused with its place", async () => {
  expect(await faultOf(`${pipelineYaml()}---\na: 1\n`)).toMatch(
    /^pipeline\.yaml:\d+:\d+ expected one YAML document found a second one/,
  );
});

test("a binary file is refused: NUL bytes, and bytes that are not UTF-8", async () => {
  const nul = await loadError({ yaml: new Uint8Array([0x61, 0x3a, 0, 0x31]) });
  expect(nul.code).toBe("config_unreadable");
  expect(nul.message).toMatch(/pipeline\.yaml, found a binary file \(a NUL at byte 3\)$/);
  const latin = await loadError({ yaml: new Uint8Array([0x61, 0x3a, 0x20, 0xfc]) });
  expect(latin.message).toMatch(/found bytes that are not UTF-8$/);
  expect(latin.hint).toMatch(/is this the right file/);
});

test("a file of 10 MB is refused without being read to its end", async () => {
  const error = await loadError({ yaml: `# ${"x".repeat(10_000_000)}` });
  expect(error.code).toBe("config_unreadable");
  expect(error.message).toMatch(/found more than 1 MB$/);
});

test("a YAML bomb is refused before it explodes", async () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const items = Array.from({ length: 10 }, () => (level === 0 ? "lol" : `*l${level - 1}`)).join(", ");
    return `l${level}: &l${level} [${items}]`;
  });
  const fault = await faultOf(levels.join("\n"));
  expect(fault).toMatch(/expected at most 60 levels and 100,000 values, aliases expanded found more values/);
});

test("nesting without end, an alias of itself and an alias of nothing are refused", async () => {
  expect(await faultOf(`a: ${"[".repeat(200)}${"]".repeat(200)}`)).toMatch(
    /expected at most 60 levels.* found more levels/,
  );
  expect(await faultOf("a: &x [*x]")).toMatch(/^pipeline\.yaml:1:8 a\[0\] .*\*x, which contains itself/);
  expect(await faultOf("a: *nobody")).toMatch(/\*nobody/);
});

test("text that opens a hundred thousand lists is refused, not a crash", async () => {
  const error = await loadError({ yaml: "[".repeat(100_000) });
  expect(error.code).toBe("config_invalid");
});

test("YAML that cannot be parsed is told with its line and column", async () => {
  expect(await faultOf("version: 1\npipeline: [a, b\n")).toMatch(
    /^pipeline\.yaml:3:1 expected YAML 1\.2 found /,
  );
  expect(await faultOf("%YAML 1.1\n---\nversion: 1\n")).toMatch(
    /found %YAML 1\.1 to do remove the directive$/,
  );
  expect(await faultOf("a: !!binary aGk=\n")).toMatch(
    /^pipeline\.yaml:1:13 a .*found a value that only a tag can give to do remove the tag$/,
  );
});

test("a file that is not there is told with what to do", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "pipeline.yaml");
  const error = await failure(() => loadConfig({ file, target: null, env: {} }));
  expect(error.code).toBe("config_not_found");
  expect(error.message).toBe(`expected a config file at ${file}, found no such file`);
  expect(error.hint).toMatch(/--config/);
  expect(error.path).toBe(file);
});

test("a directory instead of a file is told as one", async () => {
  const folder = await temporaryFolder();
  const error = await failure(() => loadConfig({ file: folder, target: null, env: {} }));
  expect(error.code).toBe("config_unreadable");
  expect(error.message).toBe(`expected a config file at ${folder}, found a directory`);
});

test("a path through a file is a file that is not there", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "a"), "x");
  await mkdir(join(folder, "b"));
  const error = await failure(() =>
    loadConfig({ file: join(folder, "a", "pipeline.yaml"), target: null, env: {} }),
  );
  expect(error.code).toBe("config_not_found");
});

test("a template variable that does not exist is told with the nearest, wherever templates are filled in", async () => {
  for (const [repair, path] of [
    ['command: [x, "{{start_dat}}"]', "command\\[1\\]"],
    ['command: [x], env: { A: "{{start_dat}}" }', "env\\.A"],
    ['http: { url: "http://h/{{start_dat}}" }', "http\\.url"],
    ['http: { url: "http://h/", headers: { A: "{{start_dat}}" } }', "http\\.headers\\.A"],
    ['http: { url: "http://h/", body: "{{start_dat}}" }', "http\\.body"],
    ['http: { url: "http://h/", body: { a: [{ b: "{{start_dat}}" }] } }', "http\\.body\\.a\\[0\\]\\.b"],
    ['http: { url: "http://h/", poll: { url: "http://h/{{start_dat}}" } }', "http\\.poll\\.url"],
  ] as const) {
    expect(await faultOf(pipelineYaml(`  a: { ${plain}, repair: { ${repair} } }`))).toMatch(
      new RegExp(
        `:7:\\d+ processors\\.a\\.repair\\.${path} expected a template: \\{\\{start_date\\}\\}.* found the unknown \\{\\{start_dat\\}\\} to do did you mean "\\{\\{start_date\\}\\}"\\?$`,
      ),
    );
  }
});

test("a field of the answer is refused outside of the URL to poll, and braces must close", async () => {
  const http = (text: string) => pipelineYaml(`  a: { ${plain}, repair: { http: { url: "${text}" } } }`);
  expect(await faultOf(http("http://h/{{response.id}}"))).toMatch(/works only in http\.poll\.url$/);
  expect(await faultOf(http("http://h/{{start_date"))).toMatch(
    /expected }} after every {{ found {{start_date$/,
  );
});

test("an unquoted template is told to be quoted", async () => {
  expect(await faultOf(pipelineYaml(`  a: { ${plain}, repair: { command: [x, {{start_date}}] } }`))).toMatch(
    /:7:\d+ processors\.a\.repair\.command\[1\] .*unquoted {{…}} to do quote it: "{{start_date}}"$/,
  );
  const error = await loadError({
    yaml: pipelineYaml(
      "  a:\n    table: raw.a\n    date_column: d\n    repair:\n      http:\n        url: {{start_date}}/x\n",
    ),
  });
  expect(error.message).toMatch(/pipeline\.yaml:12:.*\n.*\n.*\n\s+to do\s+quote/);
});
