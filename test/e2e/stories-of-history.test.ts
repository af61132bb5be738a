import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { startReconcile } from "../support/cli.ts";
import { commandOf, job } from "./jobs.ts";
import {
  leagueFiles,
  leagueHead,
  leagueTables,
  processors,
  rowsPerDate,
  wholeLeague,
  wholePipeline,
} from "./league.ts";
import { datesFrom, gapsOf, sqlDates, withScene } from "./scene.ts";

// Goal: what went wrong with a prediction platform before, told differently: what was lost in history, and how often it was tried.
// Method: `reconcile` as a process, on a small league in a DuckDB file.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

/** What reads what that is repaired too, on its own date: a run of the first before the repair of the second would be in vain. */
const sameDateReads = [
  ["player_composite_factors", "player_game_summary"],
  ["player_composite_factors", "upcoming_player_game_context"],
  ["ml_feature_store_v2", "player_composite_factors"],
  ["player_prop_predictions", "ml_feature_store_v2"],
  ["prediction_accuracy", "player_prop_predictions"],
  ["prediction_accuracy", "player_game_summary"],
] as const;

test.concurrent("1: playoffs of three seasons, stuck behind complete raw data that sent no event, are filled by one run, phase by phase", async () => {
  const playoffs = [
    ["2022-04-16", "2022-04-19"],
    ["2023-04-15", "2023-04-18"],
    ["2024-04-16", "2024-04-19"],
  ] as const;
  const stuck = playoffs.flatMap(([first, last]) => datesFrom(first, last));
  const warehouse = [
    ...wholeLeague(["2022-04-13", "2022-04-19"], ["2023-04-12", "2023-04-18"], ["2024-04-13", "2024-04-19"]),
    ...leagueTables.map((table) => `delete from nba.${table} where game_date in ${sqlDates(stuck)}`),
  ];
  await withScene({ pipeline: wholePipeline, files: leagueFiles, warehouse }, async (scene) => {
    const plan = await scene.report("plan");
    expect(plan.code).toBe(2);
    expect(plan.document.gaps).toHaveLength(stuck.length * leagueTables.length);
    const planned = plan.document.plan.flatMap(({ repair, dates }) =>
      dates.map((date) => `${repair} ${date}`),
    );

    const { code, document } = await scene.report("--once");
    expect(document.gaps).toEqual([]);
    expect({ code, converged: document.converged }).toEqual({ code: 0, converged: true });
    // No run was wasted, none was spent on a date that was complete, and all that was planned was done, once.
    expect(document.repairs.filter(({ outcome, attempt }) => outcome !== "repaired" || attempt > 1)).toEqual(
      [],
    );
    const repaired = document.repairs.flatMap(({ cells }) =>
      cells.map(({ processor, date }) => `${processor} ${date}`),
    );
    expect(repaired.toSorted()).toEqual(planned.toSorted());
    expect(repaired.toSorted()).toEqual(
      leagueTables.flatMap((table) => stuck.map((date) => `${table} ${date}`)).toSorted(),
    );
    const startsAndEarlyOnes = await scene.ledger(`
      select count(*), count(*) filter (not exists (
        from cell_outcomes
        where processor = read.upstream and date = day and outcome = 'repaired' and ended_at <= starts.started_at
      ))
      from (select repair, started_at, unnest(dates) as day from repair_starts) as starts
      join (values ${sameDateReads.map(([of, on]) => `('${of}', '${on}')`).join(", ")}) as read (repair, upstream) using (repair)`);
    expect(startsAndEarlyOnes).toEqual([[String(stuck.length * sameDateReads.length), "0"]]);
    const rows = await scene.warehouse.read(
      `select count(*) from nba.prediction_accuracy where game_date in ${sqlDates(stuck)}`,
    );
    expect(rows).toEqual([[String(stuck.length * rowsPerDate)]]);
  });
});

test.concurrent("2: a season that was never graded but for one test row is graded, as a run asks the whole history and no one-off scope", async () => {
  const season = datesFrom("2024-10-22", "2024-10-29");
  const warehouse = [
    ...wholeLeague(
      ["2021-10-19", "2021-10-21"],
      ["2022-10-18", "2022-10-20"],
      ["2023-10-24", "2023-10-26"],
      ["2024-10-22", "2024-10-29"],
    ),
    `delete from nba.prediction_accuracy where game_date in ${sqlDates(season)}`,
    `insert into nba.prediction_accuracy values ('2024-10-22', 'G1P1', true)`,
  ];
  await withScene({ pipeline: wholePipeline, files: leagueFiles, warehouse }, async (scene) => {
    const before = await scene.report("status");
    expect(before.code).toBe(0);
    expect(gapsOf(before.document)).toEqual(
      season.map(
        (date) => `prediction_accuracy ${date} ${date === "2024-10-22" ? "partial" : "missing"} ready`,
      ),
    );
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    const grades = await scene.warehouse.read(
      `select count(*), count(distinct (game_date, player)) from nba.prediction_accuracy where game_date >= '2024-10-22'`,
    );
    const all = String(season.length * rowsPerDate);
    expect(grades).toEqual([[all, all]]);
  });
});

test.concurrent("3: holes of 26 and 109 days are found and filled though they are years old, as there is no window to fall out of", async () => {
  const short = datesFrom("2021-11-01", "2021-11-26");
  const long = datesFrom("2022-01-01", "2022-04-19");
  expect([short.length, long.length]).toEqual([26, 109]);
  const warehouse = [
    ...wholeLeague(["2021-10-19", "2022-06-16"]),
    `delete from nba.player_game_summary where game_date in ${sqlDates([...short, ...long])}`,
  ];
  const pipeline = leagueHead + processors.boxscores + processors.player_game_summary;
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    const before = await scene.report("status");
    expect(before.document.gaps.map(({ date, state }) => `${date} ${state}`)).toEqual(
      [...short, ...long].map((date) => `${date} missing`),
    );
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps, counts: document.counts["player_game_summary"]?.complete }).toEqual({
      code: 0,
      gaps: [],
      counts: datesFrom("2021-10-19", "2022-06-16").length,
    });
  });
});

test.concurrent("4: dates whose prop lines were never scraped end in quarantine after three attempts and block their own dates only, until they are waived", async () => {
  const dates = datesFrom("2021-11-01", "2021-11-07");
  const [filled, unfillable] = [
    ["2021-11-03", "2021-11-06", "2021-11-07"],
    ["2021-11-01", "2021-11-02", "2021-11-04", "2021-11-05"],
  ];
  const pipeline = `${leagueHead}${processors.boxscores}${processors.player_game_summary}
  upcoming_player_game_context:
    phase: "3"
    table: nba.upcoming_player_game_context
    depends_on: [player_game_summary]
    repair: { sql_file: lines.sql }
${processors.player_composite_factors}`;
  const warehouse = [
    ...wholeLeague(["2021-11-01", "2021-11-07"]),
    `create table nba.lines as from nba.upcoming_player_game_context where game_date in ${sqlDates(filled)}`,
    "delete from nba.upcoming_player_game_context",
    "delete from nba.player_composite_factors",
  ];
  const files = {
    ...leagueFiles,
    "lines.sql": "from nba.lines where game_date between $start_date and $end_date",
  };
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const attempts = () =>
      scene.ledger(`
        select cells.date, count(*), count(*) filter (charged)
        from cell_outcomes as cells join repair_starts using (repair_id)
        where processor = 'upcoming_player_game_context' and cells.date in ${sqlDates(unfillable)}
        group by 1 order by 1`);
    const gaps = [
      ...unfillable.map((date) => `upcoming_player_game_context ${date} missing quarantined`),
      ...unfillable.map((date) => `player_composite_factors ${date} missing blocked`),
    ];
    const first = await scene.report("--once");
    expect({ code: first.code, gaps: gapsOf(first.document) }).toEqual({ code: 2, gaps });
    expect(await attempts()).toEqual(unfillable.map((date) => [date, "3", "3"]));
    expect(first.document.counts["player_composite_factors"]?.complete).toBe(filled.length);
    for (const gap of first.document.gaps.filter(({ disposition }) => disposition === "blocked")) {
      expect(gap.root_causes).toEqual([{ processor: "upcoming_player_game_context", date: gap.date }]);
    }
    expect(
      await scene.ledger(
        "select * from repair_starts where repair = 'player_composite_factors' and attempt > 1",
      ),
    ).toEqual([]);

    // The next run, and each after it, spends nothing on them.
    const second = await scene.report("--once");
    expect({ code: second.code, repairs: second.document.repairs }).toEqual({ code: 2, repairs: [] });
    expect(await attempts()).toEqual(unfillable.map((date) => [date, "3", "3"]));

    await scene.configure(`${pipeline}
waivers:
  - processors: [upcoming_player_game_context]
    start_date: ${dates.at(0)}
    end_date: ${dates.at(-1)}
    reason: prop lines were never scraped
    owner: data-team
    expires: 2099-12-31
`);
    const waived = await scene.report("--once");
    expect({ code: waived.code, gaps: waived.document.gaps, converged: waived.document.converged }).toEqual({
      code: 0,
      gaps: [],
      converged: true,
    });
    expect(waived.document.exempt).toMatchObject({ waived: 4, upstream_exempt: 4 });
  });
});

test.concurrent("5: dates half filled by a backfill that died are partial, are repaired first, and no phase 4 is run on half of the games", async () => {
  const warehouse = [
    ...wholeLeague(["2023-12-01", "2023-12-10"]),
    // It died within the seventh of ten nights; phase 4 had come as far as the fifth, but for one night.
    "delete from nba.player_game_summary where game_date > '2023-12-07' or game_id = 'G2-2023-12-07'",
    "delete from nba.player_composite_factors where game_date > '2023-12-05' or game_date = '2023-12-03'",
  ];
  const pipeline = `${leagueHead}${processors.boxscores}${processors.player_game_summary}${processors.player_composite_factors.replace(", upcoming_player_game_context]", "]").replace("{ of: upcoming_player_game_context", "{ of: player_game_summary")}`;
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    const phase4 = await scene.report("--once", "--phase", "4");
    const waiting = datesFrom("2023-12-07", "2023-12-10");
    expect({ code: phase4.code, gaps: gapsOf(phase4.document) }).toEqual({
      code: 2,
      gaps: waiting.map((date) => `player_composite_factors ${date} missing blocked`),
    });
    expect(phase4.document.gaps.map(({ root_causes }) => root_causes)).toEqual(
      waiting.map((date) => [{ processor: "player_game_summary", date }]),
    );
    expect(
      await scene.ledger("select distinct repair, unnest(dates) as date from repair_starts order by date"),
    ).toEqual([
      ["player_composite_factors", "2023-12-03"],
      ["player_composite_factors", "2023-12-06"],
    ]);

    const before = await scene.report("status", "--processor", "player_game_summary");
    expect(
      before.document.gaps.map(({ date, state, failed_checks }) => [date, state, failed_checks]),
    ).toEqual([
      ["2023-12-07", "partial", ["rows_min", "coverage"]],
      ["2023-12-08", "missing", []],
      ["2023-12-09", "missing", []],
      ["2023-12-10", "missing", []],
    ]);
    const all = await scene.report("--once");
    expect({ code: all.code, gaps: all.document.gaps }).toEqual({ code: 0, gaps: [] });
    const rows = await scene.warehouse.read(
      "select min(n), max(n), count(*) from (select count(*) as n from nba.player_composite_factors group by game_date)",
    );
    expect(rows).toEqual([["10", "10", "10"]]);
  });
});

test.concurrent("6: a run that died is known for dead by the next one, which goes on at once instead of waiting for it", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-02'",
    "delete from nba.upcoming_player_game_context where game_date >= '2024-01-02'",
  ];
  const summary = processors.player_game_summary.replace(
    "sql_file: player_game_summary.sql",
    `command: ${commandOf("summary.mjs")}`,
  );
  const pipeline = leagueHead + processors.boxscores + summary + processors.upcoming_player_game_context;
  const files = {
    ...leagueFiles,
    "summary.mjs": job(`
      if (!existsSync("died")) {
        writeFileSync("died", "");
        await sleep(600_000);
      }
      await sql("insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date between '" + first + "' and '" + last + "'");`),
  };
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const dying = startReconcile(["--once", "--quiet"], { cwd: scene.folder });
    while (!existsSync(join(scene.folder, "died")) && dying.child.exitCode === null) await sleep(50);
    dying.child.kill("SIGKILL");
    expect((await dying.ended).signal).toBe("SIGKILL");
    expect(
      await scene.ledger(
        "select repair, dates[1] from repair_starts where repair_id not in (select repair_id from repair_ends)",
      ),
    ).toContainEqual(["player_game_summary", "2024-01-02"]);

    // Were it waited for, the run would need its whole time limit of ten minutes, and this one has ten seconds.
    const { code, document } = await scene.report("--once", "--max-wait", "10s");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(
      await scene.ledger(
        "select outcome, charged from cell_outcomes where processor = 'player_game_summary' order by ended_at",
      ),
    ).toEqual([
      ["lost", "true"],
      ["repaired", "false"],
    ]);
    expect(
      await scene.ledger(
        "select * from repair_starts where repair_id not in (select repair_id from repair_ends)",
      ),
    ).toEqual([]);
  });
});

test.concurrent("7: attempts are counted in one place, so that a date has every one of its three and not one more", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-06"]),
    "delete from nba.player_game_summary where game_date in ('2024-01-02', '2024-01-03')",
  ];
  const summary = processors.player_game_summary.replace(
    "sql_file: player_game_summary.sql",
    `command: ${commandOf("summary.mjs")}`,
  );
  const pipeline = leagueHead + processors.boxscores + summary;
  await withScene(
    { pipeline, files: { "summary.mjs": job("process.exitCode = 75;") }, warehouse },
    async (scene) => {
      for (const round of [1, 2, 3]) {
        const { code, document } = await scene.report("--once");
        expect({ round, code, gaps: gapsOf(document) }).toEqual({
          round,
          code: 2,
          gaps: ["2024-01-02", "2024-01-03"].map((date) => `player_game_summary ${date} missing quarantined`),
        });
        expect(document.gaps.map(({ attempts, reason }) => [attempts, reason])).toEqual([
          [3, "attempts_used_up"],
          [3, "attempts_used_up"],
        ]);
        expect(
          await scene.ledger(
            "select date, count(*) from (select unnest(dates) as date from repair_starts) group by 1 order by 1",
          ),
        ).toEqual([
          ["2024-01-02", "3"],
          ["2024-01-03", "3"],
        ]);
      }
      // What the ledger counts is what the program saw: both together, then each by itself.
      const runs = readFileSync(join(scene.folder, "runs.log"), "utf8").trim().split("\n").sort();
      expect(runs).toEqual(
        ["2024-01-02", "2024-01-02", "2024-01-02,2024-01-03", "2024-01-03", "2024-01-03"].map(
          (dates) => `player_game_summary ${dates}`,
        ),
      );
      const explained = await scene.run("explain", "player_game_summary", "2024-01-02", "--format", "json");
      expect(explained.json()).toMatchObject({
        disposition: "quarantined",
        attempts_charged: 3,
        attempts_max: 3,
      });
    },
  );
});
