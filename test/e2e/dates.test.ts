import { expect, test, vi } from "vitest";
import { leagueFiles, wholeLeague } from "./league.ts";
import { gapsOf, withScene } from "./scene.ts";

// Goal: what belongs to a date is told right: which instants, which days of a week, and whether its inputs changed since.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

test.concurrent("an upstream that changed makes what was made of it stale, which is reported, and repaired where the processor says so", async () => {
  const withTimes = [
    "create schema nba",
    "create table nba.schedule as select date '2024-01-02' as game_date, 1 as game_id, 2023 as season",
    "create table nba.raw as select date '2024-01-02' as game_date, 7 as value, timestamptz '2024-01-03 05:00:00+00' as processed_at",
    "create table nba.derived as select game_date, value * 2 as value, timestamptz '2024-01-03 06:00:00+00' as processed_at from nba.raw",
  ];
  const pipeline = (policy: string) => `
schedule: { table: nba.schedule, date_column: game_date, unit_column: game_id, season_column: season }
defaults: { date_column: game_date, written_at_column: processed_at, stale: ${policy}, repair: { backoff: [10ms] } }
processors:
  raw: { table: nba.raw }
  derived: { table: nba.derived, depends_on: [raw], repair: { sql_file: derived.sql } }
`;
  const files = {
    "derived.sql":
      "select game_date, value * 2 as value, now() as processed_at from nba.raw where game_date between $start_date and $end_date",
  };
  await withScene({ pipeline: pipeline("report"), files, warehouse: withTimes }, async (scene) => {
    expect((await scene.report("--once")).document.counts["derived"]).toMatchObject({
      complete: 1,
      stale: 0,
    });
    await scene.warehouse.write(["update nba.raw set value = 8, processed_at = '2024-01-04 05:00:00+00'"]);
    const reported = await scene.report("--once");
    expect(reported.document.counts["derived"]).toMatchObject({ complete: 0, stale: 1 });
    expect({ code: reported.code, gaps: reported.document.gaps }).toEqual({ code: 0, gaps: [] });
    await scene.configure(pipeline("repair"));
    const repaired = await scene.report("--once");
    expect({ code: repaired.code, gaps: repaired.document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(repaired.document.counts["derived"]).toMatchObject({ complete: 1, stale: 0 });
    expect(await scene.warehouse.read("select value from nba.derived")).toEqual([["16"]]);
    // A second change, seen by the version on record.
    await scene.warehouse.write(["update nba.raw set value = 9, processed_at = '2024-01-05 05:00:00+00'"]);
    expect((await scene.run("--once")).code).toBe(0);
    expect(await scene.warehouse.read("select value from nba.derived")).toEqual([["18"]]);
  });
});

test.concurrent("a table of instants is dated by the pipeline's clock, also in the night in which it changes", async () => {
  const pipeline = `
schedule: { every: day, start_date: 2024-03-09 }
processors:
  events: { table: events, date_column: happened_at, available: { to: 2024-03-12 }, repair: { sql_file: events.sql } }
`;
  const warehouse = [
    "create table events (happened_at timestamptz, number integer)",
    // A second before midnight of the 9th, and a minute before that of the 10th, which is an hour shorter.
    "insert into events values ('2024-03-10 04:59:59+00', 1), ('2024-03-11 03:59:00+00', 2)",
    `create table source as from (values
       ('2024-03-11 03:59:59+00'::timestamptz, 3), ('2024-03-11 04:00:00+00', 4), ('2024-03-13 03:59:59+00', 5)
     ) as events (happened_at, number)`,
  ];
  const files = {
    "events.sql":
      "from source where timezone('America/New_York', happened_at)::date between $start_date and $end_date",
  };
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    expect(gapsOf((await scene.report("plan")).document)).toEqual(
      ["2024-03-11", "2024-03-12"].map((date) => `events ${date} missing ready`),
    );
    expect((await scene.run("--once")).code).toBe(0);
    expect(await scene.warehouse.read("select number from events order by happened_at")).toEqual([
      ["1"],
      ["2"],
      ["4"],
      ["5"],
    ]);
  });
});

test.concurrent("a weekly table waits for the days of its own week only, and does without those that nobody will fill", async () => {
  const pipeline = `
schedules:
  games: { table: nba.schedule, date_column: game_date, unit_column: game_id, season_column: season }
  weeks: { every: week, weekday: sunday, start_date: 2024-01-01 }
defaults: { date_column: game_date, schedule: games, repair: { max_attempts: 1 } }
processors:
  player_game_summary: { table: nba.player_game_summary, available: { to: 2024-01-20 }, repair: { sql_file: player_game_summary.sql } }
  weekly:
    schedule: weeks
    table: nba.weekly
    available: { to: 2024-01-21 }
    depends_on: [{ processor: player_game_summary, window: since_previous }]
    repair: { sql_file: weekly.sql }
`;
  const files = {
    ...leagueFiles,
    "weekly.sql": `select sunday as game_date, count(*)::integer as games
      from (select distinct game_date, game_date + (7 - isodow(game_date))::integer as sunday from nba.player_game_summary)
      where sunday between $start_date and $end_date group by 1`,
  };
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-21"]),
    "create table nba.weekly (game_date date, games integer)",
    "delete from nba.player_game_summary where game_date in ('2024-01-10', '2024-01-21')",
  ];
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const { document } = await scene.report("plan");
    const steps = document.plan.map(({ wave, repair, dates }) => `${wave} ${repair} ${dates.join(" ")}`);
    expect(steps.toSorted()).toEqual([
      "1 player_game_summary 2024-01-10",
      "1 weekly 2024-01-07",
      "1 weekly 2024-01-21",
      "2 weekly 2024-01-14",
    ]);
    // The last week is made without its Sunday, which is exempt, and says so.
    const degraded = document.gaps.filter((gap) => gap.degraded).map(({ date }) => date);
    expect(degraded).toEqual(["2024-01-21"]);
    expect((await scene.run("--once")).code).toBe(0);
    expect(await scene.warehouse.read("from nba.weekly order by 1")).toEqual([
      ["2024-01-07", "7"],
      ["2024-01-14", "7"],
      ["2024-01-21", "6"],
    ]);
  });
});
