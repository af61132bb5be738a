import { expect, test, vi } from "vitest";
import { gapsOf, withScene } from "./scene.ts";

// Goal: an event that moves to another date is not counted on both. Method: games that move between two runs, with a table downstream of theirs.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const warehouse = [
  "create schema g",
  "create table g.schedule (game_id varchar, game_date date)",
  `insert into g.schedule values ('a1','2024-01-08'),('a2','2024-01-08'),('a3','2024-01-09'),('a4','2024-01-10'),
    ('a5','2024-01-10'),('a6','2024-01-11'),('a7','2024-01-12')`,
  "create table g.feed as select game_id, game_date, n as player from g.schedule, range(1, 11) u(n)",
  "create table g.box as select * from g.feed",
  "create table g.totals as select game_date, game_id, count(*)::int as players from g.box group by all",
];
const pipeline = (
  extra = "gap",
) => `schedule: { table: g.schedule, date_column: game_date, unit_column: game_id, end_date: 2024-01-12 }
processors:
  box:
    table: g.box
    date_column: game_date
    off_schedule: gap
    expect: { coverage: { of: schedule, key: game_id, min: 1, extra: ${extra} } }
    repair: { sql_file: box.sql }
  totals:
    table: g.totals
    date_column: game_date
    off_schedule: gap
    depends_on: [box]
    expect: { coverage: { of: box, key: game_id, min: 1, extra: ${extra} } }
    repair: { sql_file: totals.sql }
`;
const files = {
  "box.sql":
    "select game_id, game_date, player from g.feed where game_date between $start_date and $end_date",
  "totals.sql":
    "select game_date, game_id, count(*)::int as players from g.box where game_date between $start_date and $end_date group by all",
};
const move = (game: string, date: string) => [
  `update g.schedule set game_date = '${date}' where game_id = '${game}'`,
  `update g.feed set game_date = '${date}' where game_id = '${game}'`,
];
const asComputedFromScratch = `select count(*) from (
  (from g.box except all from g.feed) union all (from g.feed except all from g.box) union all
  (select game_id, game_date, players from g.totals
    except all select game_id, game_date, count(*)::int from g.feed group by all) union all
  (select game_id, game_date, count(*)::int from g.feed group by all
    except all select game_id, game_date, players from g.totals))`;

test.concurrent("games that moved are taken away where they were, in every table, and told by name", async () => {
  await withScene({ pipeline: pipeline(), files, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write([...move("a3", "2024-01-12"), ...move("a5", "2024-01-11")]);
    const { document } = await scene.report("status");
    expect(document.gaps.filter(({ processor }) => processor === "box")).toMatchObject([
      { date: "2024-01-09", state: "invalid", failed_checks: ["off_schedule"], coverage: null },
      {
        date: "2024-01-10",
        state: "invalid",
        failed_checks: ["coverage_extra"],
        coverage: { absent: { count: 0, keys: [] }, extra: { count: 1, keys: ["a5"] } },
      },
      { date: "2024-01-11", state: "partial", coverage: { absent: { count: 1, keys: ["a5"] } } },
      { date: "2024-01-12", state: "partial", coverage: { absent: { count: 1, keys: ["a3"] } } },
    ]);
    const explained = await scene.run("explain", "box", "2024-01-12");
    expect(explained.stdout).toContain("absent: a3");
    const { code, document: after } = await scene.report("--once");
    expect({ code, gaps: gapsOf(after), changes: after.schedule_changes }).toEqual({
      code: 0,
      gaps: [],
      changes: [{ schedule: "default", vanished: ["2024-01-09"], believed: true }],
    });
    expect(await scene.warehouse.read(asComputedFromScratch)).toEqual([["0"]]);
    const again = await scene.report("--once");
    expect({ code: again.code, repairs: again.document.repairs }).toEqual({ code: 0, repairs: [] });
  });
});

test.concurrent("the first date of a schedule can leave it, too", async () => {
  await withScene({ pipeline: pipeline(), files, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write([...move("a1", "2024-01-11"), ...move("a2", "2024-01-10")]);
    const { document } = await scene.report("status");
    expect(gapsOf(document)).toContain("box 2024-01-08 invalid ready");
    expect((await scene.report("--once")).code).toBe(0);
    expect(await scene.warehouse.read(asComputedFromScratch)).toEqual([["0"]]);
  });
});

test.concurrent("a week that read a game before it moved is computed again, and so is the running total behind it", async () => {
  const weekly = `schedules:
  games: { table: g.schedule, date_column: game_date, unit_column: game_id, end_date: 2024-01-21 }
  weeks: { every: week, weekday: sunday, start_date: 2024-01-14, end_date: 2024-01-21 }
processors:
  box:
    table: g.box
    date_column: game_date
    schedule: games
    off_schedule: gap
    expect: { coverage: { of: schedule, key: game_id, min: 1, extra: gap } }
    repair: { sql_file: box.sql }
  week:
    table: g.week
    date_column: day
    schedule: weeks
    depends_on: [{ processor: box, window: since_previous }]
    repair: { sql_file: week.sql, batch: single }
  running:
    table: g.running
    date_column: day
    schedule: games
    off_schedule: gap
    depends_on: [box]
    depends_on_past: true
    repair: { sql_file: running.sql, batch: single }
`;
  const sql = {
    "box.sql": files["box.sql"],
    "week.sql":
      "select $end_date as day, count(*)::int as n from g.box where game_date between $start_date - 6 and $end_date",
    "running.sql":
      "select game_date as day, (select count(*)::int from g.box o where o.game_date <= b.game_date) as n from g.box b where game_date between $start_date and $end_date group by 1",
  };
  const tables = [
    ...warehouse,
    "insert into g.schedule values ('b1', '2024-01-16'), ('b2', '2024-01-20')",
    "insert into g.feed select 'b' || g, date '2024-01-16' + ((g - 1) * 4)::int, n from range(1, 3) a(g), range(1, 11) u(n)",
    "create table g.week (day date, n int)",
    "create table g.running (day date, n int)",
  ];
  await withScene({ pipeline: weekly, files: sql, warehouse: tables }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    await scene.warehouse.write(move("a3", "2024-01-17"));
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({ code: 0, gaps: [] });
    const weeks = await scene.warehouse.read("select day::varchar, n from g.week order by 1");
    expect(weeks).toEqual([
      ["2024-01-14", "60"],
      ["2024-01-21", "30"],
    ]);
    const wrong = `select r.day::varchar from g.running r where r.n <> (select count(*) from g.box o where o.game_date <= r.day)
      union all select day::varchar from g.running where day not in (select game_date from g.schedule)`;
    expect(await scene.warehouse.read(wrong)).toEqual([]);
  });
});

test.concurrent("a repair that still gives rows for such a date is ineffective, and ends quarantined", async () => {
  await withScene({ pipeline: pipeline(), files, warehouse }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    // The feed was not told.
    await scene.warehouse.write(["update g.schedule set game_date = '2024-01-12' where game_id = 'a3'"]);
    await scene.configure(pipeline().replaceAll(".sql }", ".sql, max_attempts: 1, probe: null }"));
    const { code, document } = await scene.report("--once");
    expect(code).toBe(2);
    expect(gapsOf(document)).toContain("box 2024-01-09 invalid quarantined");
    const { stdout } = await scene.run("explain", "box", "2024-01-09");
    expect(stdout).toContain("no rows: the date is not scheduled");
    expect(await scene.warehouse.read("select count(*) from g.box where game_date = '2024-01-09'")).toEqual([
      ["10"],
    ]);
  });
});

test.concurrent("extra keys that are only reported leave it converged, and are counted", async () => {
  await withScene({ pipeline: pipeline("report"), files, warehouse }, async (scene) => {
    await scene.warehouse.write(["update g.schedule set game_date = '2024-01-11' where game_id = 'a5'"]);
    await scene.warehouse.write([
      "insert into g.feed select game_id, date '2024-01-11', player from g.feed where game_id = 'a5'",
    ]);
    const { code, document } = await scene.report("--once");
    expect({ code, extra: document.extra_keys }).toMatchObject({
      code: 0,
      extra: [{ processor: "box", dates: 1, keys: 1, start_date: "2024-01-10", end_date: "2024-01-10" }],
    });
    expect((await scene.run("status")).stdout).toContain("1 date with keys that their coverage lacks");
    expect((await scene.run("explain", "box", "2024-01-10")).stdout).toMatch(
      /coverage_extra: 1 game_id .*: a5/s,
    );
  });
});
