import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { type CliResult, reconcile } from "../support/cli.ts";
import { startRedis } from "../support/redis.ts";
import { leagueFiles, leagueHead, processors, wholeLeague } from "./league.ts";
import { datesFrom, gapsOf, type SceneSketch, withScene } from "./scene.ts";

// Goal: the command line keeps what scripts rely on: exit codes, flags, and a stdout that carries the result alone.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

/** Three phases, of which the first has a hole of a date, the second of another, and the third of both. */
const threePhases: SceneSketch = {
  pipeline: `${leagueHead}${processors.boxscores}${processors.player_game_summary}${processors.upcoming_player_game_context}${processors.player_composite_factors}`,
  files: leagueFiles,
  warehouse: [
    ...wholeLeague(["2024-01-01", "2024-01-09"]),
    "delete from nba.player_game_summary where game_date = '2024-01-08'",
    "delete from nba.upcoming_player_game_context where game_date = '2024-01-03'",
    "delete from nba.player_composite_factors where game_date in ('2024-01-03', '2024-01-08')",
  ],
};

test.concurrent("reconcile alone prints its help, exits 0 and touches nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gap-reconciler-"));
  try {
    const { code, stdout, stderr } = await reconcile([], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: reconcile/);
    for (const word of ["--once", "plan", "status", "explain"]) expect(stdout).toContain(word);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.concurrent("a password of Redis is printed nowhere, though DEBUG asks the libraries for all that they send", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gap-reconciler-"));
  const redis = await startRedis("--requirepass", "looking-glass");
  try {
    writeFileSync(
      join(folder, "pipeline.yaml"),
      `version: 1
pipeline: shop
timezone: UTC
warehouse: { type: bigquery, project: nowhere }
ledger: { dataset: reconciler }
redis: { url: "\${REDIS_URL:?}" }
schedule: { every: day, start_date: 2024-01-01 }
processors: { orders: { table: shop.orders, date_column: day } }
`,
    );
    const url = redis.url.replace("//", "//intruder:tr0ub4dor@");
    const env = { REDIS_URL: url, DEBUG: "*" };
    const { code, stdout, stderr } = await reconcile(["daemon", "--log-level", "debug"], {
      cwd: folder,
      env,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("refused the credentials: WRONGPASS");
    expect(stderr).not.toMatch(/tr0ub4dor|intruder/);
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true });
  }
});

test.concurrent.each([
  [["--once"], "config_not_found", "pipeline.yaml"],
  [["frobnicate"], "usage", "frobnicate"],
])(
  "reconcile %j exits 1 with an error that names its fault, as text on stderr or as JSON on stdout",
  async (args, errorCode, named) => {
    const folder = mkdtempSync(join(tmpdir(), "gap-reconciler-"));
    try {
      const asText = await reconcile(args, { cwd: folder });
      expect({ code: asText.code, stdout: asText.stdout }).toEqual({ code: 1, stdout: "" });
      expect(asText.stderr).toContain(named);
      const asJson = await reconcile([...args, "--format", "json"], { cwd: folder });
      expect(asJson.code).toBe(1);
      expect(asJson.json()).toMatchObject({
        error: { code: errorCode, message: expect.stringContaining(named) },
      });
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.concurrent("stdout carries the JSON result alone, logs are JSON lines on stderr, and --quiet leaves these out", async () => {
  await withScene(threePhases, async (scene) => {
    const results: CliResult[] = [];
    for (const args of [
      ["plan"],
      ["status"],
      ["status", "--since", "24h"],
      ["explain", "player_composite_factors", "2024-01-08"],
      ["--once"],
    ]) {
      results.push(await scene.run(...args, "--format", "json"));
    }
    for (const result of results) {
      expect(result.json()).toMatchObject({ schema_version: 1, pipeline: "scene" });
      expect(result.stdout).toMatch(/^\{[^]*\}\n$/);
      for (const line of result.stderr.trim().split("\n").filter(Boolean)) {
        expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
      }
    }
    expect(results.map(({ code }) => code)).toEqual([2, 0, 0, 0, 0]);
    expect(results.at(-1)?.stderr).toContain("repair ended");
    await scene.warehouse.write(["delete from nba.player_game_summary where game_date = '2024-01-08'"]);
    const quiet = await scene.run("run", "--quiet", "--format", "json");
    expect({ code: quiet.code, stderr: quiet.stderr }).toEqual({ code: 0, stderr: "" });
  });
});

test.concurrent("a dry run and plan tell the same, exit 2 for gaps and write nothing; run does what --once does", async () => {
  await withScene(threePhases, async (scene) => {
    const before = readdirSync(scene.folder);
    const asOf = ["--as-of", "2024-02-01T12:00:00Z"];
    const results = [
      await scene.run("plan", ...asOf, "--format", "json"),
      await scene.run("--once", "--dry-run", ...asOf, "--format", "json"),
      await scene.run("--format", "json", "run", "--dry-run", ...asOf),
    ];
    expect(results.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
    expect(readdirSync(scene.folder)).toEqual(before);
    const refused = await scene.run("--once", ...asOf, "--format", "json");
    expect(refused.code).toBe(1);
    expect(refused.json()).toMatchObject({ error: { code: "usage" } });
    expect(readdirSync(scene.folder)).toEqual(before);

    const { code, document } = await scene.report("run");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    expect((await scene.run("plan")).code).toBe(0);
  });
});

test.concurrent("--single-pass is one cycle: what its repairs unblock is left for the next", async () => {
  await withScene(threePhases, async (scene) => {
    const first = await scene.report("--once", "--single-pass");
    expect({ code: first.code, gaps: gapsOf(first.document) }).toEqual({
      code: 2,
      gaps: ["2024-01-03", "2024-01-08"].map((date) => `player_composite_factors ${date} missing ready`),
    });
    const second = await scene.report("--once", "--single-pass");
    expect({ code: second.code, gaps: second.document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(
      await scene.ledger("select repair, dates::varchar from repair_starts order by token"),
    ).toHaveLength(4);
  });
});

test.concurrent("a selection limits what is told and repaired, never what is looked at", async () => {
  await withScene(threePhases, async (scene) => {
    const phase4 = await scene.report("--once", "--phase", "4");
    expect({ code: phase4.code, gaps: gapsOf(phase4.document), repairs: phase4.document.repairs }).toEqual({
      code: 2,
      gaps: ["2024-01-03", "2024-01-08"].map((date) => `player_composite_factors ${date} missing blocked`),
      repairs: [],
    });
    expect(phase4.document.gaps.map(({ root_causes }) => root_causes)).toEqual([
      [{ processor: "upcoming_player_game_context", date: "2024-01-03" }],
      [{ processor: "player_game_summary", date: "2024-01-08" }],
    ]);

    const early = await scene.report("--once", "--start-date", "2024-01-02", "--end-date", "2024-01-04");
    expect(early.document.range).toEqual({ start_date: "2024-01-02", end_date: "2024-01-04" });
    expect({ code: early.code, gaps: early.document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(await scene.ledger("select distinct unnest(dates) as date from repair_starts")).toEqual([
      ["2024-01-03"],
    ]);

    const two = ["--processor", "player_game_summary", "--processor", "player_composite_factors"];
    const both = await scene.report("--once", ...two);
    expect(Object.keys(both.document.counts)).toEqual(["player_game_summary", "player_composite_factors"]);
    expect(both.code).toBe(0);
    expect((await scene.run("plan")).code).toBe(0);
  });
});

test.concurrent.each([
  [["--processor", "boxscores", "--phase", "4"], "boxscores"],
  [["--end-date", "2023-12-31"], "2024-01-01"],
  [["--start-date", "2204-01-01"], "2204-01-01"],
])("the selection %j is refused, and the error says why", async (flags, named) => {
  await withScene(threePhases, async (scene) => {
    for (const command of ["--once", "plan", "status"]) {
      const refused = await scene.run(command, ...flags, "--format", "json");
      expect({ command, code: refused.code }).toEqual({ command, code: 1 });
      const document = refused.json();
      expect(document).toMatchObject({ error: { code: "usage" } });
      expect(JSON.stringify(document)).toContain(named);
    }
  });
});

test.concurrent("--gaps-exit-code changes the exit code of gaps, of nothing else", async () => {
  const broken = {
    ...threePhases,
    pipeline: `${threePhases.pipeline}
  broken: { table: nba.no_such_table }
`,
  };
  await withScene(threePhases, async (scene) => {
    const flags = ["--gaps-exit-code", "0", "--phase", "4"];
    expect((await scene.run("plan", ...flags)).code).toBe(0);
    expect((await scene.run("--once", ...flags)).code).toBe(0);
    expect((await scene.run("--once", "--gaps-exit-code", "17", "--phase", "4")).code).toBe(17);
    expect((await scene.run("status", "--phase", "4")).code).toBe(0);
  });
  await withScene(broken, async (scene) => {
    expect((await scene.run("plan", "--gaps-exit-code", "0")).code).toBe(1);
  });
});

test.concurrent("a processor of severity info is shown and never counted", async () => {
  const pipeline = leagueHead + processors.boxscores.replace('phase: "2"', "severity: info");
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.boxscores where game_date = '2024-01-02'",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, converged: document.converged, gaps: gapsOf(document) }).toEqual({
      code: 0,
      converged: true,
      gaps: ["boxscores 2024-01-02 missing unrepairable"],
    });
  });
});

test.concurrent("a person is told in words what is wrong and what to do, and in the end that all is well", async () => {
  await withScene(threePhases, async (scene) => {
    const status = await scene.run("status");
    expect(status.stdout).toContain("not converged");
    expect(status.stdout).toMatch(/player_game_summary.*2024-01-08/);
    expect(status.stdout).toContain("reconcile --once");
    const run = await scene.run("--once");
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^converged/);
    const after = await scene.report("status");
    expect(after.document.counts["player_composite_factors"]?.complete).toBe(
      datesFrom("2024-01-01", "2024-01-09").length,
    );
    expect(status.stdout + run.stdout).not.toContain("\u001b");
  });
});
