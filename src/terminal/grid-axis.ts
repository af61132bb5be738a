import type { Axis } from "../core/schedule.ts";
import { civilOf } from "../core/iso-date.ts";
import type { GridColumns } from "../presentation/grid-columns.ts";
import { displayWidth, padEnd, truncate } from "./text.ts";

const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Below so many columns a month, their names would not stand side by side. */
const columnsPerMonthMin = 4;

interface Label {
  readonly at: number;
  readonly text: string;
}

/** The lines above a grid: names of seasons, then months or years where there is room for them. */
export function axisLines(axis: Axis, columns: GridColumns): readonly string[] {
  const marks = marksOf(axis, columns);
  const lines: string[] = [];
  if (marks.some(({ season }) => season !== "")) lines.push(seasonLine(marks));
  const months = marks.flatMap(({ firsts }) => firsts).map(({ monthKey }) => monthKey);
  const perMonth = months.length / Math.max(1, new Set(months).size);
  if (perMonth >= columnsPerMonthMin) lines.push(tickLine(monthLabels(marks)));
  else if (lines.length === 0) lines.push(tickLine(yearLabels(marks)));
  return lines.filter((line) => line.trim() !== "");
}

interface Mark {
  readonly season: string;
  /** Column of the grid at which the segment starts. */
  readonly start: number;
  readonly width: number;
  /** By column of the segment: the first date that it stands for. */
  readonly firsts: readonly { year: number; month: number; monthKey: string }[];
}

function marksOf(axis: Axis, { segments }: GridColumns): readonly Mark[] {
  let start = 0;
  return segments.map((segment) => {
    const firsts = segment.columns.map(([position = 0]) => {
      const { year, month } = civilOf(axis.first + position);
      return { year, month, monthKey: `${year}-${month}` };
    });
    const mark = { season: segment.name, start, width: firsts.length, firsts };
    start += firsts.length + 1;
    return mark;
  });
}

/** `├ 2023-24 ───┤` over the columns of each season; where they are few, the name goes before its frame. */
function seasonLine(marks: readonly Mark[]): string {
  return marks.map(({ season, width }) => seasonMark(season, width)).join(" ");
}

function seasonMark(season: string, width: number): string {
  if (width === 1) return "│";
  const free = width - displayWidth(season);
  if (free >= 4 && season !== "") return `├ ${season} ${"─".repeat(free - 4)}┤`;
  if (free >= 2) return `├${season}${"─".repeat(free - 2)}┤`;
  return padEnd(truncate(season, width), width);
}

/** A name at the first column of each month; the first one and every January say the year. */
function monthLabels(marks: readonly Mark[]): readonly Label[] {
  let last = "";
  let lastYear = 0;
  return marks.flatMap(({ start, firsts }) =>
    firsts.flatMap(({ year, month, monthKey }, offset) => {
      if (monthKey === last) return [];
      last = monthKey;
      const name = monthNames[month - 1] ?? "";
      const text = year === lastYear ? name : `${name} ${year}`;
      lastYear = year;
      return [{ at: start + offset, text }];
    }),
  );
}

function yearLabels(marks: readonly Mark[]): readonly Label[] {
  let last = 0;
  return marks.flatMap(({ start, firsts }) =>
    firsts.flatMap(({ year }, offset) => {
      if (year === last) return [];
      last = year;
      return [{ at: start + offset, text: String(year) }];
    }),
  );
}

/** Labels where they belong; one that would touch the one before is left out. */
function tickLine(labels: readonly Label[]): string {
  let line = "";
  for (const { at, text } of labels) {
    if (line !== "" && at <= line.length) continue;
    line = line.padEnd(at) + text;
  }
  return line;
}
