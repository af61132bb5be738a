import type { ResultDocument } from "../core/result-document.ts";
import { adviceOf } from "./advice.ts";
import { costLines } from "./cost.ts";
import { type Column, renderTable } from "./table.ts";
import type { RenderOptions } from "./terminal.ts";
import { planHeadline, type PlanLine, planLines } from "../presentation/plan-lines.ts";
import { counted, formatBytes, formatCount, formatSeconds } from "../presentation/numbers.ts";
import { painter, wrap } from "./text.ts";

const jobColumns: readonly Column[] = [
  { title: "wave", align: "right" },
  { title: "repair", flexible: true },
  { title: "first" },
  { title: "last" },
  { title: "dates", align: "right" },
  { title: "time", align: "right" },
  { title: "billed", align: "right" },
  { title: "why" },
];

const groupColumns: readonly Column[] = [...jobColumns, { title: "jobs", align: "right" }];
const billedColumn = jobColumns.findIndex(({ title }) => title === "billed");

/** A warehouse that bills nothing has no column for it. */
function isShown({ cost }: ResultDocument): (column: unknown, index: number) => boolean {
  return (_column, index) => cost !== null || index !== billedColumn;
}

/**
 * What a run would do if every repair worked, wave by wave: a line per job, or, where there are more than 40, a line per
 * repair and wave; never more than 40.
 */
export function renderPlan(document: ResultDocument, options: RenderOptions): string {
  const paint = painter(options.color);
  const steps = document.plan;
  const lines = [
    ...wrap(
      planHeadline({ ...document, steps, gaps: document.gaps.length, unknown: document.unknown.length }),
      options.columns,
    ),
  ];
  lines[0] = paint("bold", lines[0] ?? "");
  if (steps.length > 0) {
    const { isFolded, lines: shown, hidden } = planLines(steps);
    const table = renderTable(
      (isFolded ? groupColumns : jobColumns).filter(isShown(document)),
      shown.map((line) => cellsOf(line).filter(isShown(document))),
      options.columns,
    );
    lines.push("", paint("dim", table.head), ...table.lines);
    if (hidden > 0) lines.push(`… and ${formatCount(hidden)} more; --format json lists every job`);
    else if (isFolded)
      lines.push(paint("dim", "a line is all jobs of a repair in a wave; --format json lists each"));
  }
  lines.push(...remainder(document, options));
  const cost = costLines(document.cost, options);
  if (cost.length > 0) lines.push("", ...cost);
  return `${lines.join("\n")}\n`;
}

function cellsOf(line: PlanLine): readonly string[] {
  return [
    String(line.wave),
    line.repair,
    line.first,
    line.last,
    formatCount(line.dates),
    line.seconds === null ? "?" : formatSeconds(line.seconds),
    line.bytes === null ? "?" : formatBytes(line.bytes),
    line.why,
    formatCount(line.jobs),
  ];
}

/** Gaps that no job is for, with what a person can do. */
function remainder(document: ResultDocument, options: RenderOptions): readonly string[] {
  const planned = new Set(
    document.plan.flatMap(({ processors, dates }) =>
      processors.flatMap((processor) => dates.map((date) => `${processor}/${date}`)),
    ),
  );
  const left = document.gaps.filter(({ processor, date }) => !planned.has(`${processor}/${date}`));
  if (left.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { disposition } of left) counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
  const words = [...counts].map(
    ([disposition, count]) => `${formatCount(count)} ${disposition.replace("_", " ")}`,
  );
  const advice = adviceOf({ ...document, gaps: left, unknown: [] }, options.pipelineFlags)[0];
  const hint = advice === undefined ? "" : `; ${advice.command}`;
  return [
    "",
    ...wrap(`not planned: ${counted(left.length, "gap")} (${words.join(", ")})${hint}`, options.columns),
  ];
}
