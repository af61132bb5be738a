import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { SurveyResult } from "../../src/reconcile/ports.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { january, type OpenFixture, type OpenWarehouse, table } from "./warehouse-fixture.ts";

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

export function describeSurveys(open: OpenWarehouse): void {
  describe("a survey", () => {
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
