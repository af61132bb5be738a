import { expect, test, vi } from "vitest";
import { withScene } from "./scene.ts";

// Goal: no row goes unseen because it stands in no cell. Method: `reconcile` as a process, on tables with rows of every such kind.

vi.setConfig({ testTimeout: 120_000, maxConcurrency: 3 });

const days =
  "select day::date as day from range(date '2024-03-01', date '2024-03-11', interval 1 day) as days (day)";
const sessions = [
  `create table sessions as select day, number from (${days}), range(3) as numbers (number)`,
  "insert into sessions values ('2099-01-01', 7), ('1970-01-01', 9), (null, 10), (null, 11)",
];

test.concurrent("rows without a date, after today and before the schedule are counted, and do not count against converged", async () => {
  const pipeline = `
schedule: { every: day, start_date: 2024-03-01, end_date: 2024-03-10 }
processors:
  sessions: { table: sessions, date_column: day }
  clean: { table: clean, date_column: day }
`;
  const warehouse = [...sessions, `create table clean as ${days}`];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, converged: document.converged, strays: document.stray_rows }).toEqual({
      code: 0,
      converged: true,
      strays: [{ processor: "sessions", without_date: 2, after_today: 1, before_schedule: 1 }],
    });
    const { stdout } = await scene.run("status");
    expect(stdout).toContain(
      [
        "rows in no cell",
        "  sessions: 2 rows without a date",
        "  sessions: 1 row dated after today",
        "  sessions: 1 row dated before the schedule begins",
      ].join("\n"),
    );
    expect((await scene.report("status", "--processor", "clean")).document.stray_rows).toEqual([]);
  });
});

test.concurrent("text that is no date is a row without a date", async () => {
  const pipeline = `
schedule: { every: day, start_date: 2024-03-01, end_date: 2024-03-10 }
processors:
  events: { table: events, date_column: ds, date_format: "%Y%m%d" }
`;
  const warehouse = [
    `create table events as select strftime(day, '%Y%m%d') as ds from (${days})`,
    "insert into events values ('20240230'), ('soon'), (null), ('20991231'), ('19991231')",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    expect((await scene.report("status")).document.stray_rows).toEqual([
      { processor: "events", without_date: 3, after_today: 1, before_schedule: 1 },
    ]);
  });
});

test.concurrent("dates that no schedule can have are told, and make no grid of millions of days", async () => {
  const pipeline = `
schedule: { table: games, date_column: day, season_column: season }
defaults: { bootstrap_days: 2 }
processors:
  scores: { table: scores, date_column: day }
`;
  const warehouse = [
    `create table games as select day, '2024' as season from (${days}) where day > '2024-03-02'`,
    "insert into games values (null, '2024'), ('0001-01-01', '2024'), ('9999-12-31', '2024'), ('infinity', '2024')",
    "create table scores as select day from games where day between '2024-03-05' and '2024-03-10'",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { document } = await scene.report("status");
    expect(document).toMatchObject({
      range: { start_date: "2024-03-03" },
      stray_schedule_rows: [{ schedule: "default", without_date: 1, out_of_range: 3 }],
      // The season begins with its first date that may be one.
      exempt: { bootstrap: 2 },
      gaps: [],
    });
    expect((await scene.run("status")).stdout.replaceAll(/\s+/g, " ")).toContain(
      "1 row has no date and 3 rows are dated before 1900 or after 2200, so the schedule default leaves them out",
    );
    const validation = await scene.run("validate", "--connect");
    expect({ code: validation.code, says: validation.stdout + validation.stderr }).toEqual({
      code: 0,
      says: expect.stringMatching(
        /schedules\.default[\s\S]*1 row has no date and 3 rows are dated before 1900 or after 2200/,
      ),
    });
  });
});

test.concurrent("a schedule of nothing but such dates is empty, and the error counts them", async () => {
  const pipeline = `
schedule: { table: games, date_column: day }
processors:
  scores: { table: scores, date_column: day }
`;
  const warehouse = [
    "create table games as from (values (null::date), ('9999-12-31'::date)) as games (day)",
    "create table scores (day date)",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { code, stdout, stderr } = await scene.run("status");
    expect({ code, says: stdout + stderr }).toEqual({
      code: 1,
      says: expect.stringMatching(/1 row has no date and 1 row is dated\s+before\s+1900 or after 2200/),
    });
  });
});
