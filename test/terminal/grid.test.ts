import { describe, expect, test } from "vitest";
import { axisLines } from "../../src/terminal/grid-axis.ts";
import { renderGrid } from "../../src/terminal/grid.ts";
import { displayWidth } from "../../src/terminal/text.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";
import { golden, hasEscapes, widest } from "./lines.ts";

const plain = { columns: 80, color: false };

/** Three seasons of 100 dates, with some days off between them. */
const seasons = `${"a".repeat(100)}-----${"b".repeat(100)}-----${"c".repeat(100)}`;

function long(seen: Scene["seen"]): Scene {
  return {
    start: "2021-10-19",
    schedules: [tableSchedule()],
    dates: { default: seasons },
    processors: { raw: { phase: "2" }, features: { phase: "4" } },
    ...(seen === undefined ? {} : { seen }),
  };
}

/** Rows on every scheduled date but those given. */
function fullBut(...holes: number[]): string {
  return Array.from(seasons, (day, at) => (day === "-" || holes.includes(at) ? "." : "#")).join("");
}

describe("a grid", () => {
  test("shows a character per date, months above, gaps at the end, a legend below", () => {
    const assessment = assessed({
      processors: {
        raw: { phase: "2", bootstrapDays: 2 },
        features: { phase: "4", needs: ["raw"], expect: { rows: { min: 5 } } },
        broken: { phase: "4" },
      },
      seen: { raw: "..####.####", features: "..##1#.####", broken: null },
    });
    expect(renderGrid(assessment, plain)).toBe(
      golden(`
test  2024-01-01 to 2024-01-12, 12 dates
            Jan 2024      gaps
phase 2
  raw       --■■■■✗■■■■○     1
phase 4
  features  --■■◐■✗■■■■○     2
  broken    ????????????     0

  ■ 15 complete   - 4 exempt   ○ 2 pending   ◐ 1 partial   ✗ 2 missing
  ? 12 unknown
`),
    );
  });

  test("marks seasons on the axis and never lets a column span two", () => {
    const text = renderGrid(assessed(long({ raw: fullBut(99), features: fullBut(105) })), plain);
    expect(text).toBe(
      golden(`
test  2021-10-19 to 2022-08-24, 300 dates, a column is the worst of 5
            ├ a ───────────────┤ ├ b ───────────────┤ ├ c ───────────────┤
            Oct 2021 Dec   Jan 2022    Mar   Apr   May   Jun   Jul    Aug   gaps
phase 2
  raw       ■■■■■■■■■■■■■■■■■■■✗ ■■■■■■■■■■■■■■■■■■■■ ■■■■■■■■■■■■■■■■■■■■     1
phase 4
  features  ■■■■■■■■■■■■■■■■■■■■ ✗■■■■■■■■■■■■■■■■■■■ ■■■■■■■■■■■■■■■■■■■■     1

  ■ 598 complete   ✗ 2 missing
`),
    );
  });

  test.each([40, 60, 80, 120, 200, 400])("fits into %d columns", (columns) => {
    const text = renderGrid(assessed(long({ raw: fullBut(3, 4, 150), features: null })), {
      columns,
      color: false,
    });
    const rows = text.split("\n").filter((line) => line.startsWith("  raw") || line.startsWith("  feat"));
    expect(rows).toHaveLength(2);
    expect(Math.max(...rows.map(displayWidth))).toBeLessThanOrEqual(columns);
    expect(rows[0]).toContain("✗");
  });

  test("gives a wide terminal a date per column", () => {
    const text = renderGrid(assessed(long({ raw: fullBut(3, 4, 150), features: fullBut() })), {
      columns: 400,
      color: false,
    });
    expect(text).not.toContain("worst of");
    expect(text.match(/✗/g)).toHaveLength(4);
    expect(text).toContain("✗ 3 missing");
  });

  test("shows rows off the schedule where every date has a column, and with the date before where not", () => {
    const scene: Scene = {
      schedules: [tableSchedule()],
      dates: { default: "aaaa--aaaa" },
      processors: { raw: {} },
      seen: { raw: "######.###" },
    };
    expect(renderGrid(assessed(scene), plain)).toContain("  raw  ■■■■++✗■■■     1");
    const stretched = assessed({
      ...scene,
      dates: { default: "aaaa--aaaa".repeat(20) },
      seen: { raw: "######.###".repeat(20) },
    });
    const text = renderGrid(stretched, { columns: 60, color: false });
    expect(text).toContain("worst of 4");
    expect(text).toMatch(/ raw {2}[+✗■]+ {4}20\n/);
  });

  test("has no column for a day that no selected processor is scheduled on", () => {
    const assessment = assessed({
      schedules: [tableSchedule("daily"), tableSchedule("weekly")],
      dates: { daily: "aaaaaaaaaaaaaa", weekly: "w------w------" },
      processors: { days: { schedule: "daily" }, weeks: { schedule: "weekly" } },
      seen: { days: "##############", weeks: "#" },
      selection: { processors: ["weeks"] },
    });
    expect(renderGrid(assessment, plain)).toContain("  weeks  ■✗     1\n");
  });

  test.each([
    [9, "├2021-22┤"],
    [8, "2021-22 "],
    [5, "2021…"],
  ])("names a season of %d columns as %s", (dates, mark) => {
    const axis = { first: 0, length: 20 };
    const columns = Array.from({ length: dates }, (_, position) => [position]);
    const segments = [{ name: "2021-22", columns }];
    const [line] = axisLines(axis, { segments, datesPerColumn: 1, hiddenSegments: 0 });
    expect(line).toBe(mark);
  });

  test("leaves a processor's place empty where only the others are scheduled", () => {
    const assessment = assessed({
      schedules: [tableSchedule("daily"), tableSchedule("weekly")],
      dates: { daily: "aaaaaaaaaaaaaa", weekly: "w------w------" },
      processors: { days: { schedule: "daily" }, weeks: { schedule: "weekly" } },
      seen: { days: "##############", weeks: "#" },
    });
    const text = renderGrid(assessment, plain);
    expect(text).toContain("  days   ■■■■■■■■■■■■■■     0\n");
    expect(text).toContain("  weeks  ■      ✗           1\n");
  });

  test("counts stale cells as gaps only where the processor repairs them", () => {
    const seen = [{ date: "2024-01-01", lastWrite: "2024-01-02T06:00Z", firstWrite: "2024-01-02T06:00Z" }];
    const old = [{ date: "2024-01-01", lastWrite: "2024-01-01T06:00Z", firstWrite: "2024-01-01T06:00Z" }];
    const scene = (stale: "report" | "repair"): Scene => ({
      now: "2024-01-03T12:00Z",
      processors: {
        raw: { writtenAtColumn: "at" },
        made: { writtenAtColumn: "at", needs: ["raw"], stale },
      },
      seen: { raw: seen, made: old },
      selection: { end: "2024-01-01" },
    });
    expect(renderGrid(assessed(scene("report")), plain)).toMatch(/made {2}~ +0\n/);
    expect(renderGrid(assessed(scene("repair")), plain)).toMatch(/made {2}~ +1\n/);
  });

  test("says so where nothing of the selection is scheduled", () => {
    const assessment = assessed({
      schedules: [tableSchedule()],
      dates: { default: "aa--aa" },
      processors: { raw: {} },
      selection: { start: "2024-01-03", end: "2024-01-04" },
    });
    expect(renderGrid(assessment, plain)).toContain("no date of the selection is scheduled");
  });

  test("colours change nothing but the colours", () => {
    const assessment = assessed(long({ raw: fullBut(3, 150), features: null }));
    const colored = renderGrid(assessment, { columns: 120, color: true });
    const without = renderGrid(assessment, { columns: 120, color: false });
    expect(hasEscapes(colored)).toBe(true);
    expect(hasEscapes(without)).toBe(false);
    // oxlint-disable-next-line no-control-regex
    expect(colored.replace(/\u001b\[\d+m/g, "")).toBe(without);
    expect(widest(colored)).toBe(widest(without));
  });
});
