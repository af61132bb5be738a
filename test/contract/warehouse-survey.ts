import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { SurveyResult } from "../../src/reconcile/ports.ts";
import { everyDay, tableSchedule } from "../support/pipeline.ts";
import {
  january,
  type OpenFixture,
  type OpenWarehouse,
  table,
  type TableFixture,
} from "./warehouse-fixture.ts";

const dates = ["2024-01-02", "2024-01-03"];

async function fixtureOf(open: OpenWarehouse): Promise<OpenFixture> {
  return open({
    tables: [
      {
        name: "raw.default",
        columns: { game_date: "date", season: "string" },
        rows: dates.map((d) => [d, "2023-24"]),
      },
      {
        name: "raw.scores",
        columns: { game_date: "date", player: "string" },
        rows: dates.map((d) => [d, "ann"]),
      },
      { name: "stats.scores", columns: { game_date: "date", player: "string" } },
    ],
    processors: {
      raw: { table: table("raw.scores") },
      scores: {
        table: table("stats.scores"),
        expect: {
          coverage: {
            of: { kind: "processor", name: "raw" },
            key: "player",
            ofKey: "player",
            min: 1,
            extra: null,
            excusedBy: null,
          },
        },
      },
      nothing: { table: table("stats.nothing") },
    },
    schedules: [tableSchedule()],
  });
}

type Look = Pick<SurveyResult, "schedules" | "processors">;

async function surveyOf({ warehouse, processors, schedules }: OpenFixture): Promise<Look> {
  const budgetBytes = Number.POSITIVE_INFINITY;
  const found = await warehouse.survey({ processors, schedules, range: january, budgetBytes });
  return { schedules: found.schedules, processors: found.processors };
}

async function lookOf({ warehouse, processors, schedules }: OpenFixture): Promise<Look> {
  const found = await warehouse.profile({ processors, range: january });
  return {
    schedules: await warehouse.readSchedules(schedules, january),
    processors: found.processors,
  };
}

/** Every kind of column that carries dates, with rows at both ends of January in New York and beyond. */
const scattered: TableFixture = {
  name: "stats.scattered",
  columns: { game_date: "date", local_time: "timestamp", instant: "timestamptz", player: "string" },
  rows: [
    ["2023-12-31", "2023-12-31 23:59:59", "2024-01-01T04:59:59Z", "early"],
    ["1970-01-01", "1970-01-01 12:00:00", "1970-01-01T12:00:00Z", "ancient"],
    ["0001-01-01", "0001-01-01 12:00:00", "0001-01-01T12:00:00Z", "first"],
    ["9999-12-31", "9999-12-31 23:59:59", "9999-12-31T23:59:59Z", "last"],
    ["2024-01-01", "2024-01-01 00:00:00", "2024-01-01T05:00:00Z", "ann"],
    ["2024-01-31", "2024-01-31 23:59:59", "2024-02-01T04:59:59Z", "ann"],
    ["2024-02-01", "2024-02-01 00:00:00", "2024-02-01T05:00:00Z", "late"],
    ["2099-01-01", "2099-01-01 12:00:00", "2099-01-01T12:00:00Z", "future"],
    [null, null, null, "nobody"],
    [null, null, null, null],
  ],
};

async function outsideOf({ warehouse, processors, schedules }: OpenFixture) {
  const budgetBytes = Number.POSITIVE_INFINITY;
  return (await warehouse.survey({ processors, schedules, range: january, budgetBytes })).outside;
}

export function describeSurveys(open: OpenWarehouse): void {
  describe("a survey", () => {
    test.each(["game_date", "local_time", "instant"])(
      "counts rows outside of its dates by %s, and profiles none of them",
      async (dateColumn) => {
        const fixture = await open({
          tables: [scattered],
          processors: {
            all: { table: table("stats.scattered"), dateColumn },
            some: { table: table("stats.scattered"), dateColumn, where: "player like '%a%'" },
          },
          schedules: [everyDay],
        });
        const outside = await outsideOf(fixture);
        expect(outside.get("all")).toEqual({ withoutDate: 2, before: 3, after: 3 });
        expect(outside.get("some")).toEqual({ withoutDate: 0, before: 2, after: 2 });
        expect(await surveyOf(fixture)).toEqual(await lookOf(fixture));
        await fixture.warehouse.keepSurveys();
        expect(await outsideOf(fixture)).toEqual(outside);
      },
    );

    test("sees the dates of a table whose other rows an expression of the config cannot read", async () => {
      const fixture = await open({
        tables: [
          {
            name: "stats.mixed",
            columns: { game_date: "date", amount: "string" },
            rows: [
              ["2024-01-02", "10"],
              ["2024-01-02", "20"],
              [null, "n/a"],
            ],
          },
        ],
        processors: {
          mixed: {
            table: table("stats.mixed"),
            expect: { checks: [{ name: "positive", sql: "cast(amount as numeric) > 0" }] },
          },
        },
        schedules: [everyDay],
      });
      const found = await surveyOf(fixture);
      expect(found.processors.get("mixed")).toMatchObject({ profile: { rows: Float64Array.of(2) } });
      expect(found).toEqual(await lookOf(fixture));
    });

    test("sees what the schedules and the profiles say, each time that it looks", async () => {
      const fixture = await fixtureOf(open);
      const look = await lookOf(fixture);
      expect(look.processors.get("nothing")).toMatchObject({
        kind: "failed",
        failure: { code: "not_found" },
      });
      expect(await surveyOf(fixture)).toEqual(look);
      await fixture.warehouse.keepSurveys();
      expect(await surveyOf(fixture)).toEqual(look);
    });

    test("sees what a repair has written since", async () => {
      const fixture = await fixtureOf(open);
      await surveyOf(fixture);
      await fixture.warehouse.replaceDates({
        processor: fixture.processor("scores"),
        sql: "select game_date, player from raw.scores where game_date between $start_date and $end_date",
        leaveNull: [],
        audit: null,
        dates: dates.map(parseIsoDate),
        token: 10,
        repairId: "r1",
        timeoutMs: 100_000,
        signal: new AbortController().signal,
      });
      const found = await surveyOf(fixture);
      expect(found.processors.get("scores")).toMatchObject({ profile: { rows: Float64Array.of(1, 1) } });
      expect(found).toEqual(await lookOf(fixture));
    });
  });
}
