import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BigQueryWarehouseOptions } from "../../../src/adapters/bigquery/warehouse.ts";
import { fromDay, parseIsoDate } from "../../../src/core/iso-date.ts";
import type { ProcessorObservation } from "../../../src/core/observation.ts";
import type { ScheduleSpec } from "../../../src/core/pipeline.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { datedBy, pipelineOf, type ProcessorSketch, tableSchedule } from "../../support/pipeline.ts";
import { byDate, profileOf, table } from "../../contract/warehouse-fixture.ts";
import { openWarehouse } from "./open.ts";

let server: BigQueryServer;
beforeEach(async () => {
  server = await startBigQuery();
});
afterEach(() => server.stop());

const january = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-31") };

interface Sketch extends Partial<BigQueryWarehouseOptions> {
  readonly scheduleSpecs?: readonly ScheduleSpec[];
}

function open(
  sketches: Readonly<Record<string, ProcessorSketch>>,
  { scheduleSpecs, ...options }: Sketch = {},
) {
  const { processors, schedules } = pipelineOf({
    processors: sketches,
    ...(scheduleSpecs === undefined ? {} : { schedules: scheduleSpecs }),
  });
  const warehouse = openWarehouse(server, { processors, schedules, ...options });
  const profile = async (range = january, signal?: AbortSignal) =>
    warehouse.profile({ processors, range, ...(signal === undefined ? {} : { signal }) });
  return { warehouse, schedules, profile };
}

function rows(observation: ProcessorObservation | undefined): Record<string, number> {
  const profile = profileOf(observation);
  return byDate(profile, profile.rows);
}

const requireFilter = true;

/** Every kind of partition, each of which refuses a query that does not say which it wants. */
function definePartitioned(): void {
  server.define(
    {
      name: "stats.by_day",
      columns: { game_date: "DATE", player: "STRING" },
      partition: { column: "game_date", requireFilter },
      rows: [
        ["2024-01-02", "ann"],
        ["2024-01-02", "bob"],
        ["2024-02-01", "ann"],
      ],
    },
    {
      name: "stats.by_month",
      columns: { game_date: "DATE", player: "STRING" },
      partition: { column: "game_date", unit: "MONTH", requireFilter },
      rows: [
        ["2024-01-02", "ann"],
        ["2024-01-31", "ann"],
        ["2024-02-01", "ann"],
      ],
    },
    {
      name: "stats.by_hour",
      columns: { at: "TIMESTAMP", player: "STRING" },
      partition: { column: "at", unit: "HOUR", requireFilter },
      rows: [
        ["2024-01-02 04:59:59+00", "yesterday in New York"],
        ["2024-01-02 05:00:00+00", "ann"],
        ["2024-02-01 04:59:59+00", "bob"],
        ["2024-02-01 05:00:00+00", "late"],
      ],
    },
    {
      name: "stats.by_local_time",
      columns: { at: "DATETIME", player: "STRING" },
      partition: { column: "at", requireFilter },
      rows: [
        ["2024-01-02 00:00:00", "ann"],
        ["2024-01-31 23:59:59", "bob"],
        ["2024-02-01 00:00:00", "late"],
      ],
    },
    {
      name: "stats.by_utc",
      columns: { at: "DATETIME", player: "STRING" },
      partition: { column: "at", unit: "HOUR", requireFilter },
      rows: [
        ["2024-01-02 04:59:59", "yesterday in New York"],
        ["2024-01-02 05:00:00", "ann"],
        ["2024-02-01 04:59:59", "bob"],
        ["2024-02-01 05:00:00", "late"],
      ],
    },
    {
      name: "stats.by_number",
      columns: { ds: "INT64", player: "STRING" },
      partition: {
        column: "ds",
        requireFilter,
        range: { start: 20_200_000, end: 20_300_000, interval: 1 },
      },
      rows: [
        [20_240_102, "ann"],
        [20_240_131, "bob"],
        [20_240_201, "late"],
      ],
    },
    { name: "stats.by_arrival", columns: { player: "STRING" }, partition: { column: null, requireFilter } },
    {
      name: "stats.by_arrival_hour",
      columns: { player: "STRING" },
      partition: { column: null, unit: "HOUR", requireFilter },
    },
  );
  for (const day of ["2024-01-02", "2024-01-31", "2024-02-01"])
    server.insert("stats.by_arrival", [["ann"]], day);
  for (const hour of ["2024-01-02 04:00", "2024-01-02 05:00"])
    server.insert("stats.by_arrival_hour", [["ann"]], hour);
}

describe("a table that requires a filter on its partitions", () => {
  test("is read by each kind of date column that it may have", async () => {
    definePartitioned();
    await server.run(
      "create view stats.seen as select game_date as day, player from stats.by_day where game_date > '2020-01-01'",
    );
    const { profile } = open({
      by_day: { table: table("stats.by_day") },
      by_month: { table: table("stats.by_month") },
      by_hour: { table: table("stats.by_hour"), dateColumn: "at", writtenAtColumn: "at" },
      by_local_time: { table: table("stats.by_local_time"), dateColumn: "at" },
      by_utc: { table: table("stats.by_utc"), ...datedBy("at", { columnTimezone: "UTC" }) },
      by_number: { table: table("stats.by_number"), ...datedBy("ds", { dateFormat: "%Y%m%d" }) },
      by_arrival_date: { table: table("stats.by_arrival"), dateColumn: "_PARTITIONDATE" },
      by_arrival_time: { table: table("stats.by_arrival"), dateColumn: "_PARTITIONTIME" },
      by_arrival_hour: { table: table("stats.by_arrival_hour"), dateColumn: "_partitiontime" },
      seen: { table: table("stats.seen"), dateColumn: "day" },
    });
    const found = (await profile()).processors;
    const all = Object.fromEntries([...found].map(([name, observation]) => [name, rows(observation)]));
    expect(all).toEqual({
      by_day: { "2024-01-02": 2 },
      by_month: { "2024-01-02": 1, "2024-01-31": 1 },
      by_hour: { "2024-01-01": 1, "2024-01-02": 1, "2024-01-31": 1 },
      by_local_time: { "2024-01-02": 1, "2024-01-31": 1 },
      by_utc: { "2024-01-01": 1, "2024-01-02": 1, "2024-01-31": 1 },
      by_number: { "2024-01-02": 1, "2024-01-31": 1 },
      // A partition of a day is a date in UTC already, one of an hour is an instant.
      by_arrival_date: { "2024-01-02": 1, "2024-01-31": 1 },
      by_arrival_time: { "2024-01-02": 1, "2024-01-31": 1 },
      by_arrival_hour: { "2024-01-01": 1, "2024-01-02": 1 },
      seen: { "2024-01-02": 2 },
    });
  });

  test.each<[string, ProcessorSketch, number]>([
    ["a number", { table: table("stats.by_number"), ...datedBy("ds", { dateFormat: "%Y%m%d" }) }, 8],
    ["a time in UTC", { table: table("stats.by_utc"), ...datedBy("at", { columnTimezone: "UTC" }) }, 8],
  ])("is billed for the partitions of the dates that are asked for, by %s", async (_, sketch, bytes) => {
    definePartitioned();
    const { profile } = open({ parted: sketch });
    const range = { start: parseIsoDate("2024-01-31"), end: parseIsoDate("2024-01-31") };
    expect(rows((await profile(range)).processors.get("parted"))).toEqual({ "2024-01-31": 1 });
    expect(server.stats.queries.at(-1)).toMatchObject({ bytesProcessed: bytes });
  });

  test("may be the one that another is compared with, excused by, logged in or scheduled by", async () => {
    definePartitioned();
    const other = { table: table("stats.by_day"), ...datedBy("game_date") };
    const source = {
      ...other,
      kind: "table" as const,
      unitColumn: "player",
      seasonColumn: null,
      where: "player <> 'bob'",
    };
    const spec: ScheduleSpec = { ...tableSchedule("default"), source };
    const coverage = { key: "player", ofKey: "player", min: 1 };
    const { warehouse, profile, schedules } = open(
      {
        players: { table: table("stats.by_day"), where: "player <> 'nobody'" },
        covered: {
          table: table("stats.by_month"),
          expect: {
            rows: {
              perEntity: { of: "players", key: "player", min: 1 },
              completionLog: { ...other, where: "player = 'ann'", rowsColumn: null },
            },
            coverage: {
              ...coverage,
              of: { kind: "processor", name: "players" },
              extra: null,
              excusedBy: { ...other, key: "player", where: "player = 'bob'" },
            },
          },
        },
        scheduled: {
          table: table("stats.by_month"),
          expect: { coverage: { ...coverage, of: { kind: "schedule" }, extra: null, excusedBy: null } },
        },
      },
      { scheduleSpecs: [spec] },
    );
    const found = (await profile()).processors;
    const metrics = (name: string) => profileOf(found.get(name)).metrics.map((metric) => metric[0]);
    // Players there, in the log, then of the coverage: there, absent, present, extra.
    expect(metrics("covered")).toEqual([2, 1, 2, 0, 1, 0]);
    expect(metrics("scheduled")).toEqual([1, 0, 1, 0]);
    const schedule = (await warehouse.readSchedules(schedules, january)).get("default");
    expect([...(schedule?.days ?? [])].map(fromDay)).toEqual(["2024-01-02"]);
    expect(schedule?.seasons.map(({ startDay }) => fromDay(startDay))).toEqual(["2024-01-02"]);
  });

  test("without a date column among its partitions fails alone, with what BigQuery says", async () => {
    definePartitioned();
    server.define({
      name: "stats.odd",
      columns: { game_date: "DATE", loaded: "DATE" },
      partition: { column: "loaded", requireFilter },
      rows: [["2024-01-02", "2024-01-03"]],
    });
    const { profile } = open({
      odd: { table: table("stats.odd") },
      filtered: { table: table("stats.odd"), where: "loaded >= '2024-01-01'" },
      good: { table: table("stats.by_day") },
    });
    const found = (await profile()).processors;
    expect(found.get("odd")).toMatchObject({
      kind: "failed",
      failure: { code: "query_failed", message: expect.stringContaining("loaded") },
    });
    expect([rows(found.get("filtered")), rows(found.get("good"))]).toEqual([
      { "2024-01-02": 1 },
      { "2024-01-02": 2 },
    ]);
  });
});

describe("what a profile costs", () => {
  const dates = Array.from({ length: 60 }, (_, index) => fromDay(19_723 + index));

  test("is that of the partitions that it asks for, and is told", async () => {
    server.define({
      name: "stats.scores",
      columns: { game_date: "DATE", player: "STRING" },
      partition: { column: "game_date" },
      rows: dates.map((date) => [date, "ann"]),
    });
    const { profile } = open({
      scores: { table: table("stats.scores"), expect: { notNull: [{ column: "player", maxRatio: 0 }] } },
    });
    const { scanBytes } = await profile({
      start: parseIsoDate("2024-01-10"),
      end: parseIsoDate("2024-01-12"),
    });
    const [query] = server.stats.queries.filter(
      ({ labels, dryRun }) => labels["purpose"] === "profile" && !dryRun,
    );
    // 8 bytes of the date and 2 + 3 of the text, for 3 rows; billed as the least that BigQuery bills.
    expect(query).toMatchObject({ bytesProcessed: 39, bytesBilled: 10 * 1024 * 1024 });
    expect(scanBytes).toBe(10 * 1024 * 1024);
    expect(query?.labels).toEqual({ pipeline: "tests", target: "local", purpose: "profile" });
  });

  test("holds what schedules cost too", async () => {
    server.define({ name: "stats.scores", columns: { game_date: "DATE" }, rows: [["2024-01-02"]] });
    const spec = { ...tableSchedule("default") };
    const stored = {
      kind: "table" as const,
      table: table("stats.scores"),
      ...datedBy("game_date"),
      unitColumn: null,
      seasonColumn: null,
      where: null,
    };
    const { warehouse, profile, schedules } = open({}, { scheduleSpecs: [{ ...spec, source: stored }] });
    await warehouse.readSchedules(schedules, january);
    expect((await profile()).scanBytes).toBe(20 * 1024 * 1024);
    expect((await profile()).scanBytes).toBe(0);
  });

  test("does not hold an analysis, which runs before what a user wrote runs first, and not again", async () => {
    server.define({
      name: "stats.scores",
      columns: { game_date: "DATE", score: "INT64" },
      rows: [["2024-01-02", 1]],
    });
    const { profile } = open({
      scores: { table: table("stats.scores"), expect: { checks: [{ name: "any", sql: "score > 0" }] } },
      broken: { table: table("stats.scores"), expect: { checks: [{ name: "none", sql: "scroe > 0" }] } },
    });
    const found = (await profile()).processors;
    expect(found.get("broken")).toMatchObject({
      kind: "failed",
      failure: { message: expect.stringContaining("scroe") },
    });
    const purposes = () => server.stats.queries.map(({ dryRun, error }) => [dryRun, error]);
    // Together, then each alone; what is broken never ran.
    expect(purposes()).toEqual([
      [true, "invalidQuery"],
      [true, null],
      [false, null],
      [true, "invalidQuery"],
    ]);
    const { profile: again } = open({ scores: { table: table("stats.scores") } });
    await again();
    server.stats.clear();
    await again({ start: parseIsoDate("2024-01-05"), end: parseIsoDate("2024-01-09") });
    expect(purposes()).toEqual([[false, null]]);
  });

  test("over the limit of a statement fails the tables that are too large, and no other", async () => {
    server.define(
      { name: "stats.small", columns: { game_date: "DATE" }, rows: [["2024-01-02"]] },
      {
        name: "stats.other",
        columns: { game_date: "DATE", player: "STRING" },
        rows: [["2024-01-02", "ann"]],
      },
    );
    const { profile } = open(
      {
        one: { table: table("stats.small") },
        both: {
          table: table("stats.small"),
          expect: { rows: { perEntity: { of: "two", key: null, min: 1 } } },
        },
        two: { table: table("stats.other") },
      },
      { maximumBytesBilled: 15 * 1024 * 1024 },
    );
    const found = (await profile()).processors;
    expect(found.get("both")).toMatchObject({ kind: "failed", failure: { code: "budget" } });
    expect([rows(found.get("one")), rows(found.get("two"))]).toEqual([
      { "2024-01-02": 1 },
      { "2024-01-02": 1 },
    ]);
  });
});

describe("a fault of BigQuery", () => {
  const good = { table: table("stats.scores") };
  beforeEach(() => {
    server.define(
      { name: "stats.scores", columns: { game_date: "DATE" }, rows: [["2024-01-02"]] },
      { name: "stats.secret", columns: { game_date: "DATE" }, rows: [["2024-01-02"]] },
    );
  });

  test("that passes is not noticed", async () => {
    server.faults.add({ call: "jobs.insert", fault: { kind: "error", reason: "backendError" } });
    server.faults.add({ call: "jobs.insert", fault: { kind: "lost_answer" } });
    server.faults.add({ call: "jobs.insert", fault: { kind: "job_error", reason: "jobBackendError" } });
    server.faults.add({ call: "jobs.getQueryResults", fault: { kind: "truncate" } });
    server.faults.add({ call: "tables.get", fault: { kind: "cut" } });
    const { profile } = open({ good });
    expect(rows((await profile()).processors.get("good"))).toEqual({ "2024-01-02": 1 });
  });

  test("with one table fails that table, with the role that is missing", async () => {
    server.deny("stats.secret");
    const { profile } = open({ good, secret: { table: table("stats.secret") } });
    const found = (await profile()).processors;
    expect(found.get("secret")).toMatchObject({
      kind: "failed",
      failure: { code: "permission", message: expect.stringContaining("roles/bigquery.dataViewer") },
    });
    expect(rows(found.get("good"))).toEqual({ "2024-01-02": 1 });
  });

  test("with the project fails the profile, as nothing at all can be read", async () => {
    server.faults.add({
      call: "jobs.insert",
      times: 100,
      fault: { kind: "error", reason: "quotaExceeded", message: "Quota exceeded" },
    });
    const { profile } = open({ one: good, two: good });
    await expect(profile()).rejects.toMatchObject({ code: "warehouse_quota" });
    server.faults.clear();
    server.faults.add({ call: "tables.get", times: 100, fault: { kind: "error", reason: "backendError" } });
    await expect(profile()).rejects.toMatchObject({ code: "warehouse_unavailable" });
  });

  test("that lets a job hang fails what it reads, and the others are seen all the same", async () => {
    server.faults.add({
      call: "jobs.insert",
      sql: /secret/,
      times: 100,
      fault: { kind: "slow", polls: 1_000_000 },
    });
    const { profile } = open(
      { one: good, slow: { table: table("stats.secret") }, two: good },
      { queryTimeoutMs: 4_000 },
    );
    const found = (await profile()).processors;
    expect(found.get("slow")).toMatchObject({ kind: "failed", failure: { code: "timeout" } });
    expect([found.get("one")?.kind, found.get("two")?.kind]).toEqual(["observed", "observed"]);
  });

  test("does not keep a profile that is called off", async () => {
    const { profile } = open({ good });
    await profile();
    server.faults.add({ call: "jobs.insert", times: 100, fault: { kind: "hang" } });
    const inserts = () => server.stats.calls.filter((call) => call === "jobs.insert").length;
    const [before, off] = [inserts(), new AbortController()];
    const profiling = profile(january, off.signal);
    await expect.poll(inserts).toBeGreaterThan(before);
    off.abort();
    await expect(profiling).rejects.toMatchObject({ code: "interrupted" });
    expect(server.stats.calls).toContain("jobs.cancel");
  });
});

test("keys of any type are told apart, and NaN is of no quality", async () => {
  server.define({
    name: "stats.odd",
    columns: { game_date: "DATE", tags: "ARRAY<STRING>", big: "INT64", share: "FLOAT64" },
    rows: [
      ["2024-01-02", ["a", "b"], "9007199254740993", 1],
      ["2024-01-02", ["a", "b"], "9007199254740992", "NaN"],
      ["2024-01-02", ["a"], "9007199254740993", null],
      ["2024-01-02", [], null, 0.5],
    ],
  });
  const { profile } = open({
    odd: {
      table: table("stats.odd"),
      expect: {
        uniqueKeys: [["tags"], ["big"], ["big", "tags"], ["game_date"]],
        notNull: [{ column: "share", maxRatio: 0 }],
        measures: [{ name: "largest", sql: "max(share)", min: null, max: null }],
        quality: { column: "share", good: 1, ok: 0.5, degraded: 0, minGoodShare: 1, afterDays: 0 },
      },
    },
  });
  const { metrics } = profileOf((await profile()).processors.get("odd"));
  expect(metrics.map((metric) => metric[0])).toEqual([1, 1, 0, 3, 1, Number.NaN, 1, 2, 2]);
});
