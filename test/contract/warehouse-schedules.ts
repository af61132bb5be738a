import { describe, expect, test } from "vitest";
import { fromDay, parseIsoDate } from "../../src/core/iso-date.ts";
import type { ScheduleObservation } from "../../src/core/observation.ts";
import type { ScheduleSpec } from "../../src/core/pipeline.ts";
import { datedBy, everyDay } from "../support/pipeline.ts";
import { january, type OpenWarehouse, table, type TableFixture } from "./warehouse-fixture.ts";

const games: TableFixture = {
  name: "raw.games",
  columns: { game_date: "date", game_id: "string", season: "string", status: "int" },
  rows: [
    ["2023-10-03", "pre", "2023-24", 1],
    ["2024-01-02", "g1", "2023-24", 3],
    ["2024-01-02", "g1", "2023-24", 3],
    ["2024-01-02", "g2", "2023-24", 3],
    ["2024-01-03", "g3", "2023-24", 1],
    ["2024-01-31", "g4", "2023-24", 3],
    ["2024-02-01", "g5", "2023-24", 3],
    ["2022-10-01", "old", "2022-23", 3],
    [null, "someday", "2023-24", 3],
  ],
};

const source = {
  kind: "table",
  table: table("raw.games"),
  ...datedBy("game_date"),
  unitColumn: "game_id",
  seasonColumn: "season",
  where: "status = 3",
} as const;
const spec: ScheduleSpec = {
  name: "games",
  source,
  startDate: null,
  endDate: null,
  except: null,
  maxGapDays: null,
};

function units({
  days,
  units: counts,
}: ScheduleObservation | undefined = empty): Record<string, number | undefined> {
  return Object.fromEntries(Array.from(days, (day, index) => [fromDay(day), counts[index]]));
}

const empty: ScheduleObservation = {
  days: new Int32Array(),
  units: new Float64Array(),
  season: new Int32Array(),
  seasons: [],
};

export function describeSchedules(open: OpenWarehouse): void {
  describe("a schedule", () => {
    test("has the distinct units per date of the range, and seasons that start by the unfiltered source", async () => {
      const { warehouse } = await open({ tables: [games] });
      const found = (await warehouse.readSchedules([spec], january)).get("games");
      expect(units(found)).toEqual({ "2024-01-02": 2, "2024-01-31": 1 });
      expect(found?.seasons.map(({ name, startDay }) => [name, fromDay(startDay)])).toEqual([
        ["2022-23", "2022-10-01"],
        ["2023-24", "2023-10-03"],
      ]);
      expect(Array.from(found?.season ?? [])).toEqual([1, 1]);
    });

    test("counts rows without a unit column, and has one season without a season column", async () => {
      const { warehouse } = await open({ tables: [games] });
      const plain: ScheduleSpec = { ...spec, source: { ...source, unitColumn: null, seasonColumn: null } };
      const found = (await warehouse.readSchedules([plain], january)).get("games");
      expect(units(found)).toEqual({ "2024-01-02": 3, "2024-01-31": 1 });
      expect(Array.from(found?.season ?? [])).toEqual([0, 0]);
      expect(found?.seasons.map(({ startDay }) => fromDay(startDay))).toEqual(["2022-10-01"]);
    });

    test("begins at its start date", async () => {
      const { warehouse } = await open({ tables: [games] });
      const late: ScheduleSpec = { ...spec, startDate: parseIsoDate("2024-01-10") };
      const found = (await warehouse.readSchedules([late], january)).get("games");
      expect(units(found)).toEqual({ "2024-01-31": 1 });
      expect(Array.from(found?.season ?? [])).toEqual([1]);
    });

    test.each(["game_date", "local_time", "instant"])(
      "counts the rows by %s that are none of its dates, and starts no season with them",
      async (dateColumn) => {
        const strange: TableFixture = {
          name: "raw.strange",
          columns: {
            game_date: "date",
            local_time: "timestamp",
            instant: "timestamptz",
            season: "string",
            status: "int",
          },
          rows: [
            ["2024-01-02", 3],
            ["1900-01-01", 3],
            ["2200-12-31", 3],
            ["9999-12-31", 3],
            ["0001-01-01", 3],
            ["1899-12-30", 3],
            ["2201-01-02", 3],
            ["9999-12-31", 1],
            [null, 3],
            [null, 3],
            [null, 1],
          ].map(([date, status]) => {
            const times = date === null ? [null, null] : [`${date} 12:00:00`, `${date}T12:00:00Z`];
            return [date ?? null, ...times, "2023-24", status ?? null];
          }),
        };
        const { warehouse } = await open({ tables: [strange] });
        const all: ScheduleSpec = {
          ...spec,
          source: { ...source, dateColumn, table: table("raw.strange"), unitColumn: null },
        };
        const found = (await warehouse.readSchedules([all], january)).get("games");
        expect(units(found)).toEqual({ "2024-01-02": 1 });
        expect(found?.strays).toEqual({ withoutDate: 2, outOfRange: 4 });
        expect(found?.seasons.map(({ startDay }) => fromDay(startDay))).toEqual(["1900-01-01"]);
      },
    );

    test("has no count of such rows where there are none", async () => {
      const { warehouse } = await open({ tables: [games] });
      const found = (await warehouse.readSchedules([spec], january)).get("games");
      expect(found?.strays).toEqual({ withoutDate: 1, outOfRange: 0 });
      const dated: ScheduleSpec = { ...spec, source: { ...source, where: "status = 1" } };
      expect((await warehouse.readSchedules([dated], january)).get("games")).not.toHaveProperty("strays");
    });

    test("comes from a query too, with one `;` at its end allowed", async () => {
      const { warehouse } = await open({ tables: [games] });
      const query: ScheduleSpec = {
        ...spec,
        source: {
          ...source,
          kind: "query",
          file: "games.sql",
          sql: "-- all games\nselect game_date as d, game_id as g, season as s, status from raw.games;\n",
          ...datedBy("d"),
          unitColumn: "g",
          seasonColumn: "s",
        },
      };
      const found = (await warehouse.readSchedules([query, everyDay], january)).get("games");
      expect(units(found)).toEqual({ "2024-01-02": 2, "2024-01-31": 1 });
    });

    test("a calendar is not asked here", async () => {
      const { warehouse } = await open({ tables: [games] });
      expect([...(await warehouse.readSchedules([everyDay, spec], january)).keys()]).toEqual(["games"]);
    });

    test.each([
      ["a missing table", { ...source, table: table("raw.gamez") }, "raw.games"],
      ["a missing column", { ...source, unitColumn: "game" }, "game"],
      ["a date column that is text", { ...source, dateColumn: "game_id" }, "game_id"],
      ["a broken filter", { ...source, where: "status = " }, "raw.games"],
      [
        "a query of two statements",
        { ...source, kind: "query", file: "two.sql", sql: "select 1; delete from raw.games" },
        "second statement",
      ],
      [
        "a query with a parameter",
        { ...source, kind: "query", file: "asks.sql", sql: "select $start_date as game_date" },
        "$start_date",
      ],
    ] as const)("with %s fails the reading and names the schedule and the cause", async (_, broken, says) => {
      const { warehouse, read } = await open({ tables: [games] });
      const failing: ScheduleSpec = { ...spec, source: broken };
      const reading = warehouse.readSchedules([failing], january);
      await expect(reading).rejects.toMatchObject({
        code: "schedule_failed",
        message: expect.stringContaining("schedule games"),
        hint: expect.any(String),
      });
      await expect(reading).rejects.toThrow(says);
      expect(await read("select count(*) from raw.games")).toEqual([["9"]]);
    });
  });
}
