import type { DecisionPreview } from "../core/decide.ts";
import type { RenderOptions } from "./terminal.ts";
import { harmlessLine } from "../presentation/harmless.ts";
import { counted, formatDates } from "../presentation/numbers.ts";
import { painter, wrap } from "./text.ts";

const processorsMax = 20;

/** What a decision would do, before a person confirms it. */
export function renderPreview(preview: DecisionPreview, options: RenderOptions): string {
  const paint = painter(options.color);
  const { kind, effect, touched, notes } = preview;
  const cells = touched.reduce((sum, { dates }) => sum + dates.length, 0);
  const what = cells === 0 ? counted(touched.length, "processor") : counted(cells, "cell");
  const lines = [
    ...wrap(`${kind} ${what}: ${effect}`, options.columns),
    ...touched.slice(0, processorsMax).flatMap(({ processor, dates, detail }) => {
      const text = detail === null ? formatDates(dates) : harmlessLine(detail);
      return wrap(`${processor}: ${text}`, options.columns, "  ");
    }),
  ];
  lines[0] = paint("bold", lines[0] ?? "");
  if (touched.length > processorsMax)
    lines.push(`  … and ${counted(touched.length - processorsMax, "processor")} more`);
  return `${[...lines, ...notes.flatMap((note) => wrap(note, options.columns, "  "))].join("\n")}\n`;
}
