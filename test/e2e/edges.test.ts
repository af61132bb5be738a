import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { startReconcile } from "../support/cli.ts";
import { commandOf, job } from "./jobs.ts";
import { leagueFiles, leagueHead, leagueTables, processors, wholeLeague, wholePipeline } from "./league.ts";
import { datesFrom, gapsOf, withScene } from "./scene.ts";

// Goal: one fault stays one fault. Method: `reconcile` as a process beside broken tables, poisoned dates and missing programs.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const summaryBy = (command: string, more = "") =>
  leagueHead +
  processors.boxscores +
  processors.player_game_summary.replace("sql_file: player_game_summary.sql", `command: ${command}${more}`);

/** What fills the summaries of a run's dates, as a statement in a job. */
const fillSummaries =
  "await sql(`insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date between '${first}' and '${last}'`);";

test.concurrent("explain of a blocked cell names the cause at the top of the chain, however many levels up it is", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-04"]),
    "delete from nba.boxscores where game_date = '2024-01-04'",
    ...leagueTables.map((table) => `delete from nba.${table} where game_date = '2024-01-04'`),
  ];
  await withScene({ pipeline: wholePipeline, files: leagueFiles, warehouse }, async (scene) => {
    const run = await scene.report("--once");
    expect({ code: run.code, gaps: gapsOf(run.document) }).toEqual({
      code: 2,
      gaps: [
        "boxscores 2024-01-04 missing unrepairable",
        ...leagueTables.map((table) => `${table} 2024-01-04 missing blocked`),
      ],
    });
    const cause = { processor: "boxscores", date: "2024-01-04" };
    for (const gap of run.document.gaps.slice(1)) expect(gap.root_causes).toEqual([cause]);
    const explained = await scene.run("explain", "prediction_accuracy", "2024-01-04", "--format", "json");
    expect(explained.code).toBe(0);
    expect(explained.json()).toMatchObject({
      state: "missing",
      disposition: "blocked",
      root_causes: [{ ...cause, state: "missing", disposition: "unrepairable", reason: "no_repair" }],
      attempts: [],
    });
    const text = await scene.run("explain", "prediction_accuracy", "2024-01-04");
    expect(text.stdout).toMatch(/boxscores.*2024-01-04|2024-01-04.*boxscores/);
  });
});

test.concurrent("a table whose query fails is unknown, never a gap, and everything that does not read it goes on", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-02'",
    "delete from nba.upcoming_player_game_context where game_date = '2024-01-02'",
    "delete from nba.player_composite_factors where game_date = '2024-01-03'",
  ];
  const context = processors.upcoming_player_game_context.replace(
    "expect: { rows: { per_unit: 4 } }",
    "expect: { checks: { numbered: 'player::integer > 0' } }",
  );
  const pipeline =
    leagueHead +
    processors.boxscores +
    processors.player_game_summary +
    context +
    processors.player_composite_factors.replace(/expect:.*/, "expect: {}");
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    const { code, document, stderr } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document), converged: document.converged }).toEqual({
      code: 1,
      gaps: [
        // Its summary was healed meanwhile, and nobody can see what else it was computed from.
        "player_composite_factors 2024-01-02 stale blocked",
        "player_composite_factors 2024-01-03 missing blocked",
      ],
      converged: false,
    });
    expect(document.unknown.map(({ processor, date, code: why }) => `${processor} ${date} ${why}`)).toEqual(
      datesFrom("2024-01-01", "2024-01-03").map(
        (date) => `upcoming_player_game_context ${date} query_failed`,
      ),
    );
    expect(document.unknown[0]?.message).toContain("G1P");
    expect(document.gaps[1]?.root_causes).toEqual([
      { processor: "upcoming_player_game_context", date: "2024-01-03" },
    ]);
    expect(document.repairs.map(({ repair, outcome }) => `${repair} ${outcome}`)).toEqual([
      "player_game_summary repaired",
    ]);
    expect(stderr).toContain("table not observed");
    expect(
      await scene.ledger("select * from gap_events where processor = 'upcoming_player_game_context'"),
    ).toEqual([]);
  });
});

test.concurrent("a table that is not there is unknown, not empty", async () => {
  const warehouse = [...wholeLeague(["2024-01-01", "2024-01-03"]), "drop table nba.player_game_summary"];
  const pipeline = leagueHead + processors.boxscores + processors.player_game_summary;
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps, repairs: document.repairs }).toEqual({
      code: 1,
      gaps: [],
      repairs: [],
    });
    expect(document.unknown.map(({ code: why }) => why)).toEqual(["not_found", "not_found", "not_found"]);
  });
});

test.concurrent("a poisoned date in a batch of 31 ends in quarantine alone, and the other 30 are repaired", async () => {
  const january = datesFrom("2024-01-01", "2024-01-31");
  const warehouse = [...wholeLeague(["2024-01-01", "2024-01-31"]), "delete from nba.player_game_summary"];
  const poison = "2024-01-13";
  const files = {
    "summary.mjs": job(`
      if (first <= "${poison}" && "${poison}" <= last) {
        console.error("cannot parse the box score of ${poison}");
        process.exit(1);
      }
      ${fillSummaries}`),
  };
  await withScene({ pipeline: summaryBy(commandOf("summary.mjs")), files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: [`player_game_summary ${poison} missing quarantined`],
    });
    expect(document.counts["player_game_summary"]?.complete).toBe(january.length - 1);
    const runs = readFileSync(join(scene.folder, "runs.log"), "utf8").trim().split("\n");
    expect(runs[0]).toBe(`player_game_summary ${january.join(",")}`);
    // Its last attempt was its own, so that what is quarantined is the date that is at fault.
    expect(
      await scene.ledger(
        "select batch_dates, charged from cell_outcomes where date = '2024-01-13' order by ended_at",
      ),
    ).toEqual([
      ["31", "true"],
      ["15", "true"],
      ["1", "true"],
    ]);
    expect(
      await scene.warehouse.read("select count(*), count(distinct game_date) from nba.player_game_summary"),
    ).toEqual([["300", "30"]]);
    const told = await scene.run("explain", "player_game_summary", poison);
    expect(told.stdout).toContain(`cannot parse the box score of ${poison}`);
  });
});

test.concurrent("a missing program opens the circuit, charges no cell, and a person's release lets the repair go on", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-09"]),
    "delete from nba.player_game_summary where game_date in ('2024-01-02', '2024-01-05', '2024-01-08')",
  ];
  await withScene(
    { pipeline: summaryBy("[no-such-backfill]"), files: leagueFiles, warehouse },
    async (scene) => {
      const { code, document } = await scene.report("--once");
      const held = ["2024-01-02", "2024-01-05", "2024-01-08"].map(
        (date) => `player_game_summary ${date} missing held`,
      );
      expect({ code, gaps: gapsOf(document) }).toEqual({ code: 2, gaps: held });
      expect(document.gaps.map(({ reason, attempts }) => `${reason} ${attempts}`)).toEqual([
        "circuit 0",
        "circuit 0",
        "circuit 0",
      ]);
      expect(document.breakers).toMatchObject([{ kind: "circuit", subject: "player_game_summary" }]);
      expect(document.breakers[0]?.message).toContain("no-such-backfill");
      expect(await scene.ledger("select distinct charged from cell_outcomes")).toEqual([["false"]]);

      const again = await scene.report("--once");
      expect({ code: again.code, gaps: gapsOf(again.document), repairs: again.document.repairs }).toEqual({
        code: 2,
        gaps: held,
        repairs: [],
      });

      await scene.configure(summaryBy(commandOf("summary.mjs")));
      await scene.write("summary.mjs", job(fillSummaries));
      const released = await scene.run(
        "release",
        "--processor",
        "player_game_summary",
        "--reason",
        "installed",
        "--yes",
      );
      expect(released.code).toBe(0);
      const healed = await scene.report("--once");
      expect({ code: healed.code, gaps: healed.document.gaps }).toEqual({ code: 0, gaps: [] });
    },
  );
});

test.concurrent.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "a run that is stopped by %s ends its job, charges nothing, exits %i, and the next run finishes the work",
  async (signal, expected) => {
    const warehouse = [
      ...wholeLeague(["2024-01-01", "2024-01-03"]),
      "delete from nba.player_game_summary where game_date = '2024-01-02'",
    ];
    const files = {
      "summary.mjs": job(`
      if (!existsSync("pid")) {
        writeFileSync("pid", String(process.pid));
        await sleep(600_000);
      }
      ${fillSummaries}`),
    };
    await withScene({ pipeline: summaryBy(commandOf("summary.mjs")), files, warehouse }, async (scene) => {
      const running = startReconcile(["--once", "--format", "json"], { cwd: scene.folder });
      const pidOf = () => Number(readIfThere(join(scene.folder, "pid")));
      while (pidOf() === 0 && running.child.exitCode === null) await sleep(50);
      running.child.kill(signal);
      const stopped = await running.ended;
      expect({ code: stopped.code, signal: stopped.signal }).toEqual({ code: expected, signal: null });
      expect(() => process.kill(pidOf(), 0)).toThrow("ESRCH");
      expect(await scene.ledger("select count(*) from cell_outcomes")).toEqual([["0"]]);
      expect(await scene.ledger("select error_code from repair_ends")).toEqual([["cancelled"]]);

      const next = await scene.report("--once");
      expect({ code: next.code, gaps: next.document.gaps }).toEqual({ code: 0, gaps: [] });
    });
  },
);

test.concurrent("two runs at once do not repair the same date twice: the second waits for the first, or says that it runs", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-02'",
  ];
  const files = {
    "summary.mjs": job(`
      writeFileSync("started", "");
      while (!existsSync("go on")) await sleep(20);
      ${fillSummaries}`),
  };
  await withScene({ pipeline: summaryBy(commandOf("summary.mjs")), files, warehouse }, async (scene) => {
    const first = startReconcile(["--once", "--format", "json"], { cwd: scene.folder });
    while (readIfThere(join(scene.folder, "started")) === null && first.child.exitCode === null)
      await sleep(50);
    const refused = await scene.run("--once", "--max-wait", "100ms", "--format", "json");
    expect(refused.code).toBe(1);
    expect(refused.json()).toMatchObject({ error: { code: "run_in_progress" } });

    const waiting = startReconcile(["--once", "--format", "json"], { cwd: scene.folder });
    await scene.write("go on", "");
    const results = await Promise.all([first.ended, waiting.ended]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(readFileSync(join(scene.folder, "runs.log"), "utf8")).toBe("player_game_summary 2024-01-02\n");
  });
});

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
