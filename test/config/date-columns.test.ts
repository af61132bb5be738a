import { expect, test } from "vitest";
import { datedBy } from "../support/pipeline.ts";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

const formed = 'date_column: ds, date_format: "%Y%m%d"';

test("each table says how it keeps its dates, and the defaults only for processors", async () => {
  const yaml = `version: 1
pipeline: hive
timezone: Europe/Berlin
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedules:
  games: { table: raw.games, ${formed}, column_timezone: UTC, except: { table: raw.free, date_column: day, date_format: "%d.%m.%Y" } }
defaults: { date_column: ds, date_format: "%Y%m%d", column_timezone: UTC }
processors:
  a:
    table: raw.a
    expect:
      rows: { min: 0, completion_log: { table: raw.log, date_column: run_on, date_format: "%Y-%m-%d" } }
      coverage: { of: b, key: k, excused_by: { table: raw.excuses, date_column: at, column_timezone: Asia/Tokyo } }
  b: { table: raw.b, date_column: day, date_format: null, column_timezone: null }
run_history:
  { table: ops.runs, ${formed}, processor_column: p, status_column: s, started_at_column: at, column_timezone: Asia/Tokyo }
`;
  const { schedules, processors, runHistory } = (await load({ yaml })).config.pipeline;
  const compact = datedBy("ds", { dateFormat: "%Y%m%d", columnTimezone: "UTC" });
  expect(schedules[0]).toMatchObject({
    source: compact,
    except: { source: datedBy("day", { dateFormat: "%d.%m.%Y" }) },
  });
  expect(processors).toMatchObject([
    {
      ...compact,
      expect: {
        rows: { completionLog: datedBy("run_on", { dateFormat: "%Y-%m-%d" }) },
        coverage: { excusedBy: datedBy("at", { columnTimezone: "Asia/Tokyo" }) },
      },
    },
    datedBy("day"),
  ]);
  expect(runHistory).toMatchObject({ ...compact, columnTimezone: "Asia/Tokyo" });
});

test("a form that names no date is refused where it stands, and so is a zone that there is not", async () => {
  const processors = `  a: { table: raw.a, date_column: ds, date_format: "%m-%d" }
  b: { table: raw.b, date_column: ds, date_format: "%Y-%j" }
  c: { table: raw.c, date_column: ds, date_format: 20240131 }
  d: { table: raw.d, date_column: ds, column_timezone: Berlin }`;
  const told = faults(await loadError({ yaml: pipelineYaml(processors) }));
  expect(told).toEqual([
    expect.stringMatching(
      /:7:\d+ processors\.a\.date_format .*"%Y%m%d".* found "%m-%d" to do it has no year/,
    ),
    expect.stringMatching(/:8:\d+ processors\.b\.date_format .* to do %j is not known/),
    expect.stringMatching(
      /:9:\d+ processors\.c\.date_format expected a date format .* found the number 20240131/,
    ),
    expect.stringMatching(/:10:\d+ processors\.d\.column_timezone .*did you mean "Europe\/Berlin"/),
  ]);
});

test("a calendar has no date column, and so no form of one", async () => {
  const yaml = pipelineYaml().replace("every: day,", 'every: day, date_format: "%Y", column_timezone: UTC,');
  expect(faults(await loadError({ yaml })).map((fault) => fault.replace(/^\S+ (\S+) .*/, "$1"))).toEqual([
    "schedule.date_format",
    "schedule.column_timezone",
  ]);
});

test("what a date means is part of the expectation, and what is not said changes none", async () => {
  const hashOf = async (columns: string) => {
    const { config } = await load({ yaml: pipelineYaml(`  a: { table: raw.a, ${columns} }`) });
    return config.pipeline.processors[0]?.expect.hash;
  };
  const plain = await hashOf("date_column: ds");
  expect(await hashOf("date_column: ds, date_format: null")).toBe(plain);
  const others = [await hashOf(formed), await hashOf("date_column: ds, column_timezone: UTC")];
  expect(new Set([plain, ...others]).size).toBe(3);
});

test("the expectation of a processor without a form has the hash that it had before there were any", async () => {
  const { config } = await load({ yaml: pipelineYaml("  a: { table: raw.a, date_column: d }") });
  expect(config.pipeline.processors[0]?.expect.hash).toBe("99d643f258fb85ab");
});

test("a phase is a text or a number, which is the same", async () => {
  const processors = `  a: { table: raw.a, date_column: d, phase: 3 }
  b: { table: raw.b, date_column: d, phase: "3" }
  c: { table: raw.c, date_column: d, phase: 2.5 }
  d: { table: raw.d, date_column: d, phase: "${"$"}{PHASE}" }`;
  const { config } = await load({ yaml: pipelineYaml(processors), env: { PHASE: "3" } });
  expect(config.pipeline.processors.map(({ phase }) => phase)).toEqual(["3", "3", "2.5", "3"]);
  const wrong = await loadError({ yaml: pipelineYaml("  a: { table: raw.a, date_column: d, phase: [3] }") });
  expect(faults(wrong)).toEqual([expect.stringMatching(/processors\.a\.phase expected text or a number/)]);
  const empty = await loadError({ yaml: pipelineYaml('  a: { table: raw.a, date_column: d, phase: " " }') });
  expect(faults(empty)).toEqual([expect.stringMatching(/processors\.a\.phase expected text/)]);
});
