import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { commandOf, job } from "./jobs.ts";
import { leagueFiles, leagueHead, processors, wholeLeague } from "./league.ts";
import { datesFrom, gapsOf, sqlDates, withScene } from "./scene.ts";

// Goal: what went wrong with a prediction platform before, told differently: data that passed for whole, and work done in vain.
// Method: `reconcile` as a process, on a small league in a DuckDB file.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const summaryOnly = leagueHead + processors.boxscores + processors.player_game_summary;

test.concurrent("8: a date that holds 4.6 times its rows is invalid, not complete, and is replaced", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    // Ten rows are 46 now.
    `insert into nba.player_game_summary
     select summary.* from nba.player_game_summary as summary cross join range(4) where game_date = '2024-01-02' limit 36`,
  ];
  await withScene({ pipeline: summaryOnly, files: leagueFiles, warehouse }, async (scene) => {
    const before = await scene.report("status");
    expect(before.document.gaps).toMatchObject([
      {
        date: "2024-01-02",
        state: "invalid",
        failed_checks: ["unique:game_id,player"],
        observed: { rows: 46 },
      },
    ]);
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(
      await scene.warehouse.read(
        "select game_date, count(*) from nba.player_game_summary group by 1 order by 1",
      ),
    ).toEqual(datesFrom("2024-01-01", "2024-01-03").map((date) => [date, "10"]));
    // The dates beside it were none of the run's business.
    expect(await scene.ledger("select dates::varchar from repair_starts")).toEqual([["[2024-01-02]"]]);
  });
});

test.concurrent("9: phase 4 waits while phase 3 is not complete, wastes no run on it, and names the cause", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-04"]),
    "delete from nba.player_game_summary where game_date = '2024-01-03'",
    "delete from nba.player_composite_factors",
  ];
  // Phase 3 cannot be repaired by anybody here.
  const summary = processors.player_game_summary.replace(/\n {4}repair:.*/, "");
  const factors = processors.player_composite_factors
    .replace("[player_game_summary, upcoming_player_game_context]", "[player_game_summary]")
    .replace("of: upcoming_player_game_context", "of: player_game_summary");
  const pipeline = leagueHead + processors.boxscores + summary + factors;
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: [
        "player_game_summary 2024-01-03 missing unrepairable",
        "player_composite_factors 2024-01-03 missing blocked",
      ],
    });
    expect(document.gaps[1]?.root_causes).toEqual([{ processor: "player_game_summary", date: "2024-01-03" }]);
    expect(await scene.ledger("select distinct unnest(dates) as date from repair_starts order by 1")).toEqual(
      [["2024-01-01"], ["2024-01-02"], ["2024-01-04"]],
    );
    const told = await scene.run("explain", "player_composite_factors", "2024-01-03");
    expect(told.code).toBe(0);
    expect(told.stdout).toContain("player_game_summary");
    expect(told.stdout).toContain("blocked");
  });
});

test.concurrent("10: a job that exits 0 and writes nothing is ineffective, and each of its runs counts as an attempt", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-02'",
  ];
  const pipeline = summaryOnly.replace(
    "sql_file: player_game_summary.sql",
    `command: ${commandOf("summary.mjs")}`,
  );
  const files = { "summary.mjs": job("console.log('processed 0 of 0 games');") };
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: ["player_game_summary 2024-01-02 missing quarantined"],
    });
    expect(document.repairs.map(({ outcome, attempt }) => `${outcome} ${attempt}`)).toEqual([
      "ineffective 1",
      "ineffective 2",
      "ineffective 3",
    ]);
    expect(await scene.ledger("select outcome, charged from cell_outcomes")).toEqual([
      ["ineffective", "true"],
      ["ineffective", "true"],
      ["ineffective", "true"],
    ]);
    const told = await scene.run("explain", "player_game_summary", "2024-01-02");
    expect(told.stdout).toContain("processed 0 of 0 games");
  });
});

test.concurrent("11: what is expected comes from the schedule of 31 dates and 231 games, not from a table that holds 15 dates and 157 games", async () => {
  const january = datesFrom("2022-01-01", "2022-01-31");
  // 8 nights of 10 games and 7 of 11 are there; 10 of 5 and 6 of 4 are not.
  const games = january.map((_, index) => (index < 8 ? 10 : index < 15 ? 11 : index < 25 ? 5 : 4));
  const warehouse = [
    "create schema nba",
    `create table nba.schedule as
     select game_date, game || '-' || game_date as game_id, 2021 as season
     from (values ${january.map((date, index) => `(date '${date}', ${games[index]})`).join(", ")}) as nights (game_date, games),
       unnest(range(games)) as numbered (game)`,
    "create table nba.boxscores as select game_date, game_id, number as player from nba.schedule cross join range(5) as players (number)",
    "create table nba.player_game_summary as select *, 20 as points from nba.boxscores where game_date <= '2022-01-15'",
  ];
  await withScene({ pipeline: summaryOnly, files: leagueFiles, warehouse }, async (scene) => {
    expect(
      await scene.warehouse.read(
        "select count(distinct game_date), count(distinct game_id) from nba.schedule union all select count(distinct game_date), count(distinct game_id) from nba.player_game_summary",
      ),
    ).toEqual([
      ["31", "231"],
      ["15", "157"],
    ]);
    const before = await scene.report("plan");
    expect(before.document.counts["player_game_summary"]).toMatchObject({ complete: 15, missing: 16 });
    expect(before.document.gaps.map(({ date }) => date)).toEqual(january.slice(15));
    const { code } = await scene.report("--once");
    expect(code).toBe(0);
    expect(await scene.warehouse.read("select count(distinct game_id) from nba.player_game_summary")).toEqual(
      [["231"]],
    );
  });
});

test.concurrent("12: on a ten-game night with one whole game missing a floor of rows is met, but the coverage of the schedule sees it", async () => {
  const warehouse = [
    "create schema nba",
    "create table nba.schedule as select date '2024-01-05' as game_date, game as game_id, 2023 as season from range(10) as games (game)",
    "create table nba.boxscores as select game_date, game_id, number as player from nba.schedule cross join range(21) as players (number)",
    "create table nba.player_game_summary as select *, 20 as points from nba.boxscores where game_id <> 7",
    "create table nba.floor_only as from nba.player_game_summary",
  ];
  const floor = "expect: { rows: { per_unit: 16 } }";
  const pipeline = `${leagueHead}${processors.boxscores}${processors.player_game_summary.replace("per_unit: 4", "per_unit: 16")}
  floor_only:
    table: nba.floor_only
    ${floor}
`;
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    expect(await scene.warehouse.read("select count(*) from nba.floor_only")).toEqual([["189"]]);
    const before = await scene.report("status");
    expect(before.document.counts["floor_only"]?.complete).toBe(1);
    expect(before.document.gaps).toMatchObject([
      {
        processor: "player_game_summary",
        date: "2024-01-05",
        state: "partial",
        failed_checks: ["coverage"],
        observed: { rows: 189, entities: 9 },
      },
    ]);
    const { code } = await scene.report("--once");
    expect(code).toBe(0);
    expect(
      await scene.warehouse.read("select count(*), count(distinct game_id) from nba.player_game_summary"),
    ).toEqual([["210", "10"]]);
  });
});

test.concurrent("13: 135 of 449 players with too little history, left out by design and reported so, are excused and no gap for ever", async () => {
  const warehouse = [
    "create schema nba",
    "create table nba.schedule as select date '2023-11-10' as game_date, 1 as game_id, 2023 as season",
    "create table nba.player_game_summary as select date '2023-11-10' as game_date, player from range(449) as players (player)",
    "create table nba.player_shot_zone_analysis as from nba.player_game_summary where player < 314",
    `create table nba.precompute_failures as
     select game_date as analysis_date, player as entity_id, 'INSUFFICIENT_DATA' as category
     from nba.player_game_summary where player >= 314`,
  ];
  const zones = (name: string, excuse: string) => `
  ${name}:
    table: nba.player_shot_zone_analysis
    depends_on: [player_game_summary]
    expect:
      coverage: { of: player_game_summary, key: player, min: 0.9${excuse} }
`;
  const excuse = (where: string) =>
    `, excused_by: { table: nba.precompute_failures, date_column: analysis_date, key: entity_id, where: "${where}" }`;
  const pipeline = `${leagueHead}
  player_game_summary: { table: nba.player_game_summary }
${zones("excused", excuse("category = 'INSUFFICIENT_DATA'"))}${zones("not_excused", excuse("category = 'ERROR'"))}`;
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect(code).toBe(2);
    expect(document.counts["excused"]?.complete).toBe(1);
    // The same table without that excuse: an error is not one, and 314 of 449 are 70 %.
    expect(document.gaps).toMatchObject([
      {
        processor: "not_excused",
        state: "partial",
        failed_checks: ["coverage"],
        observed: { entities: 314 },
      },
    ]);
    const only = await scene.report("--once", "--processor", "excused");
    expect({ code: only.code, converged: only.document.converged }).toEqual({ code: 0, converged: true });
  });
});

test.concurrent("14: beside an orchestrator that fills dates too, a date that it filled meanwhile is not run again, and complete dates never are", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-05"]),
    `delete from nba.player_game_summary where game_date in ${sqlDates(["2024-01-02", "2024-01-04"])}`,
    "create table nba.processor_run_history as select 'player_game_summary' as processor_name, 'running' as status",
  ];
  const pipeline = summaryOnly.replace(
    "sql_file: player_game_summary.sql }",
    `command: ${commandOf("summary.mjs")}, batch: single, concurrency: 1,
      preconditions: ["select count(*) = 0 from nba.processor_run_history where status = 'running'"] }`,
  );
  // While our run fills its own date, the orchestrator fills the other.
  const files = {
    "summary.mjs": job(`
      const select = "insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date = ";
      await sql(select + "'" + first + "'", select + "'2024-01-02'");`),
  };
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    // Its run history says that it is at work: nothing is started beside it.
    const busy = await scene.report("--once");
    expect({ code: busy.code, gaps: gapsOf(busy.document) }).toEqual({
      code: 2,
      gaps: ["player_game_summary 2024-01-02 missing held", "player_game_summary 2024-01-04 missing held"],
    });
    expect(busy.document.gaps.map(({ reason }) => reason)).toEqual(["precondition", "precondition"]);
    expect(existsSync(join(scene.folder, "runs.log"))).toBe(false);

    await scene.warehouse.write(["update nba.processor_run_history set status = 'success'"]);
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(readFileSync(join(scene.folder, "runs.log"), "utf8")).toBe("player_game_summary 2024-01-04\n");
    expect(await scene.ledger("select dates::varchar from repair_starts")).toEqual([["[2024-01-04]"]]);
    expect(
      await scene.warehouse.read("select distinct count(*) from nba.player_game_summary group by game_date"),
    ).toEqual([["10"]]);
  });
});
