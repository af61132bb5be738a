import type { Assessment } from "../core/assessment.ts";
import { dateAt, type Grid, isGapState, State } from "../core/grid.ts";
import type { Processor } from "../core/pipeline.ts";
import { countStates } from "../core/result-document.ts";
import { byPhase } from "../presentation/phases.ts";
import { stateGlyphs, worstFirst, worstState } from "../presentation/states.ts";
import { stateStyles } from "./glyphs.ts";
import { axisLines } from "./grid-axis.ts";
import { chooseColumns, type GridColumns } from "../presentation/grid-columns.ts";
import type { RenderOptions } from "./terminal.ts";
import { counted, formatCount } from "../presentation/numbers.ts";
import { displayWidth, padEnd, padStart, type Paint, painter, truncate, wrap } from "./text.ts";

const indent = "  ";
const gapsTitle = "gaps";

/**
 * The selected cells as a picture: a line per processor, a character per date. Where there are more dates than columns,
 * each column shows the worst of some consecutive dates of one season. Dates that are not scheduled take no column.
 */
export function renderGrid(assessment: Assessment, options: RenderOptions): string {
  const { grid } = assessment;
  const paint = painter(options.color);
  const processors = grid.pipeline.processors.filter(({ index }) => grid.selection.processors.has(index));
  const gaps = processors.map((processor) => gapsOf(grid, processor));
  const gapsWidth = Math.max(gapsTitle.length, ...gaps.map((count) => formatCount(count).length));
  const longest = Math.max(0, ...processors.map(({ name }) => displayWidth(name)));
  const labelWidth = Math.min(longest, Math.max(16, Math.floor(options.columns * 0.38)));
  const margin = indent.length + labelWidth + 2;
  const columns = chooseColumns(assessment, processors, options.columns - margin - 2 - gapsWidth);
  const width = columns.segments.reduce((sum, segment) => sum + segment.columns.length + 1, -1);
  const lines = [...titleLines(assessment, columns, options, paint)];
  if (columns.segments.length > 0) {
    const ticks = axisLines(grid.axis, columns);
    ticks.forEach((line, at) => {
      const title = at === ticks.length - 1 ? padStart(gapsTitle, gapsWidth) : "";
      lines.push(`${" ".repeat(margin)}${paint("dim", `${padEnd(line, width)}  ${title}`.trimEnd())}`);
    });
  }
  let phase: string | null = null;
  for (const processor of byPhase(processors)) {
    if (processor.phase !== phase) lines.push(paint("bold", `phase ${processor.phase ?? "–"}`));
    phase = processor.phase;
    const label = padEnd(truncate(processor.name, labelWidth), labelWidth);
    const row = columns.segments.map((segment) => cellsOf(grid, processor, segment.columns, paint)).join(" ");
    const count = gaps[processors.indexOf(processor)] ?? 0;
    const painted = paint(count === 0 ? "dim" : ["bold", "red"], padStart(formatCount(count), gapsWidth));
    lines.push(`${indent}${label}  ${row}  ${painted}`);
  }
  return `${[...lines, "", ...legendOf(assessment, processors, options, paint)].join("\n")}\n`;
}

function titleLines(
  { grid }: Assessment,
  columns: GridColumns,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const positions = columns.segments.flatMap((segment) => segment.columns.flat());
  if (positions.length === 0) return ["no date of the selection is scheduled"];
  const first = dateAt(grid.axis, positions[0] ?? 0);
  const last = dateAt(grid.axis, positions.at(-1) ?? 0);
  const merged =
    columns.datesPerColumn === 1 ? "" : `, a column is the worst of ${formatCount(columns.datesPerColumn)}`;
  const hidden =
    columns.hiddenSegments === 0
      ? ""
      : `; ${counted(columns.hiddenSegments, "earlier season")} not shown, see them with --end-date`;
  const text = `${first} to ${last}, ${counted(positions.length, "date")}${merged}${hidden}`;
  const { name } = grid.pipeline;
  const [head = "", ...rest] = wrap(text, options.columns, `${name}  `);
  return [head.replace(name, paint("bold", name)), ...rest];
}

function cellsOf(
  grid: Grid,
  processor: Processor,
  columns: readonly (readonly number[])[],
  paint: Paint,
): string {
  const base = processor.index * grid.axis.length;
  const states = columns.map((positions) =>
    worstState(positions.map((position) => grid.states[base + position] ?? State.unscheduled)),
  );
  let line = "";
  for (let start = 0; start < states.length; ) {
    let end = start + 1;
    while (end < states.length && states[end] === states[start]) end++;
    const state = states[start] ?? "unscheduled";
    const text = stateGlyphs[state].repeat(end - start);
    line += text.trim() === "" ? text : paint(stateStyles[state], text);
    start = end;
  }
  return line;
}

function gapsOf(grid: Grid, processor: Processor): number {
  const base = processor.index * grid.axis.length;
  let count = 0;
  for (let position = grid.selection.from; position <= grid.selection.to; position++) {
    if (isGapState(grid.states[base + position] ?? 0)) count++;
  }
  return count;
}

/** Each state that occurs with its glyph and its number of cells, as many on a line as there is room for. */
function legendOf(
  assessment: Assessment,
  processors: readonly Processor[],
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const all = processors.map((processor) => countStates(assessment, processor));
  const order = [...worstFirst].reverse();
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const state of order) {
    if (state === "unscheduled") continue;
    const count = all.reduce((sum, counts) => sum + counts[state], 0);
    if (count === 0) continue;
    const text = stateGlyphs[state];
    const words = ` ${formatCount(count)} ${state}`;
    const width = text.length + words.length;
    if (used > 0 && indent.length + used + 3 + width > options.columns) {
      lines.push(indent + line);
      line = "";
      used = 0;
    }
    line += `${used === 0 ? "" : "   "}${paint(stateStyles[state], text)}${words}`;
    used += (used === 0 ? 0 : 3) + width;
  }
  return used === 0 ? lines : [...lines, indent + line];
}
