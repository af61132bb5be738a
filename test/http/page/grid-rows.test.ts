import { describe, expect, test } from "vitest";
import { columnsMax, gridRows, type GridRows, rowsMax } from "../../../src/http/page/grid-rows.ts";
import { parsePageQuery } from "../../../src/http/page/query.ts";
import { tableSchedule } from "../../support/pipeline.ts";
import { assessed, type Scene } from "../../support/sight.ts";

/** Three seasons of 200 dates. */
const dates = ["a", "b", "c"].map((season) => season.repeat(200)).join("");
const full = "#".repeat(600);
const withHole = `${"#".repeat(300)}${".".repeat(30)}${"#".repeat(270)}`;

const scene: Scene = {
  start: "2021-10-19",
  schedules: [tableSchedule()],
  dates: { default: dates },
  processors: { raw: { phase: "2" }, features: { phase: "4" }, late: { phase: "2" } },
  seen: { raw: full, features: withHole, late: `${full.slice(0, -1)}3` },
};

const rowsOf = (address: string, of: Scene = scene): GridRows =>
  gridRows(assessed(of), parsePageQuery(new URLSearchParams(address)));

const names = (rows: GridRows) => rows.rows.map(({ processor }) => processor.name);

describe("the rows of the grid", () => {
  test("stand by phase, and merge dates that look alike, never over the end of a season", () => {
    const rows = rowsOf("");
    expect(names(rows)).toEqual(["raw", "late", "features"]);
    expect(
      rows.rows[0]?.runs.map(({ state, span, isSeasonStart }) => ({ state, span, isSeasonStart })),
    ).toEqual(
      ["a", "b", "c"].map((_, index) => ({
        state: "complete",
        span: rows.columns.segments[index]?.columns.length,
        isSeasonStart: true,
      })),
    );
    expect(rows.columns.segments.flatMap(({ columns }) => columns).length).toBeLessThanOrEqual(columnsMax);
  });

  test("cover every date once, whatever is merged", () => {
    for (const { runs } of rowsOf("").rows) {
      expect(runs.reduce((sum, { cells }) => sum + cells, 0)).toBe(600);
      expect(runs.map(({ column }) => column)).toEqual(
        runs.map((_, index) => runs.slice(0, index).reduce((sum, { span }) => sum + span, 0)),
      );
    }
  });

  test("count the gaps that are in a run, not the dates that it covers", () => {
    const features = rowsOf("").rows.at(-1);
    const missing = features?.runs.filter(({ state }) => state === "missing") ?? [];
    expect(missing.reduce((sum, { inState }) => sum + inState, 0)).toBe(30);
    expect(features?.gaps).toBe(30);
  });

  test("give each date a cell of its own where a month is shown", () => {
    const rows = rowsOf("start=2022-08-01&end=2022-08-31");
    expect(rows.columns.datesPerColumn).toBe(1);
    for (const { runs } of rows.rows)
      expect(runs.map(({ span, cells }) => [span, cells])).toEqual(Array(31).fill([1, 1]));
  });

  test("are those of the phases, processors and states that are asked for", () => {
    expect(names(rowsOf("phase=2"))).toEqual(["raw", "late"]);
    expect(names(rowsOf("processor=features"))).toEqual(["features"]);
    expect(names(rowsOf("state=missing"))).toEqual(["features"]);
    expect(names(rowsOf("state=missing&end=2022-01-01"))).toEqual([]);
  });

  test("show a state that is asked for although a worse one shares its column, and nothing else", () => {
    const runs = rowsOf("state=complete").rows.at(-1)?.runs ?? [];
    expect(new Set(runs.map(({ state }) => state))).toEqual(new Set(["complete", "unscheduled"]));
  });

  test("tell which names are none, instead of showing everything", () => {
    const rows = rowsOf("processor=rawww&phase=9");
    expect(rows.unknownNames).toEqual(["rawww", "9"]);
    expect(rows.rows).toEqual([]);
  });

  test("mark what is being repaired", () => {
    const working = rowsOf("start=2022-08-15&end=2022-08-18", {
      ...scene,
      inFlight: [
        { repair: "features", dates: ["2022-08-16"] },
        { repair: "features", dates: ["2022-08-17"], state: "queued" },
      ],
    });
    expect(working.rows.at(-1)?.runs.map(({ work }) => work)).toEqual([null, "running", "queued", null]);
  });

  test("come in parts where there are many", () => {
    const many: Scene = {
      processors: Object.fromEntries(Array.from({ length: rowsMax + 3 }, (_, index) => [`p${index}`, {}])),
    };
    const second = rowsOf("part=2", many);
    expect([second.parts, second.rowsInAll, second.rows.length]).toEqual([2, rowsMax + 3, 3]);
    expect(rowsOf("part=99", many).part).toBe(2);
  });
});
