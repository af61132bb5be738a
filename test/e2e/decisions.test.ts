import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { commandOf, job } from "./jobs.ts";
import { leagueHead, processors, wholeLeague } from "./league.ts";
import { gapsOf, type SceneSketch, withScene } from "./scene.ts";

// Goal: what a person decides holds, in this run and in the next, and is on record with who and why.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

/** One gap, whose repair fails until there is a file called `fixed`. */
const oneGap: SceneSketch = {
  pipeline:
    leagueHead +
    processors.boxscores +
    processors.player_game_summary.replace(
      "sql_file: player_game_summary.sql",
      `command: ${commandOf("summary.mjs")}`,
    ),
  files: {
    "summary.mjs": job(`
      if (!existsSync("fixed")) process.exit(1);
      await sql("insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date between '" + first + "' and '" + last + "'");`),
  },
  warehouse: [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-02'",
  ],
};
const gap = "player_game_summary 2024-01-02 missing";
const cell = ["--processor", "player_game_summary", "--start-date", "2024-01-02", "--end-date", "2024-01-02"];

test.concurrent("retry gives a quarantined date its attempts again, and not a run more before", async () => {
  await withScene(oneGap, async (scene) => {
    const runs = () => readFileSync(join(scene.folder, "runs.log"), "utf8").trim().split("\n").length;
    expect(gapsOf((await scene.report("--once")).document)).toEqual([`${gap} quarantined`]);
    await scene.write("fixed", "");
    expect((await scene.run("--once")).code).toBe(2);
    expect(runs()).toBe(3);
    const decided = await scene.run(
      "retry",
      ...cell,
      "--actor",
      "ana",
      "--reason",
      "the parser is fixed",
      "--yes",
      "--format",
      "json",
    );
    expect(decided.code).toBe(0);
    expect(decided.json()).toMatchObject({
      schema_version: 1,
      touched: [{ processor: "player_game_summary", dates: ["2024-01-02"] }],
    });
    const healed = await scene.report("--once");
    expect({ code: healed.code, gaps: healed.document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(runs()).toBe(4);
    expect(await scene.ledger("select kind, actor, reason from decisions")).toEqual([
      ["retry", "ana", "the parser is fixed"],
    ]);
  });
});

test.concurrent("pause starts nothing until resume, and says so", async () => {
  await withScene(oneGap, async (scene) => {
    await scene.write("fixed", "");
    expect((await scene.run("pause", ...cell, "--reason", "the source is being moved", "--yes")).code).toBe(
      0,
    );
    const paused = await scene.report("--once");
    expect({ code: paused.code, gaps: gapsOf(paused.document), repairs: paused.document.repairs }).toEqual({
      code: 2,
      gaps: [`${gap} held`],
      repairs: [],
    });
    expect(paused.document.gaps[0]?.reason).toBe("paused");
    const told = await scene.run("explain", "player_game_summary", "2024-01-02");
    expect(told.stdout).toContain("the source is being moved");
    expect((await scene.run("resume", ...cell, "--yes")).code).toBe(0);
    expect((await scene.run("--once")).code).toBe(0);
  });
});

test.concurrent("waive makes a gap exempt with its reason on record, and unwaive makes it a gap again", async () => {
  await withScene(oneGap, async (scene) => {
    const waived = await scene.run(
      "waive",
      ...cell,
      "--reason",
      "the game was never recorded",
      "--owner",
      "data-team",
      "--yes",
    );
    expect(waived.code).toBe(0);
    const run = await scene.report("--once");
    expect({ code: run.code, gaps: run.document.gaps, repairs: run.document.repairs }).toEqual({
      code: 0,
      gaps: [],
      repairs: [],
    });
    expect(run.document.exempt).toMatchObject({ waived: 1 });
    const told = await scene.run("explain", "player_game_summary", "2024-01-02");
    expect(told.stdout).toContain("the game was never recorded");
    expect(told.stdout).toContain("data-team");
    expect((await scene.run("unwaive", ...cell, "--yes")).code).toBe(0);
    const again = await scene.report("plan");
    expect({ code: again.code, gaps: gapsOf(again.document) }).toEqual({ code: 2, gaps: [`${gap} ready`] });
  });
});

test.concurrent("a waiver that has expired hides nothing and repairs nothing by itself", async () => {
  await withScene(oneGap, async (scene) => {
    await scene.write("fixed", "");
    const waived = await scene.run(
      "waive",
      ...cell,
      "--reason",
      "until the archive is back",
      "--expires",
      "2024-12-31",
      "--yes",
    );
    expect(waived.code).toBe(0);
    const run = await scene.report("--once");
    expect({ code: run.code, gaps: gapsOf(run.document) }).toEqual({ code: 2, gaps: [`${gap} held`] });
    expect(run.document.gaps[0]?.reason).toBe("waiver_expired");
  });
});

test.concurrent.each([
  ["nobody to ask", [...cell, "--reason", "why"], "--yes"],
  ["no selection", ["--reason", "why", "--yes"], "--all"],
  ["no reason", [...cell, "--yes"], "--reason"],
  ["an unknown processor", ["--processor", "summary", "--reason", "why", "--yes"], "summary"],
])("a decision with %s is refused, says what is missing and records nothing", async (_what, flags, named) => {
  await withScene(oneGap, async (scene) => {
    const refused = await scene.run("waive", ...flags);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(named);
    expect((await scene.report("plan")).document.exempt).toMatchObject({ waived: 0 });
  });
});
