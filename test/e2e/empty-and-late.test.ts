import { expect, test, vi } from "vitest";
import { gapsOf, withScene } from "./scene.ts";

// Goal: a date without rows is told apart: nothing to write, late data, a lost date, a broken repair. Method: `reconcile` as a
// process on a DuckDB file.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const calendar =
  "create table e.calendar as select d::date as day from range(date '2024-01-01', date '2024-01-11', interval 1 day) t(d)";
const raw =
  "create table e.raw as select day, n as id, n > 3 as is_refund from e.calendar, range(1, 6) u(n) where n <= 3 or day not in (date '2024-01-04', date '2024-01-05')";
const schedule = "schedule: { table: e.calendar, date_column: day }\ndefaults: { date_column: day }\n";

test.concurrent("a date with nothing to write is complete, and so is what depends on it; a lost date is repaired", async () => {
  const pipeline = `${schedule}processors:
  raw: { table: e.raw }
  refundable: { table: e.refundable, depends_on: [raw], expect: { rows: { min: 0 } } }
  refunds:
    table: e.refunds
    depends_on: [refundable]
    expect: { rows: { min: 0 }, coverage: { of: refundable, key: id } }
    repair: { sql_file: refunds.sql }
  stats: { table: e.stats, depends_on: [refunds], expect: { rows: { min: 0, when: { of: refunds } } }, repair: { sql_file: stats.sql } }
`;
  const files = {
    "refunds.sql": "select day, id from e.raw where is_refund and day between $start_date and $end_date",
    "stats.sql":
      "select day, count(*) as n from e.refunds where day between $start_date and $end_date group by 1",
  };
  const warehouse = [
    "create schema e",
    calendar,
    raw,
    "create view e.refundable as select * from e.raw where is_refund",
    "create table e.refunds as select day, id from e.raw where is_refund and day not in (date '2024-01-07', date '2024-01-09')",
    "create table e.stats as select day, count(*) as n from e.refunds where day <> date '2024-01-08' group by 1",
  ];
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const before = await scene.report("status");
    // The dates of `stats` whose refunds are lost wait for them.
    expect(gapsOf(before.document)).toEqual([
      "refunds 2024-01-07 missing ready",
      "refunds 2024-01-09 missing ready",
      "stats 2024-01-08 missing ready",
    ]);
    expect(before.document.counts).toMatchObject({
      refunds: { complete: 8 },
      stats: { complete: 7, pending: 2 },
    });
    const planned = await scene.report("plan");
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    const cells = document.repairs.flatMap((run) =>
      run.cells.map(({ processor, date }) => `${processor} ${date}`),
    );
    const steps = planned.document.plan.flatMap((step) =>
      step.dates.map((date) => `${step.processors.join()} ${date}`),
    );
    expect(cells.toSorted()).toEqual(steps.toSorted());
    expect(
      await scene.warehouse.read("select count(distinct day), (select count(*) from e.stats) from e.refunds"),
    ).toEqual([["8", "8"]]);
    const told = await scene.run("explain", "refunds", "2024-01-04");
    expect(told.stdout).toContain("no rows, and none expected: refundable has no id");
    // What had nothing to write has something now.
    await scene.warehouse.write(["insert into e.raw values (date '2024-01-04', 9, true)"]);
    expect(gapsOf((await scene.report("status")).document)).toEqual(["refunds 2024-01-04 missing ready"]);
    expect((await scene.report("--once")).code).toBe(0);
    expect(await scene.warehouse.read("select n from e.stats where day = date '2024-01-04'")).toEqual([
      ["1"],
    ]);
  });
});

test.concurrent("a date whose other table is lost too is no empty date", async () => {
  const pipeline = `${schedule}processors:
  raw: { table: e.raw }
  copy: { table: e.copy, expect: { rows: { min: 0, per_entity: { of: raw, min: 1 } } } }
`;
  const warehouse = [
    "create schema e",
    calendar,
    raw,
    "delete from e.raw where day = date '2024-01-03'",
    "create table e.copy as select day, id from e.raw",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { document } = await scene.report("status");
    expect(document.gaps.map(({ processor, date }) => `${processor} ${date}`)).toEqual([
      "raw 2024-01-03",
      "copy 2024-01-03",
    ]);
    const told = await scene.run("explain", "copy", "2024-01-03");
    expect(told.stdout.replaceAll(/\s+/g, " ")).toContain(
      "whether rows are expected depends on raw, which is missing on this date",
    );
  });
});

test.concurrent("a run log that speaks of rows makes an emptied date a gap", async () => {
  const pipeline = `${schedule}processors:
  copy: { table: e.copy, expect: { rows: { min: 0, completion_log: { table: e.log, date_column: day, rows_column: written } } } }
`;
  const warehouse = [
    "create schema e",
    calendar,
    raw,
    "create table e.copy as select day, id from e.raw where day not in (date '2024-01-03', date '2024-01-06', date '2024-01-08')",
    "create table e.log as select day, case when day = date '2024-01-03' then 0 else 5 end as written from e.calendar where day <> date '2024-01-08'",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { document } = await scene.report("status");
    expect(document.gaps.map(({ date }) => date)).toEqual(["2024-01-06", "2024-01-08"]);
    const told = await scene.run("explain", "copy", "2024-01-06");
    expect(told.stdout.replaceAll(/\s+/g, " ")).toContain(
      "the completion log e.log says that 5 were written",
    );
    expect((await scene.run("validate", "--connect")).code).toBe(0);
    await scene.configure(pipeline.replace("rows_column: written", "rows_column: wrote"));
    const refused = await scene.run("validate", "--connect");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stdout + refused.stderr).toContain("rows_column");
  });
});

test.concurrent("late data is fetched by a probe, alone, that a run does not wait for", async () => {
  const pipeline = (probe: string) => `${schedule}processors:
  copy: { table: e.copy, repair: { sql_file: copy.sql, backoff: [10ms], probe: ${probe} } }
`;
  const files = { "copy.sql": "select day, id from e.raw where day between $start_date and $end_date" };
  const warehouse = [
    "create schema e",
    calendar,
    raw,
    "delete from e.raw where day in (date '2024-01-03', date '2024-01-04')",
    "create table e.copy as select day, id from e.raw where day < date '2024-01-03'",
  ];
  await withScene({ pipeline: pipeline("{ after: 1h, max: 2 }"), files, warehouse }, async (scene) => {
    const first = await scene.report("--once");
    expect({ code: first.code, gaps: gapsOf(first.document) }).toEqual({
      code: 2,
      gaps: ["copy 2024-01-03 missing quarantined", "copy 2024-01-04 missing quarantined"],
    });
    expect(first.document.gaps[0]?.quarantine).toMatchObject({
      cause: "attempts_used_up",
      wrote_no_rows: 3,
      failed: 0,
      probes_left: 2,
    });
    const told = await scene.run("explain", "copy", "2024-01-03");
    expect(told.stdout.replaceAll(/\s+/g, " ")).toMatch(
      /wrote no rows 3 times: the data may be late \(it is probed again at \S+, 2 of 2 left\)/,
    );
    await scene.warehouse.write(["insert into e.raw values (date '2024-01-03', 1, false)"]);
    // The probes are no part of what the repair does, so that what was tried still counts.
    await scene.configure(pipeline("{ after: 1ms, max: 2 }"));
    const later = await scene.report("--once");
    // The second probe of the other date is due at once, too.
    expect(
      later.document.repairs.map(({ dates, outcome }) => `${dates.join()} ${outcome}`).toSorted(),
    ).toEqual(["2024-01-03 repaired", "2024-01-04 ineffective", "2024-01-04 ineffective"]);
    expect(gapsOf(later.document)).toEqual(["copy 2024-01-04 missing quarantined"]);
    expect(later.document.gaps[0]).toMatchObject({ quarantine: { probes_left: 0 }, next_attempt_at: null });
    await scene.configure(pipeline("null"));
    expect((await scene.report("status")).document.gaps[0]?.quarantine?.probes_left).toBeNull();
  });
});

test.concurrent("a broken repair is told by its error, not as late data", async () => {
  const pipeline = `${schedule}processors:
  copy: { table: e.copy, repair: { command: [sh, -c, "exit 3"], backoff: [10ms] } }
`;
  const warehouse = [
    "create schema e",
    calendar,
    raw,
    "create table e.copy as select day, id from e.raw where day <> date '2024-01-03'",
  ];
  await withScene({ pipeline, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect(code).toBe(2);
    expect(document.gaps[0]?.quarantine).toMatchObject({ failed: 3, last_error: { code: "exit_3" } });
    expect((await scene.run("status")).stdout).toContain("why its repair does not work (exit_3)");
    const told = await scene.run("explain", "copy", "2024-01-03");
    expect(told.stdout.replaceAll(/\s+/g, " ")).toContain("its repair failed 3 times (exit_3");
  });
});
