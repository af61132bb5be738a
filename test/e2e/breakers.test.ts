import { expect, test, vi } from "vitest";
import { leagueFiles, leagueHead, processors, rowsPerDate, wholeLeague } from "./league.ts";
import { datesFrom, gapsOf, withScene } from "./scene.ts";

// Goal: a detector can be wrong, and then nothing is rebuilt on its word. Method: data and schedules that vanish between two runs.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const pipeline = `safety: { mass_gap: { max_share: 0.2, cells_min: 5 } }
${leagueHead}${processors.boxscores}${processors.player_game_summary}`;

const lost = datesFrom("2024-01-11", "2024-01-20");
const held = lost.map((date) => `player_game_summary ${date} missing held`);

test.concurrent("when half of what was complete is gone at once, nothing is repaired, in this run and in the next, until a person accepts it", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write(["delete from nba.player_game_summary where game_date > '2024-01-10'"]);
    for (const run of ["the run that sees it", "the run after it"]) {
      const { code, document } = await scene.report("--once");
      expect({ run, code, gaps: gapsOf(document), repairs: document.repairs }).toEqual({
        run,
        code: 2,
        gaps: held,
        repairs: [],
      });
      expect(new Set(document.gaps.map(({ reason }) => reason))).toEqual(new Set(["mass_gap"]));
      expect(document.breakers).toContainEqual(
        expect.objectContaining({ kind: "mass_gap", subject: "player_game_summary" }),
      );
    }
    expect(await scene.ledger("select count(*) from repair_starts")).toEqual([["0"]]);

    const accepted = await scene.run(
      "accept",
      "--processor",
      "player_game_summary",
      "--reason",
      "the table was truncated on purpose",
      "--yes",
    );
    expect(accepted.code).toBe(0);
    const healed = await scene.report("--once");
    expect({ code: healed.code, gaps: healed.document.gaps, converged: healed.document.converged }).toEqual({
      code: 0,
      gaps: [],
      converged: true,
    });
    expect(await scene.warehouse.read("select count(*) from nba.player_game_summary")).toEqual([
      [String(20 * rowsPerDate)],
    ]);
  });
});

test.concurrent("a mass gap is over by itself when the data is back, and nothing was run for it", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write([
      "alter table nba.player_game_summary rename to put_aside",
      "create table nba.player_game_summary as from nba.put_aside where game_date <= '2024-01-10'",
    ]);
    expect(gapsOf((await scene.report("--once")).document)).toEqual(held);
    await scene.warehouse.write([
      "drop table nba.player_game_summary",
      "alter table nba.put_aside rename to player_game_summary",
    ]);
    const back = await scene.report("--once");
    expect({ code: back.code, breakers: back.document.breakers, repairs: back.document.repairs }).toEqual({
      code: 0,
      breakers: [],
      repairs: [],
    });
  });
});

test.concurrent("a few lost dates are no mass gap, and are repaired", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write(["delete from nba.player_game_summary where game_date > '2024-01-16'"]);
    const { code, document } = await scene.report("--once");
    expect({ code, repaired: document.repairs.flatMap(({ cells }) => cells).length }).toEqual({
      code: 0,
      repaired: 4,
    });
  });
});

test.concurrent("past dates that vanish from the schedule are an alarm, not a smaller job: no verdict and no repair until they are back", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write([
      "create table nba.put_aside as from nba.schedule where game_date > '2024-01-10'",
      "delete from nba.schedule where game_date > '2024-01-10'",
      "delete from nba.player_game_summary where game_date = '2024-01-02'",
    ]);
    for (const run of ["the run that sees it", "the run after it"]) {
      const { code, document } = await scene.report("--once");
      expect({
        run,
        code,
        converged: document.converged,
        gaps: gapsOf(document),
        repairs: document.repairs,
      }).toEqual({
        run,
        code: 1,
        converged: false,
        gaps: ["player_game_summary 2024-01-02 missing held"],
        repairs: [],
      });
      expect(document.gaps[0]?.reason).toBe("schedule");
      expect(document.breakers).toMatchObject([{ kind: "schedule", subject: "default" }]);
      expect(document.breakers[0]?.message).toContain(
        "10 scheduled dates vanished: 2024-01-11 to 2024-01-20",
      );
    }
    await scene.warehouse.write(["insert into nba.schedule from nba.put_aside"]);
    const back = await scene.report("--once");
    expect({ code: back.code, gaps: back.document.gaps, breakers: back.document.breakers }).toEqual({
      code: 0,
      gaps: [],
      breakers: [],
    });
  });
});

test.concurrent("a date that leaves the schedule is believed and told, and the repairs of the others go on", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write([
      "delete from nba.schedule where game_date = '2024-01-12'",
      "delete from nba.player_game_summary where game_date in ('2024-01-02', '2024-01-12')",
      "delete from nba.boxscores where game_date = '2024-01-12'",
    ]);
    const { code, document } = await scene.report("--once");
    expect({ code, changes: document.schedule_changes, breakers: document.breakers }).toEqual({
      code: 0,
      changes: [{ schedule: "default", vanished: ["2024-01-12"], believed: true }],
      breakers: [],
    });
    expect(document.repairs.flatMap(({ cells }) => cells.map(({ date }) => date))).toEqual(["2024-01-02"]);
    expect((await scene.run("status")).stdout).toContain("2024-01-12 left the schedule default");
  });
});

test.concurrent("three dates that vanish with each run are believed once: the second time a person has to accept them", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    const lose = async (from: number) => {
      const dates = `between '2024-01-${from}' and '2024-01-${from + 2}'`;
      for (const table of ["schedule", "boxscores", "player_game_summary"]) {
        await scene.warehouse.write([`delete from nba.${table} where game_date ${dates}`]);
      }
      return scene.report("--once");
    };
    expect((await scene.run("--once")).code).toBe(0);
    expect((await lose(10)).code).toBe(0);
    const { code, document } = await lose(13);
    expect({ code, breakers: document.breakers }).toMatchObject({
      code: 1,
      breakers: [{ message: "6 scheduled dates vanished: 2024-01-10 to 2024-01-15, of 20 past ones" }],
    });
    const again = await scene.run("--once");
    expect(again.code).toBe(1);
    expect(again.stdout).toContain("reconcile accept --processor boxscores");
    const accepted = await scene.run("accept", "--all", "--reason", "called off", "--yes");
    expect(accepted.stdout).toContain("nothing will be expected on these dates");
    const after = await scene.report("--once");
    expect({ code: after.code, changes: after.document.schedule_changes }).toEqual({ code: 0, changes: [] });
  });
});

test.concurrent("a config can doubt each date that vanishes", async () => {
  const warehouse = wholeLeague(["2024-01-01", "2024-01-20"]);
  const strict = pipeline.replace("safety: {", "safety: { schedule_change: { max_share: 0, dates_min: 0 },");
  await withScene({ pipeline: strict, files: leagueFiles, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write(["delete from nba.schedule where game_date = '2024-01-20'"]);
    expect((await scene.run("--once")).code).toBe(1);
  });
});

test.concurrent("a schedule that fails or is empty fails the run: no gap is not the answer to a question that was not asked", async () => {
  await withScene(
    { pipeline, files: leagueFiles, warehouse: wholeLeague(["2024-01-01", "2024-01-03"]) },
    async (scene) => {
      await scene.warehouse.write(["delete from nba.schedule"]);
      const empty = await scene.run("--once", "--format", "json");
      expect(empty.code).toBe(1);
      expect(empty.json()).toMatchObject({ error: { code: "schedule_empty" } });
      await scene.warehouse.write(["drop table nba.schedule"]);
      const gone = await scene.run("--once", "--format", "json");
      expect(gone.code).toBe(1);
      expect(gone.json()).toMatchObject({ error: { code: "schedule_failed" } });
    },
  );
});
