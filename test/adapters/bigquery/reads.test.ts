import { describe, expect, test } from "vitest";
import { isRepeatable, readsOf } from "../../../src/adapters/bigquery/reads.ts";
import { tableText } from "../../../src/core/pipeline.ts";
import {
  datedBy,
  everyDay,
  pipelineOf,
  type ProcessorSketch,
  tableSchedule,
} from "../../support/pipeline.ts";
import { table } from "../../contract/warehouse-fixture.ts";

function readsOfOne(sketch: ProcessorSketch, schedules = [tableSchedule()]) {
  const { processors } = pipelineOf({ processors: { one: sketch, other: { dateColumn: "day" } } });
  const [one] = processors;
  if (one === undefined) throw new Error("there is no processor");
  const { tables, isWhole } = readsOf(one, processors, schedules);
  return { tables: tables.map((read) => `${tableText(read.table)} by ${read.dateColumn}`), isWhole };
}

const coverage = { key: "player", ofKey: "player", min: 1 };
const log = { table: table("raw.log"), ...datedBy("logged"), where: null, rowsColumn: null };

test("a profile reads its own table and whatever its expectation refers to", () => {
  const excusedBy = { table: table("raw.excuses"), ...datedBy("at"), key: "player", where: null };
  const rows = { perEntity: { of: "other", key: null, min: 1 }, completionLog: log };
  expect(
    readsOfOne({
      expect: {
        rows,
        coverage: { ...coverage, of: { kind: "processor", name: "other" }, extra: null, excusedBy },
      },
    }),
  ).toEqual({
    tables: [
      "warehouse.one by game_date",
      "warehouse.other by day",
      "raw.log by logged",
      "warehouse.other by day",
      "raw.excuses by at",
    ],
    isWhole: true,
  });
  const ofSchedule = {
    expect: { coverage: { ...coverage, of: { kind: "schedule" }, extra: null, excusedBy: null } },
  } as const;
  expect(readsOfOne(ofSchedule).tables).toContain("raw.default by game_date");
  expect(readsOfOne(ofSchedule, [everyDay])).toMatchObject({ isWhole: true });
});

test.each<[string, ProcessorSketch]>([
  ["its filter", { where: "d < current_date()" }],
  ["a check", { expect: { checks: [{ name: "c", sql: "id in (select id from raw.t)" }] } }],
  ["a measure", { expect: { measures: [{ name: "m", sql: "avg(rand())", min: 0, max: 1 }] } }],
  ["the filter of its log", { expect: { rows: { completionLog: { ...log, where: "exists (select 1)" } } } }],
])("a profile that reads more by %s is not whole", (_, sketch) => {
  expect(readsOfOne(sketch).isWhole).toBe(false);
});

test("a query of a user reads tables that nobody names", () => {
  const columns = { ...datedBy("game_date"), unitColumn: null, seasonColumn: null, where: null };
  const source = { kind: "query", file: "games.sql", sql: "select 1", ...columns } as const;
  const sketch = {
    expect: { coverage: { ...coverage, of: { kind: "schedule" }, extra: null, excusedBy: null } },
  } as const;
  const schedule = { ...tableSchedule(), source };
  expect(readsOfOne(sketch, [schedule])).toEqual({ tables: ["warehouse.one by game_date"], isWhole: false });
});

describe("a condition", () => {
  test.each([
    "game_status = 3 and game_id not like '003%'",
    "extract(dayofweek from game_date) in (1, 7)",
    "extract( week(monday) FROM game_date) = 1",
    "home is distinct from away",
    "safe.parse_date('%F', day) is not null and net.host(url) = 'x'",
    "round(score, 2) > 1.5",
  ])("%s gives the same for the same rows", (sql) => {
    expect(isRepeatable(sql)).toBe(true);
  });

  test.each([
    "id in (SELECT id from raw.t)",
    "exists (from raw.t |> where x)",
    "d < current_date()",
    "at < current_timestamp",
    "rand() < 0.5",
    "session_user() = 'x'",
    "@@time_zone = 'UTC'",
    "tools.is_good(score)",
    "`my-project.tools`.is_good(score)",
    "`my-project.tools.is_good`(score)",
  ])("%s may not", (sql) => {
    expect(isRepeatable(sql)).toBe(false);
  });
});
